"""What rules and plan decide on: a request, what it means, and as much of the world as that needs. Plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rekey.aws.forwarders import Forwarder
from rekey.aws.kms_key import KeyFacts
from rekey.aws.policy_document import Statement
from rekey.base.arns import account_of
from rekey.base.key_accounts import KeyAccounts
from rekey.databricks import Estate, KeyConfiguration, Workspace
from rekey.model.key import Key
from rekey.model.refusal import Refusal
from rekey.model.request import Request
from rekey.planning.intent import Intent
from rekey.rotation.compute.world import Compute


@dataclass(frozen=True, slots=True)
class Inside:
    """What only the workspace itself can tell."""

    admin: bool = True
    """Whether the service principal is its admin; else lists of compute are not complete, and none was read."""
    compute: Compute = field(default_factory=Compute)
    """Classic compute that runs now."""
    missing_paths: Sequence[str] = ()
    """Those of the request's renew_notebooks that it does not have."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the rotation would use and rekey does not make."""

    configuration: KeyConfiguration | None = None
    """The registered configuration that the request names, where the account lists it."""
    keys: Sequence[KeyFacts] = ()
    """Your own key, or the configured one, or those whose material is renewed."""
    wanted: Sequence[Statement] = ()
    """What the key's policy must let Databricks do."""


@dataclass(frozen=True, slots=True)
class Wished:
    """What the account says to a wish for a workspace."""

    absent: Sequence[str] = ()
    """Fields that name what the account does not have."""
    network_user: int | None = None
    """The workspace that uses the network already."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The world, as far as the intent needs it."""

    estate: Estate
    own_account: str
    """The AWS account that rekey runs in."""
    stack: str
    """The stack's name, which keys that it may change carry in their tag."""
    inside: Inside | None = None
    """None where the workspace cannot be asked: it is not there yet, does not run, or is where no key can be."""
    given: Given = field(default_factory=Given)
    cross_account_role: str | None = None
    """Role that starts EC2 instances; looked up only where cluster volumes will use the key."""
    wished: Wished | None = None
    """None for a workspace that is there."""
    accounts: KeyAccounts = field(default_factory=KeyAccounts)
    key_account: str | None = ""
    """The AWS account in which a new key would be made; None where nobody can tell."""
    roles_refused: Sequence[Refusal] = ()
    """Of the accounts whose keys the rotation would change."""
    forwarder: Forwarder = "there"
    """Whether the stack would hear of refused uses of a new key."""
    known: Sequence[Key] = ()
    """What the ledger knows of the workspace's keys; where their access is changed, of those too that it has left."""
    access_roles: Sequence[str] = ()
    """Roles that start EC2 instances in the workspaces whose access is changed."""

    def reaches(self, key_arn: str) -> bool:
        """Whether rekey has a way into the key's account."""
        account = account_of(key_arn)
        return account == self.own_account or self.accounts.has_role(account)


@dataclass(frozen=True, slots=True)
class Case:
    """All that is to be known to decide about one request."""

    request: Request
    workspace: Workspace
    """As it is, or as it is wished for."""
    intent: Intent
    facts: Facts

    @property
    def compute(self) -> Compute:
        return self.facts.inside.compute if self.facts.inside else Compute()

    @property
    def makes_key(self) -> bool:
        """Whether the rotation would make a key: none is given, and none is renewed."""
        request = self.request
        in_place = self.intent.renews or self.intent.changes_access
        return not (request.key_arn or request.key_configuration_id or in_place)

    @property
    def reuses(self) -> bool:
        """Whether cluster volumes use a STORAGE key: a registered configuration has decided that already."""
        return (self.facts.given.configuration or self.request).reuse_key_for_cluster_volumes

    @property
    def volumes(self) -> bool:
        """Whether cluster volumes will use the key, for which its policy must name the cross-account role."""
        return self.intent.gives_storage and self.reuses


@dataclass(frozen=True, slots=True)
class KeyCase:
    """One key that rekey did not make, and what it is to serve for."""

    field: str
    """The field of the request that is to blame for it."""
    key: KeyFacts
    region: str
    """The workspace's."""
    stack: str
    wanted: Sequence[Statement] = ()
    yearly: bool = False
    """Whether KMS shall renew its material every year from now on."""
