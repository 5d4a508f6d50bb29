"""What a Lambda is told of the keys that rekey makes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from rekey.base.errors import SettingsError
from rekey.base.key_accounts import KeyAccounts


@dataclass(frozen=True, slots=True)
class KeySettings:
    """`rotation_days` of 0: KMS does not renew the keys' material by itself."""

    managed_by: str = "rekey"
    """The stack's name, the value of the tag rekey:managed: two stacks of an account do not touch each other's keys."""
    alias_prefix: str = "rekey"
    tags: tuple[tuple[str, str], ...] = ()
    """The organisation's own, beside rekey's."""
    admins: tuple[str, ...] = ()
    """Patterns of the ARNs of the roles that may administer the keys; empty: the account's IAM decides."""
    rotation_days: int = 365
    accounts: KeyAccounts = field(default_factory=KeyAccounts)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises SettingsError that names the variable."""
        name = env.get("REKEY_NAME", "")
        if not name:
            raise SettingsError("The environment variable REKEY_NAME is missing: deploy the stack again, it sets it.")
        days = env.get("KEY_ROTATION_DAYS", "365")
        if not days.isdigit():
            raise SettingsError(f"KEY_ROTATION_DAYS is {days!r}: set it to a number of days, or 0.")
        return cls(
            managed_by=name,
            alias_prefix=env.get("KEY_ALIAS_PREFIX") or name,
            tags=_tags(env.get("KEY_TAGS", "{}")),
            admins=tuple(filter(None, env.get("KEY_ADMINS", "").split(","))),
            rotation_days=int(days),
            accounts=KeyAccounts.from_env(env),
        )


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SettingsError("KEY_TAGS is no JSON object of texts: deploy the stack again, it sets it.")
    return tuple(found.items())
