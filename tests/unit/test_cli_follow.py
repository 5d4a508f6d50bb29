"""Following an execution: what its history says, and how it is shown."""

import ast
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.follow import Board, Column, Execution, Follower, Look, cells, waiting_line
from cli.follow.steps import APPROVAL, PAUSES, WAITS, route_of, step_of

ROOT = Path(__file__).resolve().parents[2]
STATES = json.loads((ROOT / "stepfunctions/rotate_key.asl.json").read_text(encoding="utf-8"))["States"]


class History:
    """Writes events as GetExecutionHistory gives them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._add(0, "ExecutionStarted")

    def _add(self, at: float, kind: str, **details: Any) -> "History":
        moment = datetime.fromtimestamp(1_800_000_000 + at, tz=UTC)
        self.events.append({"id": len(self.events) + 1, "type": kind, "timestamp": moment, **details})
        return self

    def enter(self, at: float, state: str) -> "History":
        return self._add(at, f"{STATES[state]['Type']}StateEntered", stateEnteredEventDetails={"name": state})

    def answer(self, at: float, state: str, **answer: Any) -> "History":
        details = {"name": state, "output": json.dumps(answer)}
        return self._add(at, "TaskStateExited", stateExitedEventDetails=details)

    def fail(self, at: float, error: str) -> "History":
        return self._add(at, "TaskFailed", taskFailedEventDetails={"error": error, "cause": "{}"})

    def end(self, at: float, kind: str = "ExecutionSucceeded") -> "History":
        return self._add(at, kind)

    def read(self) -> Execution:
        return Execution("arn").after(self.events)


def stopping() -> History:
    """Twenty seconds into a rotation: compute is being stopped."""
    history = History().enter(0, "Plan rotation").answer(2, "Plan rotation", plan={"settle": False})
    history.enter(2, "Route by plan").enter(2, "Wait for window").enter(2, "Create key").enter(4, "Terminate compute")
    history.answer(5, "Terminate compute", done=False, waiting_for=["cluster a TERMINATING", "cluster b TERMINATING"])
    return history.enter(5, "Is compute gone?").enter(5, "Wait for compute to stop").enter(10, "Terminate compute")


def now(seconds: float) -> float:
    return 1_800_000_000 + seconds


def test_a_loop_is_one_step_that_goes_on() -> None:
    execution = stopping().read()
    assert execution.current == "Terminate compute"
    assert [each.name for each in execution.steps] == [
        "Plan rotation",
        "Wait for window",
        "Create key",
        "Terminate compute",
    ]
    assert execution.steps[-1].elapsed(now(20)) == 16
    assert execution.waiting_for == ("cluster a TERMINATING", "cluster b TERMINATING")


def test_coming_back_to_a_step_adds_to_its_time() -> None:
    history = stopping().enter(10, "Switch workspace key").enter(12, "Wait for instances to stop")
    history.enter(15, "Terminate compute").enter(16, "Switch workspace key")
    execution = history.read()
    assert [execution.step(name).elapsed(now(20)) for name in ("Terminate compute", "Switch workspace key")] == [  # type: ignore[union-attr]
        7,
        9,
    ]


def test_a_call_that_is_tried_again_says_so() -> None:
    execution = stopping().fail(11, "DatabricksThrottled").read()
    assert execution.waiting_for == ("another try after DatabricksThrottled",)


def test_after_the_end_nothing_is_waited_for_and_no_time_passes() -> None:
    execution = stopping().end(30).read()
    assert execution.steps[-1].elapsed(now(99)) == 26
    assert execution.elapsed(now(99)) == 30


def test_a_failed_rotation_keeps_the_summary_that_its_failure_route_wrote() -> None:
    summary = {"status": "failed", "findings": ["one"], "evidence": "s3://bucket/rotations/r1/evidence.json"}
    service = Service(stopping().enter(12, "Record failure").answer(13, "Record failure", **summary))
    service.history.end(13, "ExecutionFailed")
    service.described |= {"status": "FAILED", "stopDate": service.history.events[-1]["timestamp"]}
    assert Follower(service, "arn").look().output == summary  # type: ignore[arg-type]


def test_events_seen_twice_do_no_harm() -> None:
    history = stopping()
    execution = history.read()
    assert execution.after(history.events) == execution


def test_cut_payloads_do_no_harm() -> None:
    history = stopping()
    history.events[-1:] = [{**stopping().answer(10, "Terminate compute").events[-1]}]
    history.events[-1]["stateExitedEventDetails"]["output"] = '{"waiting_for": ["clus'
    assert history.read().waiting_for == ()


class Service:
    """Step Functions, as far as a follower asks it: newest first, in pages."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.described: dict[str, Any] = {"status": "RUNNING", "startDate": history.events[0]["timestamp"]}
        self.pages = 0

    def describe_execution(self, **_: Any) -> dict[str, Any]:
        return self.described

    def get_execution_history(self, maxResults: int, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        self.pages += 1
        start = int(nextToken)
        events = self.history.events[::-1][start : start + maxResults]
        more = start + maxResults < len(self.history.events)
        return {"events": events, **({"nextToken": str(start + maxResults)} if more else {})}


def test_a_follower_reads_long_histories_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.follow.follower.PAGE", 4)
    service = Service(stopping())
    follower = Follower(service, "arn")  # type: ignore[arg-type]
    assert follower.look() == service.history.read()
    assert service.pages == 3
    service.history.enter(11, "Switch workspace key")
    assert follower.look().current == "Switch workspace key"
    assert service.pages == 4


def test_a_follower_tells_how_it_ended() -> None:
    service = Service(stopping())
    follower = Follower(service, "arn")  # type: ignore[arg-type]
    service.history.end(30, "ExecutionFailed")
    service.described |= {
        "status": "FAILED",
        "stopDate": service.history.events[-1]["timestamp"],
        "error": "SwitchReverted",
        "cause": "Switch workspace key: …",
    }
    execution = follower.look()
    assert (execution.status, execution.error, execution.elapsed(now(99))) == ("FAILED", "SwitchReverted", 30)


def test_every_wait_of_the_state_machine_is_known() -> None:
    waits = {name for name, state in STATES.items() if state["Type"] == "Wait"}
    inside = STATES["Renew notebooks"]["ItemProcessor"]["States"]
    assert {*waits, APPROVAL, "Renew batch", "Wait for the batch"} == {*PAUSES, *WAITS}
    assert {"Renew batch", "Wait for the batch"} <= set(inside)
    assert set(PAUSES.values()) <= set(STATES)


@pytest.mark.parametrize("operation", ["add", "rotate", "rotate_material", "create_workspace"])
def test_every_step_of_a_route_is_a_state(operation: str) -> None:
    route = route_of({"operation": operation, "approval": True})
    assert [step_of(name, STATES[name]["Type"]) for name in route] == list(route)
    assert route[1] == APPROVAL


def test_the_board_shows_done_now_ahead_and_skipped() -> None:
    column = Column("payments", ("rotate",), stopping().read(), {"Old key": Look("·", "", "dim")})
    looks = {name: str(look) for name, look in cells(column, now(20)).items()}
    assert looks["Plan rotation"] == "✓ 2 s"
    assert looks["Terminate compute"] == "● 16 s"
    assert looks["Settle wait"] == "-"
    assert looks["Verify"] == "·"
    assert "Wait for window" not in looks
    assert waiting_line(column) == "payments waits for cluster a TERMINATING and 1 more"


def test_a_failed_rotation_shows_where_and_the_way_back() -> None:
    history = stopping().enter(12, "Roll back").enter(13, "Restore compute").enter(14, "Record failure")
    execution = Execution("arn", status="FAILED").after(history.end(15, "ExecutionFailed").events)
    looks = {name: str(look) for name, look in cells(Column("a", (), execution), now(20)).items()}
    assert looks["Terminate compute"] == "✗ 8 s"
    assert looks["Record failure"] == "✓ 1 s"
    assert looks["Verify"] == "-"
    assert list(looks)[-3:] == ["Roll back", "Restore compute", "Record failure"]


@pytest.mark.parametrize("width", [80, 100, 140])
def test_the_board_fits(width: int) -> None:
    both = [
        Column("analytics", ("add", "MANAGED_SERVICES + STORAGE"), stopping().read()),
        Column("payments", ("rotate", "MANAGED_SERVICES"), stopping().read()),
    ]
    console = Console(width=width, height=24, record=True, force_terminal=False, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(Board(both, now(20), lambda real: real * 30, "elapsed 20 s"))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert max(map(len, lines)) <= width
    assert len(lines) < 24
    assert not any("…" in line for line in lines)


def test_the_follower_imports_nothing_of_local() -> None:
    """demo uses it, and cli.local_cloud uses local: this keeps the two from becoming a circle."""
    files = [*(ROOT / "cli/follow").glob("*.py"), ROOT / "cli/wording.py", ROOT / "cli/__init__.py"]
    assert len(files) > 2
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("local", "infra") for name in names), (file, names)
            ours = [name for name in names if name.split(".")[0] == "rekey"]
            assert all(name.startswith("rekey.model.") for name in ours), (file, ours)
