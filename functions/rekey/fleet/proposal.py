"""What the policy's schedule may propose: what is due by an inventory of late, and no other fleet has in hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rekey.aws.executions import look_at_execution
from rekey.base import clock
from rekey.base.errors import RequestRefused
from rekey.base.settings import Settings
from rekey.fleet.wave import load_plan
from rekey.ledger import Ledger
from rekey.model.fleet import Fleet, Member
from rekey.model.inventory import Inventory
from rekey.model.refusal import Refusal

OLDEST = timedelta(days=2)
"""Of an inventory, which is taken once a day: from then on the alarm inventory-missing tells of it."""

LONGEST = timedelta(days=91)
"""No fleet is open for longer: rotate_fleet has 90 days (TimeoutSeconds)."""


def proposed(settings: Settings, ledger: Ledger, inventory: Inventory, members: Sequence[Member]) -> list[Member]:
    """Those of the members that may be proposed. Raises RequestRefused where the inventory is too old to say."""
    taken, now = clock.moment(inventory.taken_at), clock.now()
    if now - taken > OLDEST:
        problem = f"the last inventory was taken at {inventory.taken_at}"
        fix = "take one: `rekey workspaces`; why none is taken, the log of inventory says"
        raise RequestRefused(str(Refusal("fleet.by_policy", problem, fix)))
    busy = {
        each.workspace_id
        for fleet in ledger.fleets.since(clock.text(now - LONGEST))
        if _has_in_hand(fleet, taken)
        for each in load_plan(settings, fleet).members
        if each.wave or each.renewed_by
    }
    return [each for each in members if each.workspace_id not in busy]


def _has_in_hand(fleet: Fleet, taken: datetime) -> bool:
    """Whether it goes on, waits for a person, or has ended only after the inventory was taken: what it did is not in
    there. One whose execution has died has nothing in hand."""
    if fleet.ended_at:
        return clock.moment(fleet.ended_at) > taken
    execution = look_at_execution(fleet.execution_arn)
    return not execution.has_ended or (execution.ended_at is not None and execution.ended_at > taken)
