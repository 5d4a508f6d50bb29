"""How long a rotation takes, phase by phase: what to expect, and the budget after which the state machine gives up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekey.base import clock
from rekey.model.budgets import OUTAGE_SECONDS
from rekey.model.plan import Plan
from rekey.model.steps import StepName

SETTLE_SECONDS = 1_200

BUDGETS: Mapping[str, int] = {
    StepName.ROTATE_MATERIAL: 1_800,
    StepName.CREATE_WORKSPACE: 3_600,
    StepName.REVOKE_ACCESS: 10_800,
    StepName.RESTORE_ACCESS: 10_800,
    StepName.SWITCH: 5_400,
    StepName.VERIFY: 600,
    StepName.LIST_NOTEBOOKS: 600,
    StepName.RENEW_BATCH: 1_800,
}
"""Seconds of each loop, as stepfunctions/rotate_key.asl.json's conditions have them; a test holds the two together.

Those of the loops over compute are the plan's own (Plan.budgets).
"""


NOTEBOOK_WAVES = 5
"""At most 20 batches of notebooks, four of them at a time."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase. Seconds; `downtime` says whether the workspace has no classic compute in it."""

    name: str
    expected_seconds: int
    budget_seconds: int
    downtime: bool
    why: str
    outage_seconds: int = 0
    """How much of its budget is there for an outage of Databricks."""


def budget(plan: Plan) -> int:
    """Seconds that a plan may take at the most while Databricks answers: every phase until its budget is over."""
    return sum(each.budget_seconds - each.outage_seconds for each in phases(plan))


def window_too_short(plan: Plan, now: datetime) -> str | None:
    """Why a rotation might still be at work when its window closes; None when it is surely done, or may take its time.

    It counts from now or from when the window opens, whichever is later. What an outage of Databricks may add is left
    out: nobody's window is made for one, and a rotation that meets one must not end with compute down.
    """
    if plan.not_after is None:
        return None
    start, needed = max(now, clock.moment(plan.start_at)), timedelta(seconds=budget(plan))
    if start + needed <= clock.moment(plan.not_after):
        return None
    return (
        f"the window closes at {plan.not_after}, and a rotation that starts at {clock.text(start)} "
        f"may take up to {needed.total_seconds() / 60:.0f} minutes by its budgets."
    )


def phases(plan: Plan) -> list[Phase]:
    """The phases that a plan goes through, in order."""
    if plan.operation == "rotate_material":
        why = "KMS renews the material in the background"
        return [Phase(StepName.ROTATE_MATERIAL, 60, BUDGETS[StepName.ROTATE_MATERIAL], False, why)]
    if plan.operation == "revoke":
        why = "reads go on until Databricks lets its cached data keys go, after an interval that it does not publish"
        return [Phase(StepName.REVOKE_ACCESS, 600, BUDGETS[StepName.REVOKE_ACCESS], False, why)]
    if plan.operation == "restore":
        why = "the statements are put back, and a notebook is read and written"
        return [Phase(StepName.RESTORE_ACCESS, 60, BUDGETS[StepName.RESTORE_ACCESS], False, why)]
    if plan.operation == "create_workspace":
        why = "Databricks sets the workspace up; most come up within a few minutes"
        proof = "a notebook is written and read under the new key"
        return [
            Phase(StepName.CREATE_WORKSPACE, 300, BUDGETS[StepName.CREATE_WORKSPACE], False, why),
            Phase(StepName.VERIFY, 15, BUDGETS[StepName.VERIFY], False, proof),
        ]
    found = []
    pieces = sum(plan.would_stop.values())
    if plan.drain_minutes and plan.would_stop.get("runs"):
        limit, why = plan.drain_minutes * 60, "active job runs are waited for; nothing is down yet"
        found.append(Phase(StepName.PAUSE_TRIGGERS, limit, limit, False, why))
    if pieces:
        why = f"{pieces} compute resources stop, and their EC2 instances end a little later"
        found.append(Phase(StepName.TERMINATE, 150, plan.budgets.terminate, True, why, OUTAGE_SECONDS))
    if plan.network == "customer":
        switch, why = 180, "customer-managed network: the key field shows after a few minutes"
    else:
        switch, why = 1_200, "Databricks-managed network: the workspace is PROVISIONING for up to 20 minutes"
    found.append(Phase(StepName.SWITCH, switch, BUDGETS[StepName.SWITCH], bool(pieces), why))
    if plan.settle:
        why = "Databricks demands 20 minutes after a STORAGE change"
        found.append(Phase(StepName.SETTLE, SETTLE_SECONDS, SETTLE_SECONDS, bool(pieces), why))
    why = "notebooks are read and written under the new key"
    found.append(Phase(StepName.VERIFY, 15, BUDGETS[StepName.VERIFY], bool(pieces), why))
    if pieces:
        why = "clusters and warehouses take a few minutes to start"
        found.append(Phase(StepName.RESTART, 300, plan.budgets.restart, True, why, OUTAGE_SECONDS))
    if plan.renew_notebooks:
        why = "about a second a notebook, four at a time; trouble with them never fails the rotation"
        longest = BUDGETS[StepName.LIST_NOTEBOOKS] + NOTEBOOK_WAVES * BUDGETS[StepName.RENEW_BATCH]
        found.append(Phase(StepName.RENEW_NOTEBOOKS, 300, longest, False, why))
    return found
