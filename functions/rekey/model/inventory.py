"""The inventory: which keys every workspace of the Databricks account has, how old their material is, what complies."""

from collections.abc import Mapping
from enum import StrEnum

from rekey.model.answers import Answer
from rekey.model.request import UseCase

SCHEMA = "rekey.inventory/1"

FOLDER = "inventory/"
"""In the evidence bucket; infra/permissions.py lets one Lambda write there."""

LATEST, PAGE = f"{FOLDER}latest.json", f"{FOLDER}estate.html"


class Reason(StrEnum):
    """Why a use case of a workspace does not comply."""

    NO_KEY = "no_key"
    TOO_OLD = "too_old"
    POLICY_WIDER = "policy_wider_than_documented"
    ROTATION_OFF = "automatic_rotation_off"
    UNKNOWN = "unknown_to_rekey"
    REVOKED = "access_revoked"
    DRIFTED = "drifted"
    DISABLED = "key_disabled"
    DELETION = "waiting_for_deletion"
    UNREADABLE = "cannot_be_read"


MEANINGS: Mapping[Reason, str] = {
    Reason.DELETION: "key waits for deletion",
    Reason.REVOKED: "access revoked",
    Reason.DISABLED: "key disabled",
    Reason.UNREADABLE: "cannot be read",
    Reason.NO_KEY: "no key",
    Reason.DRIFTED: "drifted",
    Reason.TOO_OLD: "key too old",
    Reason.POLICY_WIDER: "policy wider than documented",
    Reason.ROTATION_OFF: "automatic rotation off",
    Reason.UNKNOWN: "unknown to rekey",
}
"""As people read them, the worst first."""


class Why(Answer):
    """One reason, and what it is about with its fix."""

    reason: Reason
    text: str


class KeyUse(Answer):
    """One use case of one workspace. Times are ISO 8601 in UTC; None is what there is not, or what could not be
    read."""

    use_case: UseCase
    configuration_id: str | None = None
    key_arn: str | None = None
    region: str | None = None
    account: str | None = None
    """The AWS account in which the key lives."""
    kms_state: str | None = None
    origin: str | None = None
    """AWS_KMS, EXTERNAL (imported material), AWS_CLOUDHSM or EXTERNAL_KEY_STORE."""
    material_since: str | None = None
    """The newest of the key's creation and of its automatic and on-demand rotations."""
    age_days: int | None = None
    """Of the material."""
    rotates_every_days: int | None = None
    """0 where KMS does not renew the material by itself; None also of keys for which it never does."""
    renews_at: str | None = None
    """When KMS renews the material by itself next."""
    max_age_days: int | None = None
    """What the policy allows; None where it does not ask for a key."""
    due_at: str | None = None
    """When the material becomes too old."""
    shared_with: tuple[str, ...] = ()
    """Names of the other workspaces on the same key."""
    whys: tuple[Why, ...] = ()
    """Why it does not comply; nothing where it does."""

    @property
    def renews_in_time(self) -> bool:
        """Whether KMS renews the material by itself before it is due."""
        return bool(self.renews_at and self.due_at and self.renews_at[:10] <= self.due_at[:10])


class WorkspaceKeys(Answer):
    """One workspace."""

    workspace_id: int
    """0 where Databricks leaves it out."""
    name: str
    region: str
    status: str
    keys: tuple[KeyUse, ...]
    """One for each use case that it can have a key for."""
    rotation_id: str | None = None
    """Its last rotation that succeeded, which has evidence."""
    compliant: bool


class Counts(Answer):
    """What the inventory comes to."""

    workspaces: int
    compliant: int
    keys: int
    """Different keys that workspaces use."""
    keys_past_policy: int
    """Of these, whose material is too old."""
    reasons: Mapping[Reason, int]
    """How many workspaces have each reason; one may have several."""


class Inventory(Answer):
    """The estate at one moment. Written to the evidence bucket as JSON and as a page."""

    version: str = SCHEMA
    taken_at: str
    databricks_account_id: str
    max_age_days: Mapping[UseCase, int]
    counts: Counts
    workspaces: tuple[WorkspaceKeys, ...]


class Taken(Answer):
    """What the Lambda answers: the inventory itself is in the bucket, for it may be larger than an answer may be."""

    counts: Counts
    written: tuple[str, ...]
    """Names of the objects in the evidence bucket."""


def day_key(taken_at: str) -> str:
    """inventory/2026-11-27.json"""
    return f"{FOLDER}{taken_at[:10]}.json"
