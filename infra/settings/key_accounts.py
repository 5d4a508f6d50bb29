"""The settings of keys that are kept in other AWS accounts than the stack's."""

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from infra.settings.common import NAME, PATH, Common, WordOrObject, fits_an_environment
from infra.settings.explain import PREFIX

STACK, WORKSPACE = "stack", "workspace"
DEFAULT = "default"

MAX_BYTES = 1000

_ACCOUNT = re.compile(r"\d{12}")
_WORKSPACE_ID = re.compile(r"[1-9]\d{0,18}")

Place = str
"""STACK, WORKSPACE or an account's number."""


class KeyAccounts(Common):
    """Keys in other AWS accounts: how to set it up is in [key-accounts](key-accounts.md)."""

    key_accounts: Annotated[Place | dict[str, Place], WordOrObject] = Field(
        title="Where keys are made and kept: in the stack's account, in one central account, in each workspace's own "
        "(which its credentials configuration tells), or by workspace",
        description='stack, the 12 digits of an account, workspace, or an object such as {"1234567890123456": '
        f'"111122223333", "default": "stack"}} with at most {MAX_BYTES} bytes',
    )
    key_account_role: str = Field(
        title="The role that keeps the keys there, with its path if it has one",
        pattern=rf"^{PATH}{NAME}{{1,64}}$",
        max_length=200,
        description="the role's name, such as rekey-keys or platform/rekey-keys",
    )
    key_account_external_id: str = Field(
        title="What the role asks rekey for, so that nobody else's rekey can be made to use it; needed once "
        "`rekey:key_accounts` is not `stack`",
        pattern=r"^([\w+=,.@:/-]{2,128})?$",
        description="2 to 128 letters, digits and +=,.@:/_-, the same in every account",
    )
    key_account_organization: str = Field(
        title="Whose accounts may tell the stack's bus of refused uses where `workspace` leaves open which they are; "
        "accounts that `rekey:key_accounts` names may without it",
        pattern=r"^(o-[a-z0-9]{10,32})?$",
        description="the id of your AWS organization, o-..., or empty",
    )

    @field_validator("key_accounts")
    @classmethod
    def _are_places(cls, given: Place | dict[str, Place]) -> Place | dict[str, Place]:
        places = given if isinstance(given, dict) else {DEFAULT: given}
        if DEFAULT not in places:
            raise ValueError('it lacks "default", the place of all other workspaces')
        for name, place in places.items():
            if name != DEFAULT and not _WORKSPACE_ID.fullmatch(name):
                raise ValueError(f"{name!r} is not a workspace's id")
            if place not in (STACK, WORKSPACE) and not _ACCOUNT.fullmatch(place):
                raise ValueError(f"{place!r} is neither stack nor workspace nor the 12 digits of an account")
        fits_an_environment(given, MAX_BYTES)
        return given

    @model_validator(mode="after")
    def _with_an_external_id(self) -> "KeyAccounts":
        if self.keys_elsewhere and not self.key_account_external_id:
            raise ValueError(
                f"{PREFIX}key_account_external_id: it is empty, and {PREFIX}key_accounts is not stack; give 2 to 128 "
                "letters, digits and +=,.@:/_-"
            )
        return self

    @property
    def key_places(self) -> set[Place]:
        """Every place of keys."""
        given = self.key_accounts
        return set(given.values()) if isinstance(given, dict) else {given}

    @property
    def keys_elsewhere(self) -> bool:
        """Whether any key is in another account than the stack's."""
        return self.key_places != {STACK}

    @property
    def named_key_accounts(self) -> list[str]:
        """The accounts that the setting names."""
        return sorted(self.key_places - {STACK, WORKSPACE})
