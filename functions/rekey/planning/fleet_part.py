"""A rotation that says it is part of a fleet: the fleet is there, is approved, and goes on."""

from rekey.base.errors import RequestRefused
from rekey.ledger import Ledger
from rekey.model.fleet_part import PartOfFleet
from rekey.model.refusal import Refusal


def check_fleet(ledger: Ledger, part: PartOfFleet) -> None:
    """Raises RequestRefused: nobody borrows a fleet's approval, and none begins once its fleet is over."""
    fleet = ledger.fleets.find(part.name)
    if fleet is None or (fleet.plan_sha256, fleet.approved_by) != (part.plan_sha256, part.approved_by):
        problem = f"there is no fleet {part.name} with that plan and that approval"
        raise RequestRefused(str(Refusal("fleet", problem, "leave it out, or ask with `rekey fleet rotate`")))
    if not fleet.lets_rotations_begin:
        problem = f"the fleet {part.name} lets no rotation begin: it is {fleet.status}"
        fix = f"see `rekey fleet status {part.name}`, and ask for this workspace by itself"
        raise RequestRefused(str(Refusal("fleet", problem, fix)))
