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
    max_age_days: tuple[tuple[str, int], ...] = (("MANAGED_SERVICES", 365), ("STORAGE", 365))
    """How old material may be, by use case. One that is not named needs no key."""
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
            max_age_days=_ages(env.get("MAX_KEY_AGE_DAYS", "MANAGED_SERVICES=365,STORAGE=365")),
            accounts=KeyAccounts.from_env(env),
        )


def _ages(text: str) -> tuple[tuple[str, int], ...]:
    pairs = [each.partition("=") for each in text.split(",") if each]
    if not all(name and days.isdigit() for name, _, days in pairs):
        raise SettingsError(f"MAX_KEY_AGE_DAYS is {text!r}: deploy the stack again, it sets USE_CASE=DAYS,...")
    return tuple((name, int(days)) for name, _, days in pairs)


def _tags(text: str) -> tuple[tuple[str, str], ...]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SettingsError("KEY_TAGS is no JSON object of texts: deploy the stack again, it sets it.")
    return tuple(found.items())
