"""The world as the plan sees it, and what the request means in it. Plain functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from rekey.aws.policy_document import Statement
from rekey.base.errors import RequestRefused
from rekey.databricks import KeyConfiguration, Workspace
from rekey.model.request import Operation, Request, UseCase
from rekey.model.use_cases import USE_CASES
from rekey.model.wish import NewWorkspace
from rekey.planning.given import KeyFacts
from rekey.rotation.compute.world import Compute


@dataclass(frozen=True, slots=True)
class Facts:
    """The world as the plan sees it."""

    workspace: Workspace
    configurations: Sequence[KeyConfiguration]
    compute: Compute
    """Classic compute that runs now."""
    cross_account_role: str | None
    workspaces: Sequence[Workspace] = ()
    """All workspaces of the account."""
    workspace_admin: bool = True
    """Whether the service principal is an admin of the workspace; else its lists of compute are not complete."""
    account_id: str = ""
    """The Databricks account."""
    missing_paths: Sequence[str] = ()
    """Those of the request's renew_notebooks that the workspace does not have."""
    own_account: str = ""
    """The AWS account that rekey runs in."""
    keys: Sequence[KeyFacts] = ()
    """The keys that the rotation would use and rekey does not make: a given one, or those whose material is renewed."""
    wanted: Sequence[Statement] = ()
    """What a given key's policy must let Databricks do."""
    absent: Sequence[str] = ()
    """Fields of a wished workspace that name what the account does not have."""
    network_user: int | None = None
    """The workspace that uses the wished workspace's network already."""

    def sharers(self, key_arn: str) -> list[str]:
        """Ids of the other workspaces that refer to a key, by any configuration and either field."""
        pointing = {each.configuration_id for each in self.configurations if each.key_arn == key_arn}
        return sorted(
            str(each.workspace_id)
            for each in self.workspaces
            if each.workspace_id != self.workspace.workspace_id
            and pointing & {each.managed_services_key_id, each.storage_key_id}
        )


def decide_operation(request: Request, workspace: Workspace) -> tuple[Operation, tuple[UseCase, ...], list[str]]:
    """(operation, use cases, reasons). Raises RequestRefused when nothing is left to do."""
    if request.workspace:
        return "create_workspace", *_use_cases_of_new(request, request.workspace)
    possible = USE_CASES[:1] if workspace.serverless else USE_CASES
    missing = tuple(each for each in possible if workspace.configuration_id(each) is None)
    has_managed = "MANAGED_SERVICES" not in missing
    operation = request.operation or ("rotate" if has_managed else "add")
    why = []
    if request.operation is None:
        seen = "already has a" if has_managed else "has no"
        why.append(f"operation: {operation}, because the workspace {seen} MANAGED_SERVICES key")
    use_cases: tuple[UseCase, ...]
    if operation == "rotate":
        use_cases = request.use_cases or ("MANAGED_SERVICES",)
    elif operation == "rotate_material":
        use_cases = request.use_cases or tuple(each for each in possible if each not in missing)
        if not use_cases:
            raise RequestRefused(
                "operation: rotate_material is not possible, the workspace has no key. "
                'Mend: ask for operation "add" to give it one.'
            )
    else:
        use_cases = request.use_cases or missing
        if not use_cases:
            raise RequestRefused(
                "operation: add is not possible, the workspace has every key that it can have. "
                'Mend: ask for operation "rotate", which changes the MANAGED_SERVICES key.'
            )
    if request.use_cases is None:
        why.append(f"use_cases: {' + '.join(use_cases)}, because that is what {operation} can do here")
    return operation, tuple(each for each in USE_CASES if each in use_cases), why


def _use_cases_of_new(request: Request, wish: NewWorkspace) -> tuple[tuple[UseCase, ...], list[str]]:
    if request.use_cases:
        return tuple(each for each in USE_CASES if each in request.use_cases), []
    if wish.serverless:
        return USE_CASES[:1], [
            "use_cases: MANAGED_SERVICES, which protects a SERVERLESS workspace's default storage too"
        ]
    return USE_CASES, [
        "use_cases: MANAGED_SERVICES + STORAGE, because a new workspace can have both from its first day"
    ]


def given_configuration(request: Request, configurations: Sequence[KeyConfiguration]) -> KeyConfiguration | None:
    """The registered configuration that the request names."""
    wanted = request.key_configuration_id
    return next((each for each in configurations if each.configuration_id == wanted), None)


def keys_in_play(request: Request, workspace: Workspace, configurations: Sequence[KeyConfiguration]) -> list[str]:
    """ARNs of the keys that a rotation would use and rekey does not make, each once."""
    operation, use_cases, _ = decide_operation(request, workspace)
    if operation == "rotate_material":
        used = {workspace.configuration_id(each) for each in use_cases}
        return list(dict.fromkeys(each.key_arn for each in configurations if each.configuration_id in used))
    given = given_configuration(request, configurations)
    key_arn = given.key_arn if given else request.key_arn
    return [key_arn] if key_arn else []


def reuse_for_volumes(request: Request, configurations: Sequence[KeyConfiguration]) -> bool:
    """Whether cluster volumes use the key: a registered configuration has decided that already."""
    given = given_configuration(request, configurations)
    return given.reuse_key_for_cluster_volumes if given else request.reuse_key_for_cluster_volumes
