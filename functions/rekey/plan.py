"""Decides what a rotation will do, or why it must not be done. Plain functions: nothing here touches the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rekey import clock
from rekey.databricks import KeyConfiguration, Workspace
from rekey.errors import RequestRefused
from rekey.request import Operation, Request, UseCase, storage_cannot_be_replaced
from rekey.rotation import OldKey, Plan

NO_CMK_REGIONS = frozenset({"us-west-1"})
"""Databricks, "Create a workspace using the Account API": no customer-managed keys there."""

USE_CASES: tuple[UseCase, ...] = ("MANAGED_SERVICES", "STORAGE")


@dataclass(frozen=True, slots=True)
class Facts:
    """The world as the plan sees it."""

    workspace: Workspace
    configurations: Sequence[KeyConfiguration]
    would_stop: dict[str, int]
    cross_account_role: str | None


def decide_operation(request: Request, workspace: Workspace) -> tuple[Operation, tuple[UseCase, ...], list[str]]:
    """(operation, use cases, reasons). Raises RequestRefused when nothing is left to do."""
    missing = tuple(each for each in USE_CASES if workspace.configuration_id(each) is None)
    has_managed = "MANAGED_SERVICES" not in missing
    operation = request.operation or ("rotate" if has_managed else "add")
    why = []
    if request.operation is None:
        seen = "already has a" if has_managed else "has no"
        why.append(f"operation: {operation}, because the workspace {seen} MANAGED_SERVICES key")
    if operation == "rotate":
        use_cases: tuple[UseCase, ...] = request.use_cases or ("MANAGED_SERVICES",)
    else:
        use_cases = request.use_cases or missing
        if not use_cases:
            raise RequestRefused(
                "operation: add is not possible, the workspace has a key for both use cases. "
                'Mend: ask for operation "rotate", which changes the MANAGED_SERVICES key.'
            )
    if request.use_cases is None:
        why.append(f"use_cases: {' + '.join(use_cases)}, because that is what {operation} can do here")
    return operation, tuple(each for each in USE_CASES if each in use_cases), why


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
    if operation == "rotate" and "STORAGE" in use_cases:
        found.append(storage_cannot_be_replaced())
    for use_case in use_cases:
        present = workspace.configuration_id(use_case)
        if operation == "add" and present and use_case == "STORAGE":
            found.append(storage_cannot_be_replaced())
        elif operation == "add" and present:
            found.append(
                f"use_cases: the workspace already has a {use_case} key (configuration {present}). "
                'Mend: ask for operation "rotate" to change it.'
            )
        elif operation == "rotate" and not present:
            found.append(
                f"use_cases: the workspace has no {use_case} key to rotate. "
                'Mend: ask for operation "add" to give it one.'
            )
    if request.reuse_key_for_cluster_volumes and "STORAGE" in use_cases and facts.cross_account_role is None:
        found.append(
            "reuse_key_for_cluster_volumes: the workspace's cross-account role could not be found, and cluster volumes "
            "cannot use the key without it. Mend: set it to false, or register the workspace's credentials."
        )
    return list(dict.fromkeys(found))


def decide_old_key(request: Request, facts: Facts, operation: Operation) -> OldKey | None:
    """What becomes of the key that a rotation replaces; None where nothing is replaced."""
    replaced = facts.workspace.configuration_id("MANAGED_SERVICES")
    if operation != "rotate" or replaced is None:
        return None
    configuration = next((each for each in facts.configurations if each.configuration_id == replaced), None)
    if configuration is None:
        raise RequestRefused(
            f"workspace_id: the workspace names the key configuration {replaced}, which the account does not list. "
            "Mend: check that the Databricks account id in the stack's settings is the workspace's."
        )
    served_storage = any(
        each.key_arn == configuration.key_arn and "STORAGE" in each.use_cases for each in facts.configurations
    )
    fate, why = request.old_key, "the request says so"
    if fate == "disable":
        why = "nothing will need it 24 hours after the verified switch; each condition is checked again on that day"
        if served_storage:
            fate, why = "retain", "it is registered for STORAGE, whose data needs its key forever"
    return OldKey(configuration_id=replaced, key_arn=configuration.key_arn, fate=fate, why=why)


def make_plan(request: Request, facts: Facts, now: datetime) -> Plan:
    """The whole decision. Raises RequestRefused with every finding that forbids it."""
    workspace = facts.workspace
    operation, use_cases, why = decide_operation(request, workspace)
    if found := forbids(request, facts, operation, use_cases):
        raise RequestRefused("\n".join(found))
    old_key = decide_old_key(request, facts, operation)
    settle = "STORAGE" in use_cases
    if old_key:
        why.append(f"old key: {old_key.fate}, because {old_key.why}")
    why.append(
        "settle wait: 20 minutes, because a STORAGE key changes"
        if settle
        else "settle wait: none, because only the MANAGED_SERVICES key changes"
    )
    return Plan(
        operation=operation,
        use_cases=use_cases,
        why=tuple(why),
        workspace_id=workspace.workspace_id,
        workspace_name=workspace.name,
        deployment_name=workspace.deployment_name,
        region=workspace.region,
        network="customer" if workspace.network_id else "databricks",
        before={each: workspace.configuration_id(each) for each in USE_CASES},
        old_key=old_key,
        settle=settle,
        start_at=clock.text(request.not_before or now),
        reuse_key_for_cluster_volumes=request.reuse_key_for_cluster_volumes,
        cross_account_role=facts.cross_account_role,
        would_stop=facts.would_stop,
    )
