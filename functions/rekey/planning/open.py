"""The first state: what a request means, what forbids it, what will be done; then the rotation is opened.

A refusal leaves no trace: nothing is written before the decision is to rotate, and then all of it in one transaction.
"""

import time
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from rekey.aws import clients
from rekey.aws.executions import look_at_execution
from rekey.base import clock
from rekey.base.errors import InvalidRequest, RekeyError, RequestIdReused, RequestRefused, RotationInProgress
from rekey.base.observability import count, identify
from rekey.base.settings import Settings
from rekey.databricks import Estate
from rekey.databricks.connect import connect_account
from rekey.ledger import Ledger, in_progress
from rekey.model.answers import Planned
from rekey.model.inbox import is_event, unwrapped
from rekey.model.plan import Plan
from rekey.model.refusal import Refusal
from rekey.model.request import Request, parse_request
from rekey.model.rotation import Rotation, name_subject
from rekey.planning import preflight
from rekey.planning.case import Case
from rekey.planning.fleet_part import check_fleet
from rekey.planning.gather import find_workspace, gather
from rekey.planning.intent import decide
from rekey.planning.plan import Verdict, conclude
from rekey.planning.reach import Reached, at_account, told_or_raised, try_ways
from rekey.retirement.rotations import marked


class PlanEvent(BaseModel):
    """What the state machine sends its first step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rotation_id: str
    execution_arn: str
    request: Any


@dataclass(frozen=True, slots=True)
class Seen:
    """What a dry run reports on."""

    case: Case | None
    verdict: Verdict
    reached: Reached


def open_rotation(settings: Settings, ledger: Ledger, event: PlanEvent, estate: Estate | None = None) -> Planned:
    """Decide what a request means, and open the rotation unless it is a dry run, or was made before.

    Who looks at many workspaces gives the `estate` as it was read a moment ago; else it is read.

    Raises InvalidRequest, RequestRefused, WorkspaceNotFound, RotationInProgress or RequestIdReused; and NetworkRefused,
    or what else keeps rekey from a place that it needs, with all such places in its text.
    """
    identify(rotation_id=event.rotation_id, workspace_id=None)
    request = parse_request(unwrapped(event.request))
    if request.alone and is_event(event.request):
        raise InvalidRequest(str(Refusal("alone", "an event's request waits for its approval", "leave it out")))
    identify(rotation_id=event.rotation_id, workspace_id=request.workspace_id)
    earlier = find_earlier(ledger, event.rotation_id, request)
    if earlier and (again := _told_again(event, earlier)):
        return _answer(again, earlier)
    if request.fleet:
        check_fleet(ledger, request.fleet)
    case, reached = _look(settings, ledger, event, request, estate)
    told_or_raised(reached.shut, dry_run=request.dry_run)
    verdict = conclude(case, clock.now()) if case else Verdict(None, [])
    return (
        _report(settings, ledger, event, request, Seen(case, verdict, reached))
        if request.dry_run
        else _answer("rotate", open_in_ledger(ledger, event, request, verdict.agreed(), replaces=earlier))
    )


def _look(
    settings: Settings, ledger: Ledger, event: PlanEvent, request: Request, estate: Estate | None
) -> tuple[Case | None, Reached]:
    """The case as far as it can be seen, None without the account; and what came of trying every place."""
    account = connect_account(settings)
    try:
        with clients.named_errors():  # A token may need a secret, or AWS' word.
            workspace = find_workspace(settings, account, request)
    except RequestRefused:
        raise
    except RekeyError as error:
        return None, Reached(at_account(settings, error))
    intent = decide(request, workspace)
    ticket_system = request.ticket.provider if request.ticket else None
    reached = try_ways(settings, workspace, intent, event.execution_arn, ticket_system)
    case = gather(settings, ledger, account, request, workspace, intent, event.execution_arn, reached, estate)
    return case, reached


def find_earlier(ledger: Ledger, rotation_id: str, request: Request) -> Rotation | None:
    """The rotation that this very execution has opened, or that the request_id has started.

    Raises RequestIdReused when the one has ended, or the other asked for something else.
    """
    if opened := ledger.find(rotation_id):
        if opened.ended:
            # Step Functions lets a name be used again after 90 days; the ledger remembers longer.
            problem = f"The execution's name {rotation_id} is that of an earlier rotation"
            raise RequestIdReused(str(Refusal("", problem, "start it with a new name")))
        return opened
    used = ledger.find_request(request.request_id) if request.request_id and not request.dry_run else None
    if used is None:
        return None
    if used["digest"] != request.digest():
        problem = f"{request.request_id} was used for another request (rotation {used['rotation_id']})"
        fix = "give a new request_id, or repeat the request exactly"
        raise RequestIdReused(str(Refusal("request_id", problem, fix)))
    return ledger.find(str(used["rotation_id"]))


def _told_again(event: PlanEvent, earlier: Rotation) -> Literal["rotate", "already_requested"] | None:
    """The answer to a request that was made before; None where what it began did not come to its end.

    Raises RotationInProgress for a rotation that nobody runs any more, and that is not yet carried to its end.
    """
    if earlier.rotation_id == event.rotation_id:
        return "rotate"
    if earlier.status in ("failed", "cancelled"):
        return None
    if not earlier.ended and look_at_execution(earlier.execution_arn).has_ended:
        raise RotationInProgress(f"request_id: {in_progress(earlier, runs=False)}")
    return "already_requested"


def _holder(ledger: Ledger, workspace_id: int | None, name: str) -> str | None:
    """The rotation that is at work on a workspace, or on one of its name that is yet to be made."""
    number = ledger.holder(str(workspace_id)) if workspace_id else None
    return number or (ledger.holder(name_subject(name)) if name else None)


def _report(settings: Settings, ledger: Ledger, event: PlanEvent, request: Request, seen: Seen) -> Planned:
    """The preflight, also where it forbids the rotation: a dry run reports, it does not fail."""
    case, plan = seen.case, None if seen.reached.shut else seen.verdict.plan
    account_id = settings.databricks_account_id
    if case is None:
        name = request.workspace.workspace_name if request.workspace else ""
        held_by = _holder(ledger, request.workspace_id, name)
        report = preflight.unseen(request, seen.reached.shut, account_id=account_id, held_by=held_by)
    else:
        held_by = _holder(ledger, case.workspace.workspace_id, case.workspace.name)
        refusals = seen.verdict.refusals
        report = preflight.report(case, plan, refusals, seen.reached, account_id=account_id, held_by=held_by)
    return Planned(decision="report", rotation_id=event.rotation_id, status="planned", plan=plan, preflight=report)


def open_in_ledger(
    ledger: Ledger, event: PlanEvent, request: Request, plan: Plan, *, replaces: Rotation | None
) -> Rotation:
    """The rotation, with its lease, its keys' marks and its first entry. Raises RotationInProgress."""
    rotation = Rotation(
        rotation_id=event.rotation_id,
        execution_arn=event.execution_arn,
        # Time-based, so that it only ever grows: a later holder's writes win over an earlier one's.
        fence=time.time_ns() // 1_000_000,
        status="planned",
        request=request,
        plan=plan,
        created_at=clock.stamp(),
    )
    opened = ledger.open(
        rotation,
        {"request": request.model_dump(mode="json"), "why": list(plan.why), "would_stop": plan.would_stop},
        replaces=replaces.rotation_id if replaces else None,
        keys=marked(ledger, rotation, clock.now()),
    )
    if opened.fence == rotation.fence:  # Not of an earlier call of the same step.
        count("RotationsStarted")
    return opened


def _answer(decision: Literal["rotate", "already_requested"], rotation: Rotation) -> Planned:
    return Planned(decision=decision, rotation_id=rotation.rotation_id, status=rotation.status, plan=rotation.plan)
