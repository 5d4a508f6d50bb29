"""Plan fleet: which workspaces, what forbids one, which waves; then the fleet is written down. Nothing is touched."""

import hashlib
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from rekey.aws import bucket
from rekey.aws.executions import look_at_execution
from rekey.base import clock
from rekey.base.errors import RequestIdReused, RequestRefused
from rekey.base.observability import identify
from rekey.base.settings import Settings
from rekey.base.words import shortened
from rekey.databricks import Estate
from rekey.databricks.connect import connect_account
from rekey.fleet.ahead import look_ahead
from rekey.fleet.arrange import arrange
from rekey.fleet.attempts import attempt_of
from rekey.fleet.choose import choose
from rekey.fleet.proposal import proposed
from rekey.fleet.rest import rest_of
from rekey.fleet.wave import as_written
from rekey.ledger import Ledger
from rekey.model.fleet import OVER, Fleet, FleetAction, FleetPlan, FleetPlanned, draft_key, plan_key
from rekey.model.fleet_request import MOST_WAVES, MOST_WORKSPACES, FleetRequest, parse_fleet_request
from rekey.model.inventory import LATEST, Inventory
from rekey.model.refusal import Refusal


class FleetEvent(BaseModel):
    """What the state machine sends its first step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    execution_arn: str
    request: Any


def plan(settings: Settings, ledger: Ledger, event: FleetEvent, time_left: Callable[[], float]) -> FleetPlanned:
    """Call it until it is done: workspaces are looked at as far as the time reaches, and the rest by the next call.

    Raises InvalidRequest, RequestRefused, or RequestIdReused for a name that another request had.
    """
    request = parse_fleet_request(event.request)
    identify(rotation_id=request.name, workspace_id=None)
    if request.is_a_tickets and not request.dry_run:
        request = attempt_of(ledger, request)
    if not request.dry_run and (known := ledger.fleets.find(request.name)):
        return _again(settings, ledger, known, request, event.execution_arn)
    draft = _draft(settings, ledger, request, event.execution_arn)
    if not draft.members:
        said = f"By the inventory of {draft.inventory_of} no key is due that no other fleet has in hand."
        return FleetPlanned(done=True, decision="nothing", name=request.name, said=said)
    members = look_ahead(settings, ledger, request, draft.members, event.execution_arn, time_left)
    draft = draft.model_copy(update={"members": members})
    if remaining := sum(not each.looked_at for each in members):
        bucket.put(settings.evidence_bucket, draft_key(request.name, event.execution_arn), bucket.as_json(draft))
        return FleetPlanned(done=False, remaining=remaining, name=request.name)
    made = draft.model_copy(update={"members": arrange(members, request.fleet), "planned_at": clock.stamp()})
    if request.dry_run:
        key = plan_key(request.name, dry_run=True)
        bucket.put(settings.evidence_bucket, key, bucket.as_json(made))
        return _answer("report", request, made.waves, made.counts(), key)
    _check(made)
    return _opened(settings, ledger, made)


def _draft(settings: Settings, ledger: Ledger, request: FleetRequest, execution_arn: str) -> FleetPlan:
    """The plan that this execution has begun, or a new one. Without members only where the policy proposes nothing."""
    try:
        draft = bucket.read_model(settings.evidence_bucket, draft_key(request.name, execution_arn), FleetPlan)
    except Exception as error:
        if not bucket.is_missing(error):
            raise
        draft = None
    if draft and draft.execution_arn == execution_arn:
        return draft
    inventory = _inventory(settings, request.fleet.by_age) if request.fleet.by_age else None
    estate = Estate.read(connect_account(settings))
    rest = rest_of(settings, ledger, estate, request.fleet.rest_of) if request.fleet.rest_of else None
    members = choose(request, estate, inventory, clock.now(), rest)
    by_itself = request.fleet.by_policy and not request.dry_run
    if inventory and request.fleet.by_policy:
        members = proposed(settings, ledger, inventory, members)
    if not (members or by_itself):
        raise RequestRefused(str(Refusal("fleet", "no workspace fits it", "see `rekey workspaces`, and ask otherwise")))
    if len(members) > MOST_WORKSPACES:
        problem = f"it means {len(members):,} rotations, and {MOST_WORKSPACES:,} are the most"
        raise RequestRefused(str(Refusal("fleet", problem, "ask for a part of them, and for the rest afterwards")))
    return FleetPlan(
        request=request,
        execution_arn=execution_arn,
        planned_at=clock.stamp(),
        inventory_of=inventory.taken_at if inventory else None,
        members=tuple(members),
    )


def _inventory(settings: Settings, selector: str) -> Inventory:
    try:
        return bucket.read_model(settings.evidence_bucket, LATEST, Inventory)
    except Exception as error:
        if not bucket.is_missing(error):
            raise
        refusal = Refusal(f"fleet.{selector}", "there is no inventory yet", "take one: `rekey workspaces`")
        raise RequestRefused(str(refusal)) from error


def _check(made: FleetPlan) -> None:
    """Raises RequestRefused for a plan that may not begin."""
    said = _forbidden(made)
    if not made.waves:
        raise RequestRefused("fleet: none of its workspaces can be rotated.\n" + "\n".join(said))
    if said and made.request.fleet.forbidden == "refuse":
        raise RequestRefused('fleet.forbidden: "refuse" was asked for, and forbidden are:\n' + "\n".join(said))
    if made.waves > MOST_WAVES:
        problem = f"it would have {made.waves} waves, and {MOST_WAVES} are the most"
        raise RequestRefused(str(Refusal("fleet.waves", problem, "let waves grow larger, such as 1, 5, 25, 100")))


def _forbidden(made: FleetPlan) -> list[str]:
    """Who is left out, and why."""
    forbidden = [each for each in made.members if each.forbidden]
    return shortened([f"{each.workspace_name} ({each.workspace_id}): {each.forbidden[0]}" for each in forbidden])


def _opened(settings: Settings, ledger: Ledger, made: FleetPlan) -> FleetPlanned:
    """Who opens the fleet writes its plan, and nobody else: what another execution planned is never put over it."""
    request, counts, written = made.request, made.counts(), bucket.as_json(made)
    bucket.put(settings.evidence_bucket, draft_key(request.name, made.execution_arn), written)
    fleet = Fleet(
        name=request.name,
        status="planned",
        request=request,
        request_digest=request.digest(),
        execution_arn=made.execution_arn,
        plan_sha256=hashlib.sha256(written).hexdigest(),
        waves=made.waves,
        created_at=clock.stamp(),
    )
    opened = ledger.fleets.open(
        fleet,
        request=request.model_dump_json(),
        plan_sha256=fleet.plan_sha256,
        counts=counts,
        forbidden=_forbidden(made),
    )
    key = plan_key(request.name)
    bucket.put(settings.evidence_bucket, key, written)
    return _answer("rotate", request, opened.waves, counts, key)


def _keep_plan(settings: Settings, fleet: Fleet) -> None:
    """Its execution may have died between the ledger and the bucket."""
    try:
        bucket.read(settings.evidence_bucket, plan_key(fleet.name))
    except Exception as error:
        if not bucket.is_missing(error):
            raise
        bucket.put(settings.evidence_bucket, plan_key(fleet.name), as_written(settings, fleet))


def _again(settings: Settings, ledger: Ledger, known: Fleet, request: FleetRequest, execution_arn: str) -> FleetPlanned:
    """The same fleet once more: its execution asks again, or another one goes on where the last one died."""
    if known.request_digest != request.digest():
        problem = f"{request.name} was used for another fleet, which is {known.status}"
        raise RequestIdReused(str(Refusal("fleet.name", problem, "give another name, or repeat the request exactly")))
    key = plan_key(known.name)
    _keep_plan(settings, known)
    if known.execution_arn == execution_arn and not known.ended:
        return _answer("rotate", request, known.waves, {}, key)
    if known.status in OVER or not look_at_execution(known.execution_arn).has_ended:
        return _answer("already_requested", request, known.waves, {}, key)
    ledger.fleets.change(
        known,
        FleetAction.TAKEN_UP,
        {
            "execution_arn": execution_arn,
            "before": known.execution_arn,
            "wave": known.judged + 1,
            "approval": request.approval,
        },
        # Whether it needs approval is this request's to say while nothing has begun: its ticket may have been approved.
        request=known.request if known.wave else request,
        execution_arn=execution_arn,
        status="running" if known.wave else "planned",
        ended_at=None,
        asked_at=None,
        failed=None,
    )
    return _answer("rotate", request, known.waves, {}, key)


def _answer(decision: Any, request: FleetRequest, waves: int, counts: dict[str, int], key: str) -> FleetPlanned:
    return FleetPlanned(
        done=True,
        decision=decision,
        name=request.name,
        waves=waves,
        counts=counts,
        plan=key,
    )
