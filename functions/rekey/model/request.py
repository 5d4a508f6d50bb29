"""The request: what a person, a ticket or an event asks for. Flat, so that it can be typed into the console."""

import hashlib
import json
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rekey.base import clock
from rekey.base.errors import InvalidRequest
from rekey.model import wish
from rekey.model.wish import NewWorkspace

UseCase = Literal["MANAGED_SERVICES", "STORAGE"]
Operation = Literal["add", "rotate", "rotate_material", "create_workspace"]
DRAIN_MINUTES = 60
"""How long job runs are waited for when the request says drain and no more."""

MOST_PATHS = 20
WorkspacePath = Annotated[str, Field(pattern=r"^/$|^(/[^/]+)+$", max_length=1000)]
"""Absolute, without a slash at its end."""

LATEST_WINDOW = timedelta(days=14)

KEY_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"

_MENDS = {
    "workspace_id": "give the workspace's number, for example 1234567890123456, without quotes",
    "operation": 'give "add", "rotate", "rotate_material" or "create_workspace", or leave it out to have it decided '
    "from the workspace",
    "workspace": 'give an object with what Databricks\' "Create a workspace" takes, or leave it out',
    "use_cases": 'give a list of "MANAGED_SERVICES" and/or "STORAGE", each once, or leave it out',
    "request_id": "give 1 to 64 letters, digits or any of _ . : -, or leave it out",
    "key_arn": "give a KMS key's ARN (arn:aws:kms:<region>:<account>:key/<id>, no alias), or leave it out",
    "key_configuration_id": "give the id of a registered key configuration, or leave it out",
    "reuse_key_for_cluster_volumes": "give true or false",
    "guard_key": "give true or false",
    "yearly_rotation": "give true or false",
    "not_before": 'give an ISO 8601 time with offset, for example "2026-11-30T22:00:00+01:00", or leave it out',
    "not_after": "give the end of the window as an ISO 8601 time with offset, for example "
    '"2026-12-01T04:00:00+01:00", or leave it out',
    "approval": "give true or false",
    "old_key": 'give "disable" or "retain"',
    "jobs": 'give "interrupt" to cut active job runs short, or "drain" to wait for them first',
    "drain_minutes": 'give 1 to 240, with jobs "drain"; left out it is 60',
    "renew_notebooks": 'give 1 to 20 absolute workspace paths, each once, such as ["/Shared"], or leave it out',
    "dry_run": "give true or false",
    "reason": "give at most 500 characters",
    "requested_by": "give at most 200 characters",
    "ticket": 'give {"provider": "jira", "key": "SEC-12"}, or leave it out',
}


class Ticket(BaseModel):
    """The ticket that asked."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    provider: Annotated[str, Field(min_length=1, max_length=40)]
    key: Annotated[str, Field(min_length=1, max_length=80)]


class Request(BaseModel):
    """One request. All but workspace_id may be left out; create_workspace takes `workspace` in its stead."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    operation: Operation | None = None
    workspace_id: Annotated[int, Field(gt=0, lt=2**63)] | None = Field(default=None, validate_default=True)
    workspace: NewWorkspace | None = None
    use_cases: Annotated[tuple[UseCase, ...], Field(min_length=1, max_length=2)] | None = None
    request_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    key_arn: Annotated[str, Field(pattern=KEY_ARN)] | None = None
    key_configuration_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    reuse_key_for_cluster_volumes: bool = True
    guard_key: bool = False
    """Whether a key brought along gets the guard that keys made by rekey carry."""
    yearly_rotation: bool = False
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    approval: bool = False
    old_key: Literal["disable", "retain"] = "disable"
    jobs: Literal["interrupt", "drain"] = "interrupt"
    drain_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    renew_notebooks: Annotated[tuple[WorkspacePath, ...], Field(min_length=1, max_length=MOST_PATHS)] | None = None
    dry_run: bool = False
    reason: Annotated[str, Field(max_length=500)] | None = None
    requested_by: Annotated[str, Field(max_length=200)] | None = None
    ticket: Ticket | None = None

    @field_validator("workspace_id")
    @classmethod
    def _given_or_to_be_made(cls, workspace_id: int | None, info: ValidationInfo) -> int | None:
        creates = info.data.get("operation") == "create_workspace"
        if workspace_id is None and not creates:
            raise ValueError("it is missing")
        if workspace_id is not None and creates:
            raise ValueError("Databricks gives a new workspace its number. Mend: leave it out.")
        return workspace_id

    @field_validator("use_cases")
    @classmethod
    def _each_once(cls, use_cases: tuple[UseCase, ...] | None) -> tuple[UseCase, ...] | None:
        if use_cases is not None and len(set(use_cases)) != len(use_cases):
            raise ValueError("a use case is named twice")
        return use_cases

    @field_validator("renew_notebooks")
    @classmethod
    def _each_path_once(cls, paths: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if paths is not None and len(set(paths)) != len(paths):
            raise ValueError("a path is named twice")
        return paths

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.operation == "rotate" and self.use_cases and "STORAGE" in self.use_cases:
            raise ValueError(storage_cannot_be_replaced())
        if self.key_arn and self.key_configuration_id:
            raise ValueError(
                "key_configuration_id: a configuration already names its key. Mend: give it or key_arn, not both."
            )
        if self.operation == "rotate_material" and (self.key_arn or self.key_configuration_id):
            field = "key_arn" if self.key_arn else "key_configuration_id"
            raise ValueError(f"{field}: rotate_material renews the key the workspace has. Mend: leave it out.")
        if (self.workspace is None) == (self.operation == "create_workspace"):
            what = "it is missing" if self.workspace is None else 'it goes with operation "create_workspace"'
            raise ValueError(f"workspace: {what}. Mend: {_MENDS['workspace']}.")
        if self.workspace and self.workspace.serverless and self.use_cases and "STORAGE" in self.use_cases:
            raise ValueError(storage_is_not_its_own())
        if self.drain_minutes and self.jobs != "drain":
            raise ValueError('drain_minutes: it goes with jobs "drain". Mend: leave it out, or give jobs "drain".')
        if self.guard_key and not (self.key_arn or self.key_configuration_id):
            raise ValueError(
                "guard_key: it goes with key_arn or key_configuration_id; a key that rekey makes has the guard anyway. "
                "Mend: leave it out."
            )
        if self.yearly_rotation and self.operation != "rotate_material":
            raise ValueError(
                'yearly_rotation: it goes with rotate_material. Mend: leave it out, or ask for "rotate_material".'
            )
        if self.renew_notebooks and self.operation == "create_workspace":
            raise ValueError("renew_notebooks: a new workspace has no notebooks yet. Mend: leave it out.")
        without_managed = self.use_cases and "MANAGED_SERVICES" not in self.use_cases
        if self.renew_notebooks and (self.operation not in (None, "add", "rotate") or without_managed):
            raise ValueError(notebooks_need_a_new_key())
        if self.not_before and self.not_before > clock.now() + LATEST_WINDOW:
            raise ValueError("not_before: the window opens in more than 14 days. Mend: ask nearer to the day.")
        if self.not_after and self.not_after <= (self.not_before or clock.now()):
            raise ValueError("not_after: the window closes before it opens. Mend: give a later time, or leave it out.")
        return self

    def digest(self) -> str:
        """SHA-256 over the content, without the request_id: tells whether two requests ask for the same."""
        content = self.model_dump(mode="json", exclude={"request_id"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def storage_cannot_be_replaced() -> str:
    """The refusal of Databricks' hardest rule (API reference, "Update a workspace"): field and mend."""
    return (
        "use_cases: a STORAGE key can be added to a workspace, never replaced. Mend: ask for MANAGED_SERVICES alone, "
        'or for operation "rotate_material", which renews a STORAGE key inside KMS (RotateKeyOnDemand): '
        "the same ARN, no downtime."
    )


def storage_is_not_its_own() -> str:
    """The refusal of a key that would protect nothing ("Configure customer-managed keys"): field and mend."""
    return (
        "use_cases: a SERVERLESS workspace has default storage, which its MANAGED_SERVICES key protects. "
        "Mend: ask for MANAGED_SERVICES alone, or leave it out."
    )


def notebooks_need_a_new_key() -> str:
    """The refusal of a renewal that would change nothing: field and mend."""
    return (
        "renew_notebooks: notebooks are under the MANAGED_SERVICES key, which this request does not change. "
        'Mend: leave it out, or ask for "add" or "rotate" of MANAGED_SERVICES.'
    )


def parse_request(raw: Any) -> Request:
    """Read a request as it came in.

    Raises InvalidRequest: one line a fault, each naming the field and the mend.
    """
    if not isinstance(raw, dict):
        raise InvalidRequest('The request is not a JSON object. Mend: give {"workspace_id": 1234567890123456}.')
    try:
        return Request.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise InvalidRequest("\n".join(dict.fromkeys(_explain(fault) for fault in error.errors()))) from None


def _explain(fault: Any) -> str:
    """One sentence for one of pydantic's faults; the value itself is left out, it may be a secret pasted by mistake."""
    path = [str(part) for part in fault["loc"]]
    message = str(fault["msg"]).removeprefix("Value error, ")
    if "Mend:" in message:
        return message if not path or path == ["workspace"] else f"{'.'.join(path)}: {message}"
    inside = path[1:] if path[0] == "workspace" and path[1:] else []
    mend = wish.MENDS.get(inside[0]) if inside else _MENDS.get(path[0])
    if fault["type"] == "extra_forbidden" and mend:
        message = "it is not yours to give"
    elif fault["type"] == "extra_forbidden":
        known = ", ".join(sorted((NewWorkspace if inside else Request).model_fields))
        message, mend = "there is no such field", f"remove it; the fields are {known}"
    elif fault["type"] == "missing":
        message = "it is missing"
    return f"{'.'.join(path)}: {message}. Mend: {mend}."
