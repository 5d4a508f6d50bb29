"""The estate: all workspaces and key configurations of a Databricks account, read once. Who uses which key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from rekey.databricks.account import Account, KeyConfiguration, Workspace


@dataclass(frozen=True, slots=True)
class Estate:
    """What the account listed at one moment."""

    workspaces: Sequence[Workspace]
    configurations: Sequence[KeyConfiguration]

    @classmethod
    def read(cls, account: Account) -> Self:
        """Workspaces first: a configuration that one of them names was registered before, so it must be listed then."""
        workspaces = account.list_workspaces()
        return cls(workspaces, account.list_configurations())

    def configuration(self, configuration_id: str | None) -> KeyConfiguration | None:
        """The configuration of that id; None where the account lists none."""
        return next((each for each in self.configurations if each.configuration_id == configuration_id), None)

    def configurations_of(self, key_arn: str) -> list[KeyConfiguration]:
        return [each for each in self.configurations if each.key_arn == key_arn]

    def referring_to(self, configuration_id: str) -> list[Workspace]:
        """Workspaces that name the configuration, in either field."""
        return [each for each in self.workspaces if each.refers_to(configuration_id)]

    def users(self, key_arn: str) -> list[Workspace]:
        """Workspaces that refer to the key, through either field and any configuration."""
        pointing = [each.configuration_id for each in self.configurations_of(key_arn)]
        return [each for each in self.workspaces if any(map(each.refers_to, pointing))]

    def sharers(self, key_arn: str, workspace: Workspace) -> list[Workspace]:
        """The other workspaces that refer to the key."""
        return [each for each in self.users(key_arn) if each.workspace_id != workspace.workspace_id]

    def unexplained(self) -> list[int]:
        """Workspaces with a configuration that the account does not list: which key it is cannot be known."""
        listed = {each.configuration_id for each in self.configurations} | {None}
        return [
            each.workspace_id
            for each in self.workspaces
            if not {each.managed_services_key_id, each.storage_key_id} <= listed
        ]

    def is_free(self, key_arn: str) -> bool:
        """Whether no workspace can be on the key, not even through a configuration that the account does not list."""
        return not self.users(key_arn) and not self.unexplained()

    def serves_storage(self, key_arn: str) -> bool:
        """Whether the key is registered for STORAGE, or any workspace's storage field leads to it."""
        pointing = self.configurations_of(key_arn)
        return any("STORAGE" in each.use_cases for each in pointing) or any(
            workspace.storage_key_id == each.configuration_id for workspace in self.workspaces for each in pointing
        )
