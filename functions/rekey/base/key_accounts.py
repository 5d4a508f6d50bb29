"""In which AWS accounts keys are made and kept, and the role that does it there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from rekey.base.errors import SettingsError

STACK, WORKSPACE = "stack", "workspace"
"""Places: the account that rekey runs in, and that of each workspace. Any other is an account's number."""

ANY = "*"
"""Of accounts that a role is reached in: whichever a workspace is in."""


@dataclass(frozen=True, slots=True)
class KeyAccounts:
    """What a Lambda is told of them; without anything all keys are in the stack's own account."""

    own: str = ""
    """The stack's account."""
    default: str = STACK
    """The place of the keys of a workspace that is not named in `places`."""
    places: tuple[tuple[str, str], ...] = ()
    """(workspace id, place)."""
    reached: tuple[str, ...] = ()
    """Accounts that have the role, or ANY."""
    role: str = ""
    """The role's ARN, with {account} in it."""
    external_id: str = ""
    session_policy: str = ""
    """What a session of the role may do for this Lambda, with {account} in it."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises SettingsError that names the variable."""
        given = env.get("KEY_ACCOUNTS", STACK)
        places = _places(given) if given.startswith("{") else {"default": given}
        return cls(
            own=env.get("STACK_ACCOUNT", ""),
            default=places.pop("default", STACK),
            places=tuple(places.items()),
            reached=tuple(filter(None, env.get("KEY_ROLE_ACCOUNTS", "").split(","))),
            role=env.get("KEY_ROLE", ""),
            external_id=env.get("KEY_EXTERNAL_ID", ""),
            session_policy=env.get("KEY_SESSION_POLICY", ""),
        )

    def place_of(self, workspace_id: int | None) -> str:
        """STACK, WORKSPACE or the number of the account where the workspace's keys are made."""
        return dict(self.places).get(str(workspace_id), self.default)

    def has_role(self, account: str) -> bool:
        """Whether the keys of an account are reached through the role there."""
        return bool(self.role) and account not in ("", self.own) and bool({account, ANY} & set(self.reached))

    def role_in(self, account: str) -> str:
        """The role's ARN in an account."""
        return self.role.replace("{account}", account)

    def session_in(self, account: str) -> str:
        """The session policy for an account."""
        return self.session_policy.replace("{account}", account)


def _places(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(place, str) for place in found.values()):
        raise SettingsError("KEY_ACCOUNTS is no JSON object of texts: deploy the stack again, it sets it.")
    return found
