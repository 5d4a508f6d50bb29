"""Rules on what is asked for: whether the operation can do it for these use cases of this workspace."""

from collections.abc import Iterator

from rekey.model.refusal import Refusal
from rekey.model.request import NOTEBOOKS_NEED_A_NEW_KEY, STORAGE_NEVER_REPLACED, STORAGE_NOT_ITS_OWN
from rekey.planning.case import Case


def storage_never_replaced(case: Case) -> Iterator[Refusal]:
    intent, present = case.intent, case.workspace.storage_key_id
    if "STORAGE" in intent.use_cases and (intent.replaces or (intent.operation == "add" and present)):
        yield STORAGE_NEVER_REPLACED


def serverless_workspace(case: Case) -> Iterator[Refusal]:
    if case.workspace.serverless and case.intent.gives_storage:
        yield STORAGE_NOT_ITS_OWN


def operation_fits(case: Case) -> Iterator[Refusal]:
    """That a STORAGE key is there already is for `storage_never_replaced` to say."""
    for use_case in case.intent.use_cases if not case.intent.creates else ():
        present = case.workspace.configuration_id(use_case)
        if case.intent.operation == "add" and present and use_case != "STORAGE":
            problem = f"the workspace already has a {use_case} key (configuration {present})"
            yield Refusal("use_cases", problem, 'ask for operation "rotate" to change it')
        elif case.intent.operation != "add" and not present:
            problem = f"the workspace has no {use_case} key to rotate"
            yield Refusal("use_cases", problem, 'ask for operation "add" to give it one')


def policy_volumes(case: Case) -> Iterator[Refusal]:
    if not case.volumes or case.facts.cross_account_role is not None:
        return
    field = "reuse_key_for_cluster_volumes"
    if not case.facts.wished:
        yield Refusal(
            field,
            "the workspace's cross-account role could not be found, and cluster volumes cannot use the key without it",
            "set it to false, or register the workspace's credentials",
        )
    elif "credentials_id" not in case.facts.wished.absent:
        yield Refusal(
            field,
            "the credentials name no cross-account role, and cluster volumes cannot use the key without it",
            "set it to false, or give other credentials",
        )


def notebooks_new_key(case: Case) -> Iterator[Refusal]:
    changes = case.intent.operation in ("add", "rotate") and "MANAGED_SERVICES" in case.intent.use_cases
    if case.request.renew_notebooks and not changes:
        yield NOTEBOOKS_NEED_A_NEW_KEY


def notebook_paths(case: Case) -> Iterator[Refusal]:
    for path in case.facts.inside.missing_paths if case.facts.inside else ():
        yield Refusal("renew_notebooks", f"the workspace has no {path}", "correct the path, or leave it out")
