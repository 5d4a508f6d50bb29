"""The rest of an earlier fleet: what it planned and did not bring to a good end."""

from collections.abc import Mapping, Sequence

from rekey.base.errors import RequestRefused
from rekey.base.settings import Settings
from rekey.base.words import shortened
from rekey.databricks import Estate
from rekey.fleet.standing import standings
from rekey.fleet.wave import load_plan
from rekey.ledger import Ledger
from rekey.model.fleet import GOOD, OVER, Member
from rekey.model.refusal import Refusal
from rekey.model.use_cases import USE_CASES

_ENDS_FIRST = (
    "let it come to its end, or cancel it; if its execution has ended before it, ask for {name} itself again, and it "
    "goes on where it was"
)


def rest_of(settings: Settings, ledger: Ledger, estate: Estate, name: str) -> list[Member]:
    """Rotations that failed, never began, were forbidden, or wanted the key of one that failed.

    Raises RequestRefused for a fleet that still does something, or may, and for one that has left nothing.
    """
    fleet = ledger.fleets.find(name)
    if fleet is None:
        raise _refused(f"the ledger knows no fleet {name}", "see `rekey fleet status`, which lists them")
    if fleet.status not in OVER:
        raise _refused(f"{name} is {fleet.status}, and may go on", _ENDS_FIRST.format(name=name))
    plan = load_plan(settings, fleet)
    found = list(zip(plan.members, standings(ledger, plan, plan.members), strict=True))
    if going := [each.workspace_name for _, each in found if each.outcome == "running"]:
        problem = f"of {name} there go on: {_listed(going)}"
        raise _refused(problem, f"ask once they have ended: `rekey fleet status {name}`")
    left = [member for member, each in found if each.outcome not in GOOD and member.use_cases]
    if not left:
        raise _refused(f"{name} has left nothing undone", "leave it out, or name another one")
    makers = {each: _has_made(ledger, estate, each) for each in {one.takes_key_of for one in left} if each}
    return [_taking(each, makers) for each in left]


def _has_made(ledger: Ledger, estate: Estate, rotation_id: str) -> bool:
    """Whether a rotation has made the key that others were to take, and its workspace is still on that key."""
    made = ledger.find(rotation_id)
    if made is None or made.status != "succeeded" or made.configuration_id is None:
        return False
    on = next((each for each in estate.workspaces if each.workspace_id == made.plan.workspace_id), None)
    return on is not None and made.configuration_id in {on.configuration_id(each) for each in USE_CASES}


def _taking(member: Member, makers: Mapping[str, bool]) -> Member:
    taken = member.takes_key_of if makers.get(member.takes_key_of or "") else None
    return member.model_copy(update={"takes_key_of": taken})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(shortened(list(dict.fromkeys(names))))


def _refused(problem: str, fix: str) -> RequestRefused:
    return RequestRefused(str(Refusal("fleet.rest_of", problem, fix)))
