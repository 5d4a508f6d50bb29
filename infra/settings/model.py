"""All settings of one deployment, in the groups of docs/settings.md."""

from collections.abc import Mapping

from pydantic import ValidationError

from infra.settings.common import Common
from infra.settings.explain import PREFIX, SettingsError, explained
from infra.settings.guard_rails import GuardRails
from infra.settings.key_accounts import KeyAccounts
from infra.settings.keys import Keys
from infra.settings.login import Login
from infra.settings.network import Network
from infra.settings.operation import Operation, Times
from infra.settings.policy import Policy

GROUPS: tuple[type[Common], ...] = (Common, Login, Keys, Policy, KeyAccounts, Network, GuardRails, Times, Operation)

CDKS_OWN = {
    "@aws-cdk/core:bootstrapQualifier": "bootstrap_qualifier",
    "@aws-cdk/core:permissionsBoundary": "permissions_boundary",
}
"""Context of CDK's own that says what a setting says. Of a boundary CDK heeds only an object with name or arn."""


class Settings(Login, Keys, Policy, KeyAccounts, Network, GuardRails, Times, Operation):
    """One deployment's settings. Each is the CDK context value `rekey:<name>`; cdk.json holds every default.

    Durations are in the unit their name ends with. An empty string means "not given".
    """

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> "Settings":
        """Read a CDK context's `rekey:` keys. Raises SettingsError naming every wrong one and its fix."""
        values = {key.removeprefix(PREFIX): value for key, value in context.items() if key.startswith(PREFIX)}
        try:
            settings = cls.model_validate(values)
        except ValidationError as invalid:
            raise explained(cls.model_fields, invalid) from None
        settings._check_against_cdks_own(context)
        return settings

    def _check_against_cdks_own(self, context: Mapping[str, object]) -> None:
        for key, name in CDKS_OWN.items():
            given = context.get(key)
            said = given.get("name", given.get("arn")) if isinstance(given, Mapping) else given
            if said and said != getattr(self, name):
                raise SettingsError(
                    f"rekey's settings are wrong:\n  {key} is {given!r}, which rekey does not read; "
                    f"give {PREFIX}{name}={said}, or take it out of the context"
                )
