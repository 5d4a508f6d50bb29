"""What revoke and restore are about: the keys that a workspace's data is read through, and who shares them."""

from collections.abc import Iterator, Sequence

from rekey.aws.kms_key import KeyFacts
from rekey.aws.tags import BROUGHT, MANAGED
from rekey.base.errors import NotFound
from rekey.databricks import Account, Estate, Workspace
from rekey.ledger import Ledger
from rekey.model.key import Key
from rekey.model.request import Request
from rekey.planning.case import Case
from rekey.planning.intent import Intent

STAYS = ("made", "gone", "revoked")
"""States of keys that a workspace has left and that nothing is to be taken from."""


def known_keys(ledger: Ledger, intent: Intent, workspace: Workspace, estate: Estate) -> list[Key]:
    """What the ledger knows of the workspace's keys; those too that it has left, where their access is changed."""
    if intent.creates:
        return []
    used = _used(workspace, estate)
    found = [key for key_arn in used if (key := ledger.keys.find(key_arn))]
    if not intent.changes_access:
        return found
    left = [key for key in ledger.keys.all() if key.key_arn not in used and _concerns(key, workspace.workspace_id)]
    # The index that named a key may lag.
    return [*found, *(fresh for key in left if (fresh := ledger.keys.find(key.key_arn)))]


def keys_of(request: Request, intent: Intent, workspace: Workspace, estate: Estate, known: Sequence[Key]) -> list[str]:
    """ARNs of the keys whose access is changed.

    Revoke: those that the workspace uses, and those that it has left and nobody else has ever used, since what was
    written before a switch is read through the old key for a day. Restore: those whose access was revoked with its own.
    """
    if intent.nothing_left:
        return []
    if intent.operation == "restore":
        return [key.key_arn for key in known if revoked_for(key, workspace.workspace_id)]
    named = {workspace.workspace_id, *(request.shared_with or ())}
    left = [
        key.key_arn
        for key in known
        if _may_be_read_through(key) and set(key.workspaces) <= named and estate.is_free(key.key_arn)
    ]
    return list(dict.fromkeys([*_used(workspace, estate), *left]))


def writable(found: Sequence[KeyFacts], workspace: Workspace, estate: Estate, stack: str) -> list[KeyFacts]:
    """Less the keys that the workspace has left and whose owner does not let rekey write: nothing waits for those."""
    used = _used(workspace, estate)
    return [each for each in found if each.arn in used or each.tagged(MANAGED, stack) or each.tagged(BROUGHT)]


def revoked_for(key: Key, workspace_id: int) -> bool:
    """Whether the access to a key was taken away together with a workspace's."""
    return key.revoked is not None and workspace_id in key.revoked.workspaces


def roles(account: Account, estate: Estate, workspace: Workspace, key_arns: Sequence[str]) -> tuple[str, ...]:
    """Cross-account roles of all workspaces that use the keys; one that is not registered any more is nobody's."""
    users = [workspace, *(user for key_arn in key_arns for user in estate.sharers(key_arn, workspace))]
    found = [_role(account, each) for each in dict.fromkeys(user.credentials_id for user in users) if each]
    return tuple(dict.fromkeys(role for role in found if role))


def sharers(case: Case) -> list[Workspace]:
    """The other workspaces that use a key whose access is changed, each once."""
    found = [each for key in case.facts.given.keys for each in case.facts.estate.sharers(key.arn, case.workspace)]
    return sorted({each.workspace_id: each for each in found}.values(), key=lambda each: each.workspace_id)


def stops_working(case: Case) -> Iterator[str]:
    """What does not work without the access, for who approves."""
    use_cases = case.intent.use_cases
    if "MANAGED_SERVICES" in use_cases:
        yield "notebooks, their results, secrets, saved queries and their history cannot be read or written"
    if "STORAGE" in use_cases:
        yield "DBFS and the workspace's root bucket cannot be read or written, and jobs that use them fail"
        yield "clusters, pools and warehouses whose volumes use the key do not start"
    yield (
        "compute that runs is left as it is: it is not stopped, and fails where it needs the key; what it holds in "
        "memory, or on volumes that are attached, it can still read"
    )
    for each in sharers(case):
        yield f"the same for the workspace {each.name} ({each.workspace_id}), which shares the key"
    yield "reads go on until Databricks lets its cached data keys go, after an interval that it does not publish"


def _used(workspace: Workspace, estate: Estate) -> list[str]:
    configured = [estate.configuration(each) for each in (workspace.managed_services_key_id, workspace.storage_key_id)]
    return list(dict.fromkeys(each.key_arn for each in configured if each))


def _may_be_read_through(key: Key) -> bool:
    watched = key.state != "disabled" or key.watch_until is not None
    return key.state not in STAYS and watched


def _concerns(key: Key, workspace_id: int) -> bool:
    return workspace_id in key.workspaces or revoked_for(key, workspace_id)


def _role(account: Account, credentials_id: str) -> str | None:
    try:
        return account.cross_account_role(credentials_id)
    except NotFound:
        return None
