"""A rotation that succeeds and leaves something to a person says so in its summary, metrics, evidence and page."""

from typing import Any

import pytest

from rekey.model.attention import INFORMING, attention, down_now, outcome
from rekey.model.findings import Finding, FindingCode
from rekey.pages.evidence import render
from rekey.rotation import down, ending
from tests.builders import a_rotation
from tests.steps.outages import OUTAGES, databricks_fails
from tests.steps.workloads import FAILS
from tests.steps.world import World


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The metrics that the rotation's end counts."""
    names: list[str] = []
    monkeypatch.setattr(ending, "count", names.append)
    return names


def ended(world: World, bad: int) -> Any:
    """Clusters that fail at each start beside one that comes back."""
    workspace = world.workspace(clusters=[*[FAILS] * bad, {}], pools=0, warehouses=0)
    return world.rotate(workspace_id=workspace["workspace_id"], operation="add")


def test_three_clusters_that_stay_down_need_attention_and_the_downtime_is_not_over(
    world: World, counted: list[str]
) -> None:
    summary = ended(world, bad=3)
    assert (summary["status"], summary["outcome"]) == ("succeeded", "needs_attention")
    assert (summary["still_down"], summary["downtime_seconds"]) == ({"cluster": 3}, None)
    assert len(summary["attention"]) == 3
    assert counted == ["RotationsSucceeded", "RotationsNeedingAttention"]
    evidence = world.evidence()
    assert (evidence["outcome"], evidence["compute"]["still_down"]) == ("needs_attention", {"cluster": 3})
    page = render(evidence)
    assert 'class="status amber"' in page
    assert "Succeeded, needs attention" in page
    assert "not over: 3 clusters are down" in page
    banner = page[page.index('class="status amber"') : page.index("</section>")]
    assert len(evidence["attention"]) == 3
    assert all(each in banner for each in evidence["attention"])


def test_a_rotation_whose_compute_is_back_needs_none(world: World, counted: list[str]) -> None:
    summary = ended(world, bad=0)
    assert (summary["outcome"], summary["still_down"], summary["attention"]) == ("succeeded", {}, [])
    assert summary["downtime_seconds"] > 0
    assert counted == ["RotationsSucceeded"]
    assert 'class="status good"' in render(world.evidence())


@pytest.mark.parametrize(
    ("down", "said"),
    [
        ({}, ""),
        ({"cluster": 1}, "1 cluster is down"),
        ({"cluster": 3}, "3 clusters are down"),
        ({"cluster": 2, "pool": 1, "warehouse": 1}, "2 clusters, 1 pool and 1 warehouse are down"),
    ],
)
def test_what_is_down_is_counted_by_kind(down: dict[str, int], said: str) -> None:
    assert down_now(down) == said


@pytest.mark.parametrize("code", FindingCode)
def test_every_finding_informs_or_needs_a_person(code: FindingCode) -> None:
    """What nobody has put into the list of the harmless needs a person."""
    finding = Finding(code=code, text="x")
    found = a_rotation().model_copy(update={"status": "succeeded", "findings": (finding,)})
    assert outcome(found) == ("succeeded" if code in INFORMING else "needs_attention")
    assert attention(found) == (() if code in INFORMING else (finding,))


def test_what_is_down_needs_a_person_also_without_a_finding_and_a_failed_rotation_has_failed() -> None:
    down = a_rotation().model_copy(update={"status": "succeeded", "still_down": {"cluster": 1}})
    assert outcome(down) == "needs_attention"
    assert outcome(down.model_copy(update={"status": "failed"})) == "failed"


def test_compute_that_is_down_too_long_is_counted_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    monkeypatch.setattr(down, "count", names.append)
    world.prepare(workspace_id=world.workspace(clusters=1, pools=0, warehouses=0)["workspace_id"], operation="add")
    world.loop("terminate_compute")
    failure = {"state": "Verify", "error": "SwitchReverted", "cause": "it went back"}
    for seconds, counted_so_far in ((1_700, []), (100, ["ComputeDown"]), (900, ["ComputeDown"])):
        world.clock.advance(seconds)
        with databricks_fails(world, **OUTAGES["reset"]):
            world.call("restart_compute", rotation_id="r1", failure=failure)
            world.call("roll_back", rotation_id="r1", failure=failure)
        assert names == counted_so_far
