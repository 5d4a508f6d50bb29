"""Who else relies on a key: other rotations under way, and every workspace of the account that refers to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rekey.aws import policy
from rekey.aws.policy_document import Statement, meaning
from rekey.base import clock
from rekey.base.errors import NotFound
from rekey.databricks import Estate, Workspace
from rekey.model.key import wait
from rekey.model.request import UseCase
from rekey.model.rotation import Rotation
from rekey.rotation.keys import added_statements, databricks_statements
from rekey.rotation.step import Step


@dataclass(slots=True)
class Needs:
    """What others need of a key's policy, and why; `everything` where it cannot be told apart."""

    everything: str | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def add(self, statements: Iterable[Statement], why: str) -> None:
        for statement in statements:
            self.reasons.setdefault(meaning(statement), why)

    def why(self, statement: Statement) -> str | None:
        """Why a statement must stay; None where nobody needs it."""
        return self.everything or self.reasons.get(meaning(statement))


def others_under_way(step: Step, key_arn: str) -> list[Rotation]:
    """Other rotations that use the key, or leave it, and have not ended."""
    known = step.ledger.keys.find(key_arn)
    wanting = [each for each in (known.wanted_by if known else ()) if each != step.rotation.rotation_id]
    found = [step.ledger.find(each) for each in wanting]
    return [each for each in found if each and not each.ended]


def needs_of_others(step: Step, key_arn: str, others: Iterable[Rotation]) -> Needs:
    """What the account's workspaces and other rotations need of the key's policy.

    What cannot be known is taken for needed: statements too many let in nobody new, one too few loses data.
    """
    estate = Estate.read(step.account)
    known = step.ledger.keys.find(key_arn)
    if unexplained := estate.unexplained():
        return Needs(f"workspace {unexplained[0]} has a key configuration that the account does not list")
    users = estate.users(key_arn)
    left = set(known.workspaces if known else ()) - {each.workspace_id for each in users}
    if known and left and clock.now() < clock.moment(known.changed_at) + wait(step.settings.grace_seconds):
        return Needs(f"workspace {min(left)} may have left the key less than a day ago, and still reads through it")
    needs = Needs()
    for other in others:
        plan, why = other.plan, f"the rotation {other.rotation_id} is at work with it"
        if plan.old_key and plan.old_key.key_arn == key_arn:
            needs.add(databricks_statements(step.settings, ["MANAGED_SERVICES"], None), why)
        needs.add(added_statements(step.settings, other.request, plan.use_cases, plan.cross_account_role), why)
    roles: dict[str, str] = {}
    for workspace in users:
        why = f"workspace {workspace.workspace_id} uses the key"
        use_cases, volumes = _use_cases(estate, workspace, key_arn)
        role = None
        if volumes and workspace.credentials_id:
            role = _role(step, workspace.credentials_id, roles)
            if role is None:
                return Needs(f"{why}, and which role its cluster volumes use it with cannot be told")
        needs.add(databricks_statements(step.settings, use_cases, role), why)
        # A guard is nobody's need, but whoever uses the key is protected by it.
        needs.add(policy.guards(step.settings.break_glass_role_arn), why)
    return needs


def _use_cases(estate: Estate, workspace: Workspace, key_arn: str) -> tuple[list[UseCase], bool]:
    """(for what a workspace uses the key, whether its cluster volumes do)."""
    of_key: Mapping[str, bool] = {
        each.configuration_id: each.reuse_key_for_cluster_volumes for each in estate.configurations_of(key_arn)
    }
    use_cases: list[UseCase] = []
    if workspace.managed_services_key_id in of_key:
        use_cases.append("MANAGED_SERVICES")
    if workspace.storage_key_id in of_key:
        use_cases.append("STORAGE")
    return use_cases, of_key.get(workspace.storage_key_id or "", False)


def _role(step: Step, credentials_id: str, roles: dict[str, str]) -> str | None:
    if credentials_id not in roles:
        try:
            roles[credentials_id] = step.account.cross_account_role(credentials_id)
        except NotFound:
            return None
    return roles[credentials_id]
