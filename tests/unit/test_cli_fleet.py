"""`rekey fleet`: what it asks of AWS, and what it says of a fleet, within 80 columns."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from rich.console import Console

from cli.fleet_follow import FleetView
from cli.fleet_text import show_plan, show_status
from rekey.ledger.fleets import fleet_item
from rekey.ledger.items import marshal
from rekey.model.fleet import Fleet, FleetPlan, Member
from rekey.model.fleet_request import parse_fleet_request
from tests.fleet_samples import a_look, a_report
from tests.unit.commands_aws import CALLER, STARTED, Aws, run

FLEET_MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:rekey-rotate-fleet"


def screen(draw: Any) -> list[str]:
    written = io.StringIO()
    draw(Console(file=written, width=80, force_terminal=True, color_system=None, highlight=False, markup=False))
    return [line.rstrip() for line in written.getvalue().splitlines()]


def in_the_bucket(aws: Aws, key: str, body: bytes) -> None:
    answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
    aws.answers("s3", "get_object", answer, {"Bucket": "evidence", "Key": key})


def test_at_two_in_the_morning_one_look_is_enough() -> None:
    lines = screen(lambda to: show_status(a_report(), to, datetime(2026, 11, 21, 20, tzinfo=UTC)))
    assert lines[:2] == ["Fleet autumn: running, asked 3 h ago", "Wave 3 of 3 goes on. 1 of 31 did not succeed."]
    assert [line.split() for line in lines[3:7]] == [
        ["WAVE", "OF", "SUCCEEDED", "FAILED", "GOES", "ON", "NOT", "BEGUN"],
        ["1", "1", "1", "-", "-", "-"],
        ["2", "5", "4", "1", "-", "-"],
        ["3", "now", "25", "-", "-", "10", "15"],
    ]
    assert "Did not succeed:" in lines
    assert "  analytics-prod-006 (1234567890123006): failed" in lines
    assert "1 rotation left out as forbidden." in lines
    assert lines[-1] == "Next: rekey status autumn-6"
    assert max(map(len, lines)) <= 80


def test_who_is_waited_for_is_what_comes_next() -> None:
    said = "Waits for a person since 20:00, for wave 3 of 3: rekey fleet approve autumn."
    waiting = a_report(said=said, waits_for="wave 3 of 3")
    lines = screen(lambda to: show_status(waiting, to, datetime(2026, 11, 21, 20, tzinfo=UTC)))
    assert lines[-1] == "Next: rekey fleet approve autumn"


def test_a_plan_says_first_what_is_left_out() -> None:
    request = parse_fleet_request({"fleet": {"name": "autumn", "named": "*", "waves": [1, 2], "ask": "canary"}})
    members = [
        Member(
            rotation_id=f"autumn-{n}",
            workspace_id=n,
            workspace_name=f"prod-{n}",
            region="eu-central-1",
            operation="rotate",
            use_cases=("MANAGED_SERVICES",),
            wave=wave,
            forbidden=("workspace_id: it is FAILED. Fix: repair it.",) if not wave else (),
            expected_seconds=300,
            expected_downtime_seconds=120,
        )
        for n, wave in enumerate((1, 2, 2, 0))
    ]
    plan = FleetPlan(request=request, execution_arn="arn", planned_at="2026-11-21T17:00:00Z", members=tuple(members))
    lines = screen(lambda to: show_plan(plan, to))
    assert lines[:3] == ["1 rotation left out:", "  prod-3 (3)", "    workspace_id: it is FAILED. Fix: repair it."]
    assert "Fleet autumn: 3 rotations in 2 waves" in lines
    assert "A person is asked after the first wave." in lines
    assert max(map(len, lines)) <= 80


def test_a_fleet_is_started_under_its_name_by_whoever_asks(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.fleet.uuid.uuid4", lambda: type("U", (), {"hex": "0123456789"})())
    aws.caller()
    fleet = {"named": "prod-*", "add_missing": True, "waves": [1, 5], "window": "SAT 22:00-04:00 UTC", "name": "autumn"}
    fleet = {"named": "prod-*", "rest_of": "summer", **fleet}
    request = {"fleet": fleet, "requested_by": CALLER}
    aws.answers(
        "stepfunctions",
        "start_execution",
        {"executionArn": "arn:of:it", "startDate": STARTED},
        {"stateMachineArn": FLEET_MACHINE, "name": "autumn-01234567", "input": json.dumps(request)},
    )
    typed = (
        "--named",
        "prod-*",
        "--rest-of",
        "summer",
        "--waves",
        "1,5",
        "--add-missing",
        "--window",
        "SAT 22:00-04:00 UTC",
    )
    done = run("fleet", "rotate", "autumn", *typed, "--yes", "--json", "--detach")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {"status": "started", "fleet": "autumn", "execution_arn": "arn:of:it"}


@pytest.mark.parametrize(("status", "code"), [("running", 3), ("succeeded", 0), ("incomplete", 1), ("stopped", 1)])
def test_the_exit_status_says_how_it_stands(aws: Aws, status: str, code: int) -> None:
    aws.invoked("rekey-report-fleet", {"name": "autumn"}, {})
    in_the_bucket(aws, "fleets/autumn/fleet.json", a_report(status=status).model_dump_json().encode())
    done = run("fleet", "status", "autumn")
    assert done.exit_code == code
    assert f"Fleet autumn: {status}" in done.stdout


@pytest.fixture
def started(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A fleet that `rekey fleet rotate` has started; what follows is what it sees."""
    monkeypatch.setattr("cli.fleet_follow.time.sleep", lambda _: None)
    aws.caller()
    aws.answers("stepfunctions", "start_execution", {"executionArn": "arn:of:it", "startDate": STARTED})
    return aws


def rotate(*more: str) -> Any:
    return run("fleet", "rotate", "autumn", "--named", "prod-*", "--yes", "--json", *more)


LOOK = {"name": "autumn", "look": True}


def seen(aws: Aws, execution: str = "RUNNING", **changes: Any) -> None:
    """One look at the fleet as it is then."""
    aws.described(status=execution)
    aws.invoked("rekey-report-fleet", LOOK, a_look(**changes).model_dump(mode="json"))


def unknown(aws: Aws, execution: str = "RUNNING", **more: str) -> None:
    """A look while the ledger does not have it."""
    aws.described(status=execution, **more)
    said = {"errorType": "RekeyError", "errorMessage": "The ledger knows no fleet autumn. Fix: see"}
    aws.invoked("rekey-report-fleet", LOOK, said, FunctionError="Unhandled")


def ends(aws: Aws, **changes: Any) -> None:
    """The report that is shown at the end."""
    aws.invoked("rekey-report-fleet", {"name": "autumn"}, {})
    in_the_bucket(aws, "fleets/autumn/fleet.json", a_report(**changes).model_dump_json().encode())


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("incomplete", 1), ("stopped", 1), ("declined", 1)])
def test_a_fleet_is_followed_to_its_end(started: Aws, status: str, code: int) -> None:
    unknown(started)
    seen(started, said="Wave 1 of 3 goes on.")
    seen(started, said="Wave 1 of 3 goes on.")
    seen(started, "SUCCEEDED" if code == 0 else "FAILED", status=status, said="It is over.")
    ends(started, status=status, said="It is over.")
    done = rotate()
    assert done.exit_code == code, done.stderr
    assert json.loads(done.stdout)["status"] == status
    told = [line.split(None, 2)[-1] for line in done.stderr.splitlines()[1:]]
    assert told == ["Plan fleet", "Wave 1 of 3 goes on.", "It is over."]
    assert done.stderr.startswith("rekey: the fleet autumn is started; Ctrl-C detaches, and it goes on")


def test_one_that_needs_attention_has_the_exit_status_of_a_rotation(started: Aws) -> None:
    ended: dict[str, Any] = {"status": "succeeded", "outcomes": {"succeeded": 3, "needs_attention": 1}}
    seen(started, "SUCCEEDED", **ended)
    ends(started, **ended)
    assert rotate().exit_code == 4


def test_whom_it_waits_for_is_said_once_with_the_command(started: Aws) -> None:
    waiting: dict[str, Any] = {"said": "Waits for a person since 20:00, for wave 2.", "waits_for": "wave 2"}
    seen(started, **waiting)
    seen(started, **waiting)
    seen(started, "SUCCEEDED", status="succeeded", said="All of it.")
    ends(started, status="succeeded")
    done = rotate()
    assert done.stderr.count("To answer: rekey fleet approve autumn") == 1


def test_a_fleet_that_is_refused_says_why(started: Aws) -> None:
    unknown(started)
    unknown(started, "FAILED", error="RequestRefused", cause="fleet: no workspace fits it. Fix: ask otherwise.")
    done = rotate()
    assert done.exit_code == 1
    assert "no workspace fits it" in json.loads(done.stdout)["error"]


def test_one_that_was_asked_for_before_is_followed_where_it_is(started: Aws) -> None:
    """Our execution ends at once: another one is at work on the fleet."""
    seen(started, "SUCCEEDED", said="Wave 2 of 3 goes on.")
    seen(started, "SUCCEEDED", status="succeeded", said="All of it.")
    ends(started, status="succeeded")
    assert rotate().exit_code == 0


def test_one_that_is_taken_up_again_is_not_over_yet(started: Aws) -> None:
    seen(started, status="failed", said="The fleet's own execution failed.")
    seen(started, said="Wave 2 of 3 goes on.")
    seen(started, "SUCCEEDED", status="succeeded", said="All of it.")
    ends(started, status="succeeded")
    assert rotate().exit_code == 0


def test_one_whose_execution_died_is_not_followed_for_ever(started: Aws) -> None:
    seen(started, "ABORTED", execution_status="ABORTED", said="Its execution is ABORTED.")
    ends(started, execution_status="ABORTED", said="Its execution is ABORTED.")
    done = rotate()
    assert (done.exit_code, json.loads(done.stdout)["status"]) == (1, "running")


def test_a_network_that_comes_back_is_waited_for(started: Aws) -> None:
    started.refuses("stepfunctions", "describe_execution", "ThrottlingException", "Rate exceeded")
    seen(started, "SUCCEEDED", status="succeeded", said="All of it.")
    ends(started, status="succeeded")
    done = rotate()
    assert done.exit_code == 0
    assert "Rate exceeded; trying again" in done.stderr


def test_ctrl_c_leaves_the_fleet_running_and_says_how_to_come_back(
    started: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.fleet_follow.time.sleep", interrupt)
    seen(started, said="Wave 1 of 3 goes on.")
    done = rotate()
    assert (done.exit_code, json.loads(done.stdout)) == (130, {"status": "detached", "fleet": "autumn"})
    assert "detached; the fleet goes on" in done.stderr
    assert "  rekey fleet status autumn --follow    to see it again" in done.stderr
    assert "  rekey fleet cancel autumn    to end it, safely" in done.stderr


def test_a_fleet_is_followed_later_too(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.fleet_follow.time.sleep", lambda _: None)
    ends(aws)
    seen(aws)
    seen(aws, "SUCCEEDED", status="succeeded", said="All of it.")
    ends(aws, status="succeeded", said="All of it.")
    done = run("fleet", "status", "autumn", "--follow")
    assert done.exit_code == 0
    assert done.stdout.startswith("Fleet autumn: succeeded")


def test_the_live_view_fits_and_shows_what_has_begun() -> None:
    said = "Wave 2 of 3 goes on. 1 of 31 did not succeed." + " And so on." * 6
    look = a_look(wave=2, said=said, waits_for="wave 3")
    view = FleetView("autumn", look, 754, " --local", "AWS could not be reached")
    lines = screen(lambda to: to.print(view))
    assert lines[0] == "Fleet autumn: running, 12 min 34 s"
    assert "To answer: rekey fleet approve autumn --local" in lines
    assert [line.split()[:3] for line in lines if line[:1].isdigit()] == [
        ["1", "1", "1"],
        ["2", "now", "5"],
        ["3", "25", "-"],
    ]
    assert lines[-1] == "AWS could not be reached; trying again"
    assert max(map(len, lines)) <= 80
    assert screen(lambda to: to.print(FleetView("autumn", None, 3)))[0] == "Fleet autumn: being planned, 3 s"


def test_the_list_says_which_fleets_wait_for_somebody(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    fleets = [
        a_fleet("policy-2026-11-27T09-00-00Z", asked_at="2026-11-27T09:01:00Z", asked_for="the plan"),
        a_fleet("autumn"),
    ]
    items = [marshal(fleet_item(each)) for each in fleets]
    monkeypatch.setattr(aws.ledger, "query", lambda **_: {"Items": items}, raising=False)
    lines = run("fleet", "status").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["policy-2026-11-27T09-00-00Z", "autumn"]
    assert (lines[1].endswith("waits: the plan"), lines[2].split()[-1]) == (True, "-")
    assert max(map(len, lines)) <= 80


def a_fleet(name: str, **more: Any) -> Fleet:
    return Fleet(
        name=name,
        status="planned",
        request=parse_fleet_request({"fleet": {"name": name, "named": "*"}}),
        request_digest="d",
        execution_arn="arn",
        plan_sha256="p",
        waves=4,
        created_at="2026-11-27T09:00:00Z",
        **more,
    )


def test_the_report_has_every_rotation(aws: Aws) -> None:
    aws.invoked("rekey-report-fleet", {"name": "autumn"}, {})
    in_the_bucket(aws, "fleets/autumn/fleet.json", a_report().model_dump_json().encode())
    done = run("fleet", "report", "autumn", "-o", "csv")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 1 + 32


def test_steering_is_in_the_callers_name(aws: Aws) -> None:
    aws.caller()
    event = {"name": "autumn", "wish": "cancel", "by": CALLER, "reason": "an outage"}
    aws.invoked("rekey-steer-fleet", event, {"name": "autumn", "status": "running", "what": "No further one begins."})
    done = run("fleet", "cancel", "autumn", "--reason", "an outage", "--yes")
    assert (done.exit_code, done.stdout) == (0, "autumn: No further one begins.\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["plan", "autumn"], "it does not say which workspaces"),
        (["plan", "autumn", "--named", "*", "--waves", "few"], "--waves: give sizes"),
        (["plan", "--named", "*"], "fleet.name: it is missing"),
        (["plan", "autumn", "--named", "*", "--concurrency", "99"], "fleet.concurrency"),
        (["plan", "autumn", "--rest-of", "last year's"], "fleet.rest_of"),
        (["plan", "autumn", "--named", "*", "--window", "by night"], "fleet.window: it is no window"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_what_is_typed_wrongly_starts_nothing(typed: list[str], said: str) -> None:
    done = run("fleet", *typed)
    assert done.exit_code == 2
    assert said in done.stderr
