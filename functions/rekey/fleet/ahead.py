"""The preflight of a fleet: the dry run of each rotation, a few side by side, as far as the call's time reaches."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from rekey.base import clock
from rekey.base.errors import DatabricksThrottled, RekeyError, Transient
from rekey.base.observability import identify, logger
from rekey.base.settings import Settings
from rekey.databricks import Estate
from rekey.databricks.connect import connect_account
from rekey.ledger import Ledger
from rekey.model.answers import Planned
from rekey.model.fleet import WINDOW_TAG, Member
from rekey.model.fleet_request import FleetRequest
from rekey.model.phases import budget
from rekey.model.windows import refusal, too_short
from rekey.planning.open import PlanEvent, open_rotation

AT_ONCE = 2
"""Preflights side by side. Each asks the Account API once, and takes less than a second (`make bench-fleet`)."""

RESERVE_SECONDS = 45.0
"""What one preflight and the draft's writing may take: none begins later."""

MOST_TRIES = 5
"""Of a preflight that meets what passes by itself; after that the workspace is left out, and says why."""


def look_ahead(
    settings: Settings,
    ledger: Ledger,
    request: FleetRequest,
    members: Sequence[Member],
    execution_arn: str,
    time_left: Callable[[], float],
) -> tuple[Member, ...]:
    """The members, and of those that were looked at what forbids them. What is not looked at is left for later.

    The account's lists are read once for all: each rotation reads them again before it begins.
    """
    try:
        estate = Estate.read(connect_account(settings))
    except DatabricksThrottled as error:
        logger.warning("Databricks turns the estate's lists away", reason=str(error))
        return tuple(members)
    turned_away = Event()

    def look(member: Member) -> Member:
        if member.looked_at or turned_away.is_set() or time_left() < RESERVE_SECONDS:
            return member
        try:
            return _look_at(settings, ledger, request, member, execution_arn, estate)
        except DatabricksThrottled as error:
            # Too fast is nobody's fault but ours: the next call goes on, and no workspace is left out for it.
            logger.warning("Databricks turns the preflights away", reason=str(error))
            turned_away.set()
            return member

    with ThreadPoolExecutor(AT_ONCE) as pool:
        looked = tuple(pool.map(look, members))
    identify(rotation_id=request.name, workspace_id=None)
    return looked


def as_asked(request: FleetRequest, member: Member, **more: Any) -> dict[str, Any]:
    """The request of one rotation, as rotate_key takes it."""
    asked = {name: value for name, value in request.rotation.items() if name not in ("operation", "use_cases")}
    named = {"workspace_id": member.workspace_id, "operation": member.operation, "use_cases": list(member.use_cases)}
    return {**asked, **named, **more}


def _look_at(
    settings: Settings, ledger: Ledger, request: FleetRequest, member: Member, execution_arn: str, estate: Estate
) -> Member:
    """Each by itself: what is wrong with one workspace is its own answer. Raises DatabricksThrottled."""
    tag = f"the workspace's tag {WINDOW_TAG}"
    if member.window and (wrong := refusal("fleet", tag, member.window, clock.now())):
        return member.model_copy(update={"looked_at": True, "forbidden": (str(wrong),)})
    event = PlanEvent(
        rotation_id=f"plan-{member.rotation_id}",
        execution_arn=execution_arn,
        request=as_asked(request, member, dry_run=True),
    )
    try:
        planned = open_rotation(settings, ledger, event, estate)
    except DatabricksThrottled:
        raise
    except Transient as error:
        logger.warning("a preflight could not be made", workspace=member.workspace_name, reason=str(error))
        if member.tries + 1 < MOST_TRIES:
            return member.model_copy(update={"tries": member.tries + 1})
        return member.model_copy(update={"looked_at": True, "forbidden": (f"no preflight could be made: {error}",)})
    except RekeyError as error:
        return member.model_copy(update={"looked_at": True, "forbidden": (str(error),)})
    return _looked_at(member, planned)


def _looked_at(member: Member, planned: Planned) -> Member:
    report = planned.preflight or {}
    findings = tuple(str(each) for each in report.get("findings", ()))
    # A lease that another rotation holds ends with it: that workspace waits.
    forbidden = (findings or ("its rotation is not possible",)) if planned.plan is None else ()
    budget_seconds = budget(planned.plan) if planned.plan else None
    if member.window and budget_seconds and (short := too_short(member.window, budget_seconds, clock.now())):
        forbidden = (str(short),)
    return member.model_copy(
        update={
            "looked_at": True,
            "forbidden": forbidden,
            "heed": () if forbidden else findings,
            "held_by": report.get("held_by"),
            "expected_seconds": report.get("expected_seconds"),
            "expected_downtime_seconds": report.get("expected_downtime_seconds"),
            "budget_seconds": budget_seconds,
        }
    )
