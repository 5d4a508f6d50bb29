"""What a rotation leaves in CloudWatch: log lines that one query makes a story of, and metrics of phases and keys."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rekey.base.errors import InvalidRequest, RekeyError
from rekey.base.observability import NAMESPACE, logger
from tests.steps.world import World

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()
QUERY = next(
    block for block in re.findall(r"(?:^    .+\n)+", PAGE, re.MULTILINE) if "fields @timestamp, function" in block
)

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Every log line that the Lambdas have written so far."""
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


def found(line: dict[str, Any], field: str) -> Any:
    """A field as Logs Insights names it: parts of objects and numbers in lists, joined by dots."""
    value: Any = line
    for part in field.split("."):
        value = value[int(part)] if isinstance(value, list) and len(value) > int(part) else value
        value = value.get(part) if isinstance(value, dict) else value
    return None if isinstance(value, (dict, list)) else value


def gauges(printed: str, name: str, dimension: str) -> dict[str, float]:
    """{value of the dimension: value of the metric}, of what was written in CloudWatch's embedded metric format."""
    read = {}
    for line in printed.splitlines():
        metric = json.loads(line) if line.startswith("{") else {}
        for directive in metric.get("_aws", {}).get("CloudWatchMetrics", []):
            if directive["Metrics"][0]["Name"] == name:
                assert directive["Namespace"] == NAMESPACE
                assert [sorted(each) for each in directive["Dimensions"]] == [sorted(["service", dimension])]
                assert metric["service"] == NAMESPACE
                (read[metric[dimension]],) = metric[name]
    return read


def test_the_documented_query_tells_a_rotations_whole_story(world: World, lines: Lines) -> None:
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    world.rotate(workspace_id=workspace_id)
    story = lines()
    assert {(each["rotation_id"], each["workspace_id"]) for each in story} == {("r1", workspace_id)}
    levels = json.loads(re.findall(r"level in (\[.+\])", QUERY)[0])
    assert {each["level"] for each in story} <= set(levels)
    for field in re.findall(r"fields (.+)", QUERY)[0].split(", ")[1:]:
        assert any(found(each, field) is not None for each in story), f"no line has {field}"


def test_a_failures_lines_carry_both_ids_and_a_query_finds_them(world: World, lines: Lines) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="add")
    world.fail()
    assert {(each["rotation_id"], each["workspace_id"]) for each in lines()} == {("r1", workspace_id)}
    (field, value), *_ = re.findall(r'`(result\.\w+) = "(\w+)"`', PAGE)
    assert [found(each, field) for each in lines()].count(value) == 1


def test_a_refused_requests_lines_carry_its_ids(world: World, lines: Lines) -> None:
    with pytest.raises(InvalidRequest):
        world.plan(workspace_id=1, colour="red")
    failure = {"state": "Plan rotation", "error": "InvalidRequest", "cause": "colour"}
    world.call("record_refusal", rotation_id="r1", request={"workspace_id": 1}, failure=failure)
    assert [(each["level"], each["rotation_id"]) for each in lines()] == [("ERROR", "r1"), ("INFO", "r1")]
    assert lines()[1]["workspace_id"] == 1


def test_a_call_that_finds_no_rotation_says_which(world: World, lines: Lines) -> None:
    with pytest.raises(RekeyError, match="knows no rotation r7"):
        world.call("verify", rotation_id="r7")
    assert [(each["level"], each["rotation_id"]) for each in lines()] == [("ERROR", "r7")]


def test_each_phase_of_the_evidence_is_measured_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.rotate(workspace_id=world.workspace()["workspace_id"], operation="add")
    measured = gauges(capsys.readouterr().out, "PhaseSeconds", "phase")
    assert measured == {each["phase"]: each["seconds"] for each in world.evidence()["phases"]}
    assert "Settle wait" in measured
    world.complete()
    assert gauges(capsys.readouterr().out, "PhaseSeconds", "phase") == {}


def test_each_sweep_counts_the_keys_by_state(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    none = dict.fromkeys(("made", "current", "grace", "due", "disabled", "held", "retained", "revoked", "gone"), 0)
    assert world.sweep(0)["looked_at"] == 0
    assert gauges(capsys.readouterr().out, "Keys", "state") == none
    old = world.make_key()
    world.rotate(workspace_id=world.workspace(keys={"managed_services": old})["workspace_id"])
    world.sweep(600)
    assert gauges(capsys.readouterr().out, "Keys", "state") == {**none, "current": 1, "grace": 1}
    world.sweep(86_400)
    assert gauges(capsys.readouterr().out, "Keys", "state") == {**none, "current": 1, "disabled": 1}
