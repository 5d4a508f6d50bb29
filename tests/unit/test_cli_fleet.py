"""`rekey fleet`: what it asks of AWS, and what it says of a fleet, within 80 columns."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody
from rich.console import Console

from cli.fleet_text import show_plan, show_status
from rekey.ledger.fleets import fleet_item
from rekey.ledger.items import marshal
from rekey.model.fleet import Fleet, FleetPlan, Member
from rekey.model.fleet_request import parse_fleet_request
from tests.fleet_samples import a_report
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
    waiting = a_report(said="Waits for a person since 20:00, for wave 3 of 3: rekey fleet approve autumn.")
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
    request = {"fleet": fleet, "requested_by": CALLER}
    aws.answers(
        "stepfunctions",
        "start_execution",
        {"executionArn": "arn:of:it", "startDate": STARTED},
        {"stateMachineArn": FLEET_MACHINE, "name": "autumn-01234567", "input": json.dumps(request)},
    )
    typed = ("--named", "prod-*", "--waves", "1,5", "--add-missing", "--window", "SAT 22:00-04:00 UTC")
    done = run("fleet", "rotate", "autumn", *typed, "--yes", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout) == {"status": "started", "fleet": "autumn", "execution_arn": "arn:of:it"}


@pytest.mark.parametrize(("status", "code"), [("running", 3), ("succeeded", 0), ("incomplete", 1), ("stopped", 1)])
def test_the_exit_status_says_how_it_stands(aws: Aws, status: str, code: int) -> None:
    aws.invoked("rekey-report-fleet", {"name": "autumn"}, {})
    in_the_bucket(aws, "fleets/autumn/fleet.json", a_report(status=status).model_dump_json().encode())
    done = run("fleet", "status", "autumn")
    assert done.exit_code == code
    assert f"Fleet autumn: {status}" in done.stdout


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
        (["plan", "autumn", "--named", "*", "--window", "by night"], "fleet.window: it is no window"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_what_is_typed_wrongly_starts_nothing(typed: list[str], said: str) -> None:
    done = run("fleet", *typed)
    assert done.exit_code == 2
    assert said in done.stderr
