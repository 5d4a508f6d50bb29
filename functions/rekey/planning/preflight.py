"""The preflight: all that a person should know before a rotation touches anything, as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rekey.base.words import shortened
from rekey.databricks import Estate, Workspace
from rekey.model import prices
from rekey.model.phases import phases
from rekey.model.plan import Plan
from rekey.model.refusal import Refusal
from rekey.model.request import Request
from rekey.model.use_cases import USE_CASES
from rekey.planning.case import Case
from rekey.planning.reach import Reached, Shut


def report(
    case: Case,
    plan: Plan | None,
    refusals: Sequence[Refusal],
    reached: Reached,
    *,
    account_id: str,
    held_by: str | None = None,
) -> dict[str, Any]:
    """The preflight as JSON. Lists are cut to ten entries: it travels through the state machine.

    `plan` is None where `refusals` forbid the rotation, or a place that it needs is shut (`reached`); the findings of
    one that is possible are to be looked at first.
    `account_id` is the Databricks account's; `held_by` is the rotation that is at work on the workspace.
    """
    workspace, compute, inside = case.workspace, case.compute, case.facts.inside
    return {
        "possible": plan is not None and held_by is None,
        "held_by": held_by,
        "operation": plan.operation if plan else case.request.operation,
        "use_cases": list(plan.use_cases if plan else case.request.use_cases or ()),
        "findings": [
            *map(str, [*_held(held_by), *reached.shut, *refusals]),
            *((*plan.may_deny, *plan.heed) if plan else ()),
            *map(str, reached.doubts),
        ],
        "workspace": {
            "account_id": account_id,
            "workspace_id": workspace.workspace_id or None,
            "name": workspace.name,
            "region": workspace.region,
            "tier": workspace.pricing_tier,
            "status": workspace.status,
            "network": "customer" if workspace.network_id else "databricks",
        },
        "present_keys": present_keys(case.facts.estate, workspace),
        "stops": plan.would_stop if plan else {},
        "stops_working": list(plan.stops_working) if plan and plan.operation == "revoke" else [],
        "would_stop": shortened(compute.names()),
        "would_cut_short": shortened([_run(each) for each in compute.runs]),
        "permissions": {"account": True, "workspace_admin": inside is None or inside.admin},
        "why": list(plan.why) if plan else [],
        "phases": [asdict(each) for each in phases(plan)] if plan else [],
        "expected_seconds": sum(each.expected_seconds for each in phases(plan)) if plan else None,
        "expected_downtime_seconds": (
            sum(each.expected_seconds for each in phases(plan) if each.downtime) if plan else None
        ),
        "cost": _cost(case.request, plan),
    }


def unseen(request: Request, shut: Sequence[Shut], *, account_id: str, held_by: str | None) -> dict[str, Any]:
    """The preflight where the account cannot be asked: all that is shut, and nothing about the workspace."""
    wish = request.workspace
    return {
        "possible": False,
        "held_by": held_by,
        "operation": request.operation,
        "use_cases": list(request.use_cases or ()),
        "findings": [*map(str, [*_held(held_by), *shut])],
        "workspace": {
            "account_id": account_id,
            "workspace_id": request.workspace_id,
            "name": wish.workspace_name if wish else f"Workspace {request.workspace_id}",
            "region": wish.aws_region if wish else None,
            "tier": None,
            "status": "UNKNOWN",
            "network": None,
        },
        "present_keys": [],
        "stops": {},
        "stops_working": [],
        "would_stop": [],
        "would_cut_short": [],
        "permissions": {"account": None, "workspace_admin": None},
        "why": [
            "the Databricks account cannot be asked: the workspace's own hosts and its keys' region are tried next"
        ],
        "phases": [],
        "expected_seconds": None,
        "expected_downtime_seconds": None,
        "cost": _cost(request, None),
    }


def _held(held_by: str | None) -> list[Refusal]:
    problem = f"the rotation {held_by} is at work on this workspace"
    return [Refusal("workspace_id", problem, "wait until it has ended, and ask again")] if held_by else []


def present_keys(estate: Estate, workspace: Workspace) -> list[dict[str, Any]]:
    """What serves each use case now, and who else uses that key. Without a configuration the rest is None or empty."""
    present = []
    for use_case in USE_CASES:
        configuration_id = workspace.configuration_id(use_case)
        configuration = estate.configuration(configuration_id)
        sharers = estate.sharers(configuration.key_arn, workspace) if configuration else []
        present.append(
            {
                "use_case": use_case,
                "configuration_id": configuration_id,
                "key_arn": configuration.key_arn if configuration else None,
                "key_alias": configuration.key_alias if configuration else None,
                "use_cases": list(configuration.use_cases) if configuration else [],
                "reuse_key_for_cluster_volumes": configuration.reuse_key_for_cluster_volumes if configuration else None,
                "shared_with": shortened(sorted(str(each.workspace_id) for each in sharers)),
                "shared_by": shortened(sorted(each.name for each in sharers)),
            }
        )
    return present


def _run(run: dict[str, Any]) -> str:
    return f"run {run.get('run_id')} of job {run.get('job_id')} ({run.get('run_name') or 'no name'})"


def _cost(request: Request, plan: Plan | None) -> dict[str, Any]:
    new = 1 if plan and plan.key_source == "new" and not plan.in_place else 0
    return {
        "new_keys": new,
        "usd_a_month": float(new * prices.KEY_MONTH),
        "usd_once_usually": prices.ROTATION,
        "old_key": "disabled keys still cost; its owner may delete it" if request.old_key == "disable" else "retained",
    }
