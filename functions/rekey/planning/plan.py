"""Decides what a rotation will do, or why it must not be done. Plain functions: nothing here touches the world."""

from datetime import datetime

from rekey.base import clock
from rekey.base.errors import RequestRefused
from rekey.base.words import shortened
from rekey.model.phases import window_too_short
from rekey.model.request import DRAIN_MINUTES, Operation, Request
from rekey.model.rotation import KeySource, OldKey, Plan
from rekey.model.use_cases import USE_CASES
from rekey.planning.creation_refusals import forbids_new
from rekey.planning.denied import may_deny
from rekey.planning.facts import Facts, decide_operation, given_configuration, reuse_for_volumes
from rekey.planning.refusals import forbids


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
    creates = operation == "create_workspace"
    found = forbids_new(request, facts, use_cases) if creates else forbids(request, facts, operation, use_cases)
    if found:
        raise RequestRefused("\n".join(found))
    old_key = decide_old_key(request, facts, operation)
    settle = operation == "add" and "STORAGE" in use_cases
    given = given_configuration(request, facts.configurations)
    source: KeySource = "configuration" if given else "brought" if request.key_arn else "new"
    if operation != "rotate_material":
        why.append(f"key: {_SOURCES[source]}")
    if old_key:
        why.append(f"old key: {old_key.fate}, because {old_key.why}")
    if request.renew_notebooks:
        why.append("notebooks: those under the given paths are exported and re-imported once compute is back")
    why.append(f"settle wait: {_settle_reason(operation, settle)}")
    doubts = [each for key in facts.keys for each in may_deny(key, facts.wanted)] if source != "new" else []
    plan = Plan(
        operation=operation,
        use_cases=use_cases,
        why=tuple(why),
        workspace_id=None if creates else workspace.workspace_id,
        workspace_name=workspace.name,
        deployment_name=workspace.deployment_name,
        region=workspace.region,
        network="customer" if workspace.network_id else "databricks",
        before={each: workspace.configuration_id(each) for each in USE_CASES},
        old_key=old_key,
        key_source=source,
        given_key_arn=given.key_arn if given else request.key_arn,
        given_configuration_id=request.key_configuration_id,
        material_keys=tuple(each.arn for each in facts.keys) if operation == "rotate_material" else (),
        yearly_rotation=request.yearly_rotation,
        drain_minutes=(request.drain_minutes or DRAIN_MINUTES) if request.jobs == "drain" else 0,
        renew_notebooks=bool(request.renew_notebooks),
        settle=settle,
        start_at=clock.text(max(request.not_before or now, now)),
        not_after=clock.text(request.not_after) if request.not_after else None,
        approval=request.approval,
        reuse_key_for_cluster_volumes=reuse_for_volumes(request, facts.configurations),
        cross_account_role=facts.cross_account_role,
        may_deny=tuple(shortened(doubts)),
        would_stop=facts.compute.counts() if operation != "rotate_material" else {},
    )
    if late := window_too_short(plan, now):
        raise RequestRefused(f"not_after: {late} Mend: give a longer window, or leave not_after out.")
    return plan


_SOURCES: dict[KeySource, str] = {
    "new": "a new one, made for this rotation",
    "brought": "the one that the request brings along; it stays its owner's",
    "configuration": "that of the registered configuration; nothing new is made",
}


def _settle_reason(operation: Operation, settle: bool) -> str:
    if settle:
        return "20 minutes, because a STORAGE key changes"
    if operation == "create_workspace":
        return "none, and no downtime: a new workspace has its keys from its first day"
    if operation == "rotate_material":
        return "none, and no downtime: the key's ARN stays the same"
    return "none, because only the MANAGED_SERVICES key changes"
