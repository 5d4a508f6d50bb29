"""What the Lambdas that look after keys answer."""

from collections.abc import Mapping

from rekey.model.answers import Answer
from rekey.model.key import State


class Swept(Answer):
    """Disable old key: what one sweep did. Keys go by their ARN."""

    looked_at: int
    disabled: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    needed: Mapping[str, str] = {}
    """Why, of keys that something needs and nobody can use."""
    kept: Mapping[str, str] = {}
    """Why."""
    failed: Mapping[str, str] = {}
    """The error, of keys that could not be looked at."""
    looked_after: tuple[str, ...] = ()
    """Keys that stay whose tag or automatic rotation was put right."""


class Reenabled(Answer):
    """Reenable key: what was done, by the ARN of each key that the refused call named."""

    keys: Mapping[str, str]


class Adopted(Answer):
    """Adopt key. `adopted` is False where nothing was written."""

    key_arn: str
    state: State
    why: str
    adopted: bool


class KeyRow(Answer):
    """One key of the list. Times are ISO 8601 in UTC."""

    key_arn: str
    state: State
    why: str
    kms_state: str | None
    """KMS' own word, or the code of the error with which it did not show the key."""
    kind: str | None
    """Where its material comes from, and whether it is one of several regions; None where KMS does not show the key."""
    age_days: int | None
    """Of the present material; None where KMS does not show the key."""
    referenced_by: tuple[int, ...]
    used_by: tuple[str, ...]
    """Names of the same workspaces."""
    workspaces: tuple[int, ...] = ()
    """Workspaces that have used it, as far as rekey's rotations tell."""
    configuration_ids: tuple[str, ...] = ()
    """Key configurations that point to it."""
    wanted_by: tuple[str, ...]
    rotates_every_days: int | None
    """0 where KMS does not renew the material by itself; None where KMS does not show the key."""
    last_use: str | None
    goes_at: str | None
    disabled_at: str | None
    watched_until: str | None
    usd_month: int | None
    """List price of keeping the key for a month; None where KMS does not show it."""
    may_be_deleted: bool


class KeyList(Answer):
    """List keys. rekey itself never deletes one."""

    keys: tuple[KeyRow, ...]
    usd_month: int
    keys_may_be_deleted: tuple[str, ...]
