"""The request: what a person, a ticket or an event asks for. Flat, so that it can be typed into the console."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from rekey.base import clock
from rekey.base.errors import InvalidRequest
from rekey.model.fleet_part import PartOfFleet
from rekey.model.refusal import Refusal, carried, joined
from rekey.model.request_fields import FIELDS, described
from rekey.model.wish import NewWorkspace

UseCase = Literal["MANAGED_SERVICES", "STORAGE"]
Operation = Literal["add", "rotate", "rotate_material", "create_workspace", "revoke", "restore"]
ACCESS: frozenset[Operation] = frozenset({"revoke", "restore"})
"""Operations that take away, or give back, Databricks' access to all of a workspace's keys."""
IN_PLACE: frozenset[Operation] = ACCESS | {"rotate_material"}
"""Operations that leave the workspace's configurations and its compute as they are."""
DRAIN_MINUTES = 60
"""How long job runs are waited for when the request says drain and no more."""

MOST_PATHS = 20
WorkspacePath = Annotated[str, Field(pattern=r"^/$|^(/[^/]+)+$", max_length=1000)]
"""Absolute, without a slash at its end."""

LATEST_WINDOW = timedelta(days=14)

KEY_ARN = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"

STORAGE_NEVER_REPLACED = Refusal(
    "use_cases",
    "a STORAGE key can be added to a workspace, never replaced",
    'ask for MANAGED_SERVICES alone, or for operation "rotate_material", which renews a STORAGE key inside KMS '
    "(RotateKeyOnDemand): the same ARN, no downtime",
)
"""Databricks' hardest rule (API reference, "Update a workspace")."""

STORAGE_NOT_ITS_OWN = Refusal(
    "use_cases",
    "a SERVERLESS workspace has default storage, which its MANAGED_SERVICES key protects",
    "ask for MANAGED_SERVICES alone, or leave it out",
)
"""A STORAGE key would protect nothing there ("Configure customer-managed keys")."""

NOTEBOOKS_NEED_A_NEW_KEY = Refusal(
    "renew_notebooks",
    "notebooks are under the MANAGED_SERVICES key, which this request does not change",
    'leave it out, or ask for "add" or "rotate" of MANAGED_SERVICES',
)


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
    """Whether your own key gets the guard that keys made by rekey carry."""
    yearly_rotation: bool = False
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    approval: bool = False
    alone: bool = False
    """Break-glass: revoke or restore without a second person's approval."""
    shared_with: (
        Annotated[tuple[Annotated[int, Field(gt=0, lt=2**63)], ...], Field(min_length=1, max_length=100)] | None
    ) = None
    """Workspaces that share the keys, and that whoever asks knows to lose their access too, or to get it back."""
    old_key: Literal["disable", "retain"] = "disable"
    jobs: Literal["interrupt", "drain"] = "interrupt"
    drain_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    renew_notebooks: Annotated[tuple[WorkspacePath, ...], Field(min_length=1, max_length=MOST_PATHS)] | None = None
    dry_run: bool = False
    reason: Annotated[str, Field(max_length=500)] | None = None
    requested_by: Annotated[str, Field(max_length=200)] | None = None
    ticket: Ticket | None = None
    fleet: PartOfFleet | None = None

    @field_validator("workspace_id")
    @classmethod
    def _given_or_to_be_made(cls, workspace_id: int | None, info: ValidationInfo) -> int | None:
        creates = info.data.get("operation") == "create_workspace"
        if workspace_id is None and not creates:
            raise _missing("workspace_id").as_fault()
        if workspace_id is not None and creates:
            raise Refusal("workspace_id", "Databricks gives a new workspace its number", "leave it out").as_fault()
        return workspace_id

    @field_validator("use_cases", "renew_notebooks", "shared_with")
    @classmethod
    def _each_once(cls, names: tuple[Any, ...] | None, info: ValidationInfo) -> tuple[Any, ...] | None:
        if names is not None and len(set(names)) != len(names):
            field = info.field_name or ""
            what = {"use_cases": "use case", "renew_notebooks": "path"}.get(field, "workspace")
            raise Refusal(field, f"a {what} is named twice", FIELDS[field].fix).as_fault()
        return names

    def digest(self) -> str:
        """SHA-256 over the content, without the request_id: tells whether two requests ask for the same."""
        # Without what was not there in earlier versions: their digests are in the ledger.
        content = self.model_dump(mode="json", exclude={"request_id", *(() if self.fleet else ("fleet",))})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def contradictions(request: Request, now: datetime) -> Iterator[Refusal]:
    """What the fields, each right by itself, cannot mean together, or not at this moment.

    No part of the model, which must read back what it let through once: also after its window has closed.
    """
    creates = request.operation == "create_workspace"
    use_cases = request.use_cases or ()
    given = "key_arn" if request.key_arn else "key_configuration_id" if request.key_configuration_id else None
    if request.operation == "rotate" and "STORAGE" in use_cases:
        yield STORAGE_NEVER_REPLACED
    if request.key_arn and request.key_configuration_id:
        problem = "a configuration already names its key"
        yield Refusal("key_configuration_id", problem, "give it or key_arn, not both")
    if request.operation == "rotate_material" and given:
        yield Refusal(given, "rotate_material renews the key the workspace has", "leave it out")
    if creates and request.workspace is None:
        yield _missing("workspace")
    if request.workspace and not creates:
        yield Refusal("workspace", 'it goes with operation "create_workspace"', FIELDS["workspace"].fix)
    if request.workspace and request.workspace.serverless and "STORAGE" in use_cases:
        yield STORAGE_NOT_ITS_OWN
    if request.drain_minutes and request.jobs != "drain":
        yield Refusal("drain_minutes", 'it goes with jobs "drain"', 'leave it out, or give jobs "drain"')
    if request.guard_key and not given:
        problem = "it goes with key_arn or key_configuration_id; a key that rekey makes has the guard anyway"
        yield Refusal("guard_key", problem, "leave it out")
    if request.yearly_rotation and request.operation != "rotate_material":
        yield Refusal("yearly_rotation", "it goes with rotate_material", 'leave it out, or ask for "rotate_material"')
    if request.renew_notebooks and creates:
        yield Refusal("renew_notebooks", "a new workspace has no notebooks yet", "leave it out")
    yield from _of_access(request)
    changes_none = request.operation in IN_PLACE or (use_cases and "MANAGED_SERVICES" not in use_cases)
    if request.renew_notebooks and changes_none and not creates:
        yield NOTEBOOKS_NEED_A_NEW_KEY
    if request.not_before and request.not_before > now + LATEST_WINDOW:
        yield Refusal("not_before", "the window opens in more than 14 days", "ask nearer to the day")
    if request.not_after and request.not_after <= (request.not_before or now):
        problem = "the window closes before it opens"
        yield Refusal("not_after", problem, "give a later time, or leave it out")


def _of_access(request: Request) -> Iterator[Refusal]:
    """What goes with revoke and restore alone, and what does not go with them."""
    if request.operation not in ACCESS:
        if request.alone:
            yield Refusal("alone", 'it goes with "revoke" and "restore"', "leave it out")
        if request.shared_with:
            yield Refusal("shared_with", 'it goes with "revoke" and "restore"', "leave it out")
        return
    for field in ("use_cases", "key_arn", "key_configuration_id"):
        if getattr(request, field):
            yield Refusal(field, f"{request.operation} is about all keys that the workspace has", "leave it out")
    if not (request.requested_by or request.dry_run):
        yield Refusal("requested_by", "it is missing, and somebody else must approve", "say who asks")
    if request.alone and request.ticket:
        yield Refusal("alone", "a ticket's request waits for its approval", "leave it out")
    if request.alone and request.approval:
        yield Refusal("alone", "it says that nobody approves, and approval that somebody does", "give one of them")
    if request.alone and not request.reason:
        yield Refusal("reason", "nobody approves this, so the evidence must say why it was done", "give the reason")


def parse_request(raw: Any) -> Request:
    """Read a request as it came in.

    Raises InvalidRequest: one line a fault, each naming the field and the fix.
    """
    if not isinstance(raw, dict):
        refusal = Refusal("", "The request is not a JSON object", 'give {"workspace_id": 1234567890123456}')
        raise InvalidRequest(str(refusal))
    if refusals := list(_unreadable(raw)):
        raise InvalidRequest(joined(refusals))
    try:
        request = Request.model_validate_json(json.dumps(raw))
    except ValidationError as error:
        raise InvalidRequest(joined(dict.fromkeys(_explain(fault) for fault in error.errors()))) from None
    if refusals := list(contradictions(request, clock.now())):
        raise InvalidRequest(joined(refusals))
    return request


def _unreadable(raw: dict[str, Any]) -> Iterator[Refusal]:
    """Fields with what Python reads and JSON has no text for: half of a surrogate pair."""
    for name, value in raw.items():
        try:
            json.dumps([name, value], ensure_ascii=False).encode()
        except UnicodeEncodeError:
            field = name.encode(errors="replace").decode()
            yield Refusal(field, "it holds half of a character (a lone surrogate)", "take the odd character out")


def _explain(fault: Any) -> Refusal:
    """One of pydantic's faults; the value itself is left out, it may be a secret pasted by mistake."""
    if refusal := carried(fault):
        return refusal
    path = [str(part) or '""' for part in fault["loc"]]
    if not path:
        # Python reads what JSON has no text for, such as half of a surrogate pair.
        return Refusal("", f"The request cannot be read: {fault['msg']}", "take the odd character out")
    field, known = ".".join(path), described(path)
    if fault["type"] == "extra_forbidden" and known:
        return Refusal(field, "it is not yours to give", known.fix)
    if fault["type"] == "extra_forbidden" or known is None:
        model = NewWorkspace if path[0] == "workspace" and path[1:] else Request
        return Refusal(
            field, "there is no such field", f"remove it; the fields are {', '.join(sorted(model.model_fields))}"
        )
    if fault["type"] == "missing":
        return Refusal(field, "it is missing", known.fix)
    return Refusal(field, _problem(fault), known.fix)


_PROBLEMS: Mapping[str, str] = {
    "int_": "it is no whole number",
    "bool_": "it is neither true nor false",
    "string_type": "it is no text",
    "string_too_short": "it is empty, or too short",
    "string_too_long": "it is too long",
    "string_pattern": "it does not have the form that it must have",
    "tuple_type": "it is no list",
    "too_short": "it is empty, or too short",
    "too_long": "it has too many items",
    "model_": "it is no JSON object",
    "dict_": "it is no JSON object",
    "date": "it is no ISO 8601 time with an offset",
    "timezone_": "it is no ISO 8601 time with an offset",
    "greater_than": "it is too small",
    "less_than": "it is too large",
}
"""By how pydantic's name of the fault begins: its own sentences are for programmers."""


def _problem(fault: Any) -> str:
    kind = str(fault["type"])
    if kind == "literal_error":
        return f"it must be {fault['ctx']['expected']}"
    return next((words for begins, words in _PROBLEMS.items() if kind.startswith(begins)), "it is not what it must be")


def _missing(field: str) -> Refusal:
    return Refusal(field, "it is missing", FIELDS[field].fix)
