"""Drift: what somebody changed behind rekey's back. What was proven last of a workspace or a key, and what differs."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from rekey.model.answers import Answer
from rekey.model.rotation import Rotation
from rekey.model.use_cases import USE_CASES


class What(StrEnum):
    """What is compared. Of a workspace the first two and the last, of a key the others."""

    MANAGED_SERVICES = "managed_services_key_configuration"
    STORAGE = "storage_key_configuration"
    POLICY = "key_policy"
    ROTATION = "automatic_rotation"
    TAG = "managed_tag"
    NO_KEY = "workspace_without_key"


FIELDS: Mapping[str, What] = {"MANAGED_SERVICES": What.MANAGED_SERVICES, "STORAGE": What.STORAGE}
"""By use case."""

MEANINGS: Mapping[What, str] = {
    What.MANAGED_SERVICES: "somebody changed the workspace's MANAGED_SERVICES key configuration",
    What.STORAGE: "somebody changed the workspace's STORAGE key configuration",
    What.POLICY: "somebody changed what the key's policy lets Databricks do",
    What.ROTATION: "somebody switched the key's automatic rotation off",
    What.TAG: "somebody took the tag away by which rekey may change the key",
    What.NO_KEY: "somebody added the workspace without a key",
}

FIXES: Mapping[What, str] = {
    What.MANAGED_SERVICES: "put the configuration back, or rekey rotate; then rekey terraform",
    What.STORAGE: "put the configuration back; then rekey terraform",
    What.POLICY: "put Databricks' statements back as they were",
    What.ROTATION: "aws kms enable-key-rotation",
    What.TAG: "put the tag rekey:managed back with the stack's name",
    What.NO_KEY: "rekey add",
}

ON, OFF, NONE = "on", "off", ""
"""Automatic rotation, and what is not there."""

Facts = Mapping[What, str]
"""What was seen; what could not be read is left out. A configuration's id; the statements of a policy that concern
Databricks, as JSON; on or off; the tag's value. Empty where there is none."""


class Proof(BaseModel):
    """What was proven last of a workspace or a key. One item each in the ledger."""

    model_config = ConfigDict(frozen=True)

    subject: str
    """The workspace's id, or the key's ARN."""
    of: str
    """Who proved it: a rotation, or what the ledger knew of the key; with another one it is no proof any more."""
    at: str
    facts: dict[What, str] = {}


class Drift(BaseModel):
    """One change that somebody made: in the ledger once, with an audit trail of its own."""

    model_config = ConfigDict(frozen=True)

    subject: str
    what: What
    workspace_id: int | None = None
    """None of a key that several workspaces use."""
    workspaces: tuple[str, ...] = ()
    """Names of those that it is about."""
    key_arn: str | None = None
    before: str
    after: str
    since: str
    """When it was found."""
    repaired: str | None = None
    """What rekey did about it by itself."""
    closed_at: str | None = None
    closed: str | None = None
    """Why it is over."""
    version: int = 0
    """Length of its audit trail."""
    audit_head: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def text(self) -> str:
        return f"{MEANINGS[self.what]} ({self.since[:16]}Z). Fix: {FIXES[self.what]}"


class DriftFound(Answer):
    """Find drift: what one run saw. Drifts go by what drifted and the workspace's id or the key's ARN."""

    workspaces: int
    keys: int
    told: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    open: int = 0
    unknown: Mapping[str, str] = {}
    """The first ten that could not be looked at, each with why: that is no drift."""
    left: int = 0
    """How many the next run begins with, because this one's time was over."""


def differs(proven: str | None, now: str | None) -> bool:
    """Whether something that was proven is not so any more. What was not there before may come; unknown is no drift."""
    return proven not in (None, NONE, OFF) and now is not None and now != proven


def proof_after(rotation: Rotation, at: str) -> Proof | None:
    """What an ended rotation leaves proven of its workspace: of what nobody looked at, nothing."""
    if rotation.workspace_id is None:
        return None
    fields: dict[str, str | None] = {each: rotation.plan.before.get(each) for each in USE_CASES}
    if rotation.status == "succeeded":
        if rotation.configuration_id:
            fields |= dict.fromkeys(rotation.plan.use_cases, rotation.configuration_id)
    elif rotation.seen is not None:
        fields = rotation.seen.fields()
    if rotation.lets_be("keys") or (
        rotation.status != "succeeded" and rotation.may_have_switched and not rotation.seen
    ):
        fields = {}
    facts = {FIELDS[each]: fields[each] or NONE for each in FIELDS if each in fields}
    return Proof(subject=str(rotation.workspace_id), of=rotation.rotation_id, at=at, facts=facts)
