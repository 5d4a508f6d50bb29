"""Every reason why a well-formed request must not be carried out, each naming field and mend. Plain functions."""

from collections.abc import Sequence

from rekey.model.request import (
    Operation,
    Request,
    UseCase,
    notebooks_need_a_new_key,
    storage_cannot_be_replaced,
    storage_is_not_its_own,
)
from rekey.planning.denied import forbids_denied
from rekey.planning.facts import Facts, given_configuration, reuse_for_volumes
from rekey.planning.given import BROUGHT, forbids_key, forbids_policy
from rekey.rotation.keys import MANAGED

NO_CMK_REGIONS = frozenset({"us-west-1"})
"""Databricks, "Create a workspace using the Account API": no customer-managed keys there."""


def forbids(request: Request, facts: Facts, operation: Operation, use_cases: Sequence[UseCase]) -> list[str]:
    """Every reason why this must not be done, each naming the field and the mend."""
    workspace = facts.workspace
    found = []
    if workspace.region in NO_CMK_REGIONS:
        found.append(
            f"workspace_id: the workspace is in {workspace.region}, where Databricks has no customer-managed keys. "
            "Mend: none in this region; move to a workspace in another one."
        )
    if workspace.pricing_tier not in (None, "ENTERPRISE"):
        found.append(
            f"workspace_id: the workspace's tier is {workspace.pricing_tier}; customer-managed keys need ENTERPRISE. "
            "Mend: have the account upgraded."
        )
    if workspace.status != "RUNNING":
        found.append(
            f"workspace_id: the workspace is {workspace.status} ({workspace.status_message or 'no reason given'}); "
            "keys can be changed only while it is RUNNING. Mend: wait, or have the workspace repaired, and ask again."
        )
    if not facts.workspace_admin and operation != "rotate_material":
        found.append(
            "workspace_id: the service principal is no admin of this workspace, so it cannot see all of its compute. "
            "Mend: make it a workspace admin."
        )
    if operation == "rotate" and "STORAGE" in use_cases:
        found.append(storage_cannot_be_replaced())
    if workspace.serverless and operation == "add" and "STORAGE" in use_cases:
        found.append(storage_is_not_its_own())
    for use_case in use_cases:
        present = workspace.configuration_id(use_case)
        if operation == "add" and present and use_case == "STORAGE":
            found.append(storage_cannot_be_replaced())
        elif operation == "add" and present:
            found.append(
                f"use_cases: the workspace already has a {use_case} key (configuration {present}). "
                'Mend: ask for operation "rotate" to change it.'
            )
        elif operation != "add" and not present:
            found.append(
                f"use_cases: the workspace has no {use_case} key to rotate. "
                'Mend: ask for operation "add" to give it one.'
            )
    needs_role = operation == "add" and "STORAGE" in use_cases and reuse_for_volumes(request, facts.configurations)
    if needs_role and facts.cross_account_role is None:
        found.append(
            "reuse_key_for_cluster_volumes: the workspace's cross-account role could not be found, and cluster volumes "
            "cannot use the key without it. Mend: set it to false, or register the workspace's credentials."
        )
    if request.renew_notebooks and (operation not in ("add", "rotate") or "MANAGED_SERVICES" not in use_cases):
        found.append(notebooks_need_a_new_key())
    found += [
        f"renew_notebooks: the workspace has no {path}. Mend: correct the path, or leave it out."
        for path in facts.missing_paths
    ]
    found += forbids_given(request, facts, operation, use_cases)
    return list(dict.fromkeys(found))


def forbids_given(request: Request, facts: Facts, operation: Operation, use_cases: Sequence[UseCase]) -> list[str]:
    """Why a given key or configuration cannot be used, or a key's material not be renewed."""
    field = "key_configuration_id" if request.key_configuration_id else "key_arn"
    if operation == "rotate_material":
        field = "use_cases"
    found = forbids_configuration(request, facts, use_cases)
    for key in facts.keys:
        problems = forbids_key(field, key, region=facts.workspace.region, own_account=facts.own_account)
        if not problems and operation == "rotate_material" and not key.tagged(MANAGED, BROUGHT):
            problems = [
                f"use_cases: the key {key.arn} carries no tag of rekey, so its material is not rekey's to renew. "
                f"Mend: tag it {BROUGHT}=true."
            ]
        elif not problems and operation != "rotate_material":
            problems = forbids_policy(field, key, facts.wanted) + forbids_denied(field, key, facts.wanted)
        found += problems
    return found


def forbids_configuration(request: Request, facts: Facts, use_cases: Sequence[UseCase]) -> list[str]:
    """Why the configuration that the request names cannot be used, or would change nothing."""
    wanted = request.key_configuration_id
    given = given_configuration(request, facts.configurations)
    if wanted and given is None:
        return [
            f"key_configuration_id: the account has no key configuration {wanted}. "
            "Mend: copy the id from the account console, without the account's id before it."
        ]
    if given and not set(use_cases) <= set(given.use_cases):
        return [
            f"key_configuration_id: the configuration serves {' + '.join(given.use_cases)}, not "
            f"{' + '.join(use_cases)}. Mend: register one with these use cases, or ask for what this one serves."
        ]
    now = {each.configuration_id: each.key_arn for each in facts.configurations}
    for use_case in use_cases:
        present = facts.workspace.configuration_id(use_case)
        if present and request.key_arn and now.get(present) == request.key_arn:
            return [f"key_arn: it is the workspace's {use_case} key already. Mend: give another one, or leave it out."]
        if present and wanted == present:
            return [
                f"key_configuration_id: it is the workspace's {use_case} configuration already. Mend: give another."
            ]
    return []
