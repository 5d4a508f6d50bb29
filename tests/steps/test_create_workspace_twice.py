"""create_workspace: answers that are lost and namesakes; no second workspace is made, and none is left unnoticed."""

from contextlib import suppress
from typing import Any

import pytest

from rekey.base import errors
from tests.steps.creating import WORKSPACES, configurations, prepare, wish, workspaces
from tests.steps.looks import kms_keys
from tests.steps.outages import held_up
from tests.steps.world import A_DAY_LATER, POLL_SECONDS, World


@pytest.mark.rule("create-twice")
@pytest.mark.parametrize("lost", [{"fault": "applied_then_lost"}, {"fault": "applied_then_lost", "status": 500}])
def test_a_lost_answer_makes_nothing_twice(world: World, lost: dict[str, Any]) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, **lost)
    held_up(world, "create_workspace", "OutcomeUnknown")
    assert world.rotation().creation_outcome == "unknown"
    world.loop("create_workspace")
    assert (len(workspaces(world)), world.rotation().creation_outcome) == (1, "accepted")


def test_a_request_that_never_arrived_is_sent_again_but_not_at_once(world: World) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="reset")
    held_up(world, "create_workspace", "OutcomeUnknown")
    world.clock.advance(115)
    waiting = world.call("create_workspace", rotation_id="r1")
    assert "POST got no answer" in waiting["waiting_for"][0]
    assert workspaces(world) == []
    world.clock.advance(5)
    world.call("create_workspace", rotation_id="r1")
    assert len(workspaces(world)) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        {"fault": "throttle"},
        {"fault": "status", "status": 503, "message": "Busy."},
        {"fault": "status", "status": 400, "error_code": "INVALID_PARAMETER_VALUE", "message": "No."},
    ],
)
def test_a_refusal_says_nothing_about_the_request_before_it(world: World, refusal: dict[str, Any]) -> None:
    """The workspace of the first one may show yet: the way back has to watch for it."""
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="reset")
    held_up(world, "create_workspace", "OutcomeUnknown")
    world.clock.advance(120)
    world.post("faults", match=WORKSPACES, times=1, **refusal)
    with suppress(errors.DatabricksError):
        assert world.call("create_workspace", rotation_id="r1")["done"] is False
    assert workspaces(world) == []
    assert world.rotation().creation_outcome == "unknown"
    failure = {"state": "Create workspace", "error": "DatabricksError", "cause": "refused"}
    early = world.call("roll_back", rotation_id="r1", failure=failure)
    assert "may still appear" in early["waiting_for"][0]


def test_a_list_that_is_stale_makes_nothing_twice(world: World) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="applied_then_lost")
    held_up(world, "create_workspace", "OutcomeUnknown")
    world.post("faults", match={"method": "GET", "path": "*/workspaces"}, fault="stale", times=2)
    world.loop("create_workspace")
    assert len(workspaces(world)) == 1


def test_a_second_workspace_that_showed_too_late_is_named(world: World) -> None:
    prepare(world, wish(world, network_id=None))
    world.post("faults", match=WORKSPACES, fault="applied_then_lost")
    held_up(world, "create_workspace", "OutcomeUnknown")
    world.post("faults", match={"method": "GET", "path": "*/workspaces"}, fault="stale", times=1)
    world.clock.advance(120)
    world.call("create_workspace", rotation_id="r1")
    assert len(workspaces(world)) == 2
    world.loop("create_workspace")
    world.loop("verify")
    (finding,) = world.complete()["findings"]
    assert "A second workspace named new" in finding


def test_throttling_before_the_request_was_looked_at_is_not_unknown(world: World) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="throttle")
    held_up(world, "create_workspace", "DatabricksThrottled")
    world.call("create_workspace", rotation_id="r1")
    assert len(workspaces(world)) == 1


def test_a_namesake_that_somebody_else_made_meanwhile_is_not_taken_over(world: World) -> None:
    prepare(world, wish(world))
    other = world.workspace(workspace_name="new")["workspace_id"]
    with pytest.raises(errors.WorkspaceChanged, match=str(other)):
        world.call("create_workspace", rotation_id="r1")
    report = world.fail("Create workspace", "WorkspaceChanged")
    assert "No workspace was made." in report["failure"]["cause"]
    assert configurations(world) == []


def test_a_workspace_of_which_no_answer_came_is_found_on_the_way_back(world: World) -> None:
    prepare(world, wish(world))
    world.post("faults", match=WORKSPACES, fault="applied_then_lost")
    held_up(world, "create_workspace", "OutcomeUnknown")
    report = world.fail("Create workspace", "OutcomeUnknown")
    (made,) = workspaces(world)
    assert made["workspace_status"] == "RUNNING"
    assert world.rotation().workspace_id == made["workspace_id"]
    assert any(f"{made['workspace_id']} (new) is RUNNING with the key" in each for each in report["findings"])
    assert len(configurations(world)) == 1
    assert world.get("health")["unreadable"] == []


def test_a_workspace_of_which_nothing_ever_came_is_watched_for_and_then_let_go(world: World) -> None:
    prepare(world, {**wish(world), "use_cases": ["MANAGED_SERVICES"]})
    world.post("faults", match=WORKSPACES, fault="reset")
    held_up(world, "create_workspace", "OutcomeUnknown")
    failure = {"state": "Create workspace", "error": "OutcomeUnknown", "cause": "lost"}
    for _ in range(2):
        early = world.call("roll_back", rotation_id="r1", failure=failure)
        assert "may still appear" in early["waiting_for"][0]
        world.clock.advance(600 - POLL_SECONDS)
    report = world.fail("Create workspace", "OutcomeUnknown")
    assert "No workspace was made." in report["failure"]["cause"]
    assert configurations(world) == []
    assert world.sweep(A_DAY_LATER)["disabled"] == [world.rotation().key_arn]


def test_a_workspace_that_never_comes_up_is_named_after_ten_minutes(world: World) -> None:
    world.post("latencies", workspace_provisioning=100_000)
    prepare(world, wish(world))
    world.call("create_workspace", rotation_id="r1")
    report = world.fail("Create workspace", "WorkspaceDidNotComeUp")
    assert any("is PROVISIONING with the key configuration" in each for each in report["findings"])
    assert len(configurations(world)) == 1


@pytest.mark.parametrize("until", ["create_key", "set_policy", "register_config"])
def test_a_failure_before_the_workspace_is_asked_for_leaves_no_trace(world: World, until: str) -> None:
    request = wish(world)
    world.plan(**request)
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
        if name == until:
            break
    report = world.fail()
    assert "No workspace was made." in report["failure"]["cause"]
    assert (workspaces(world), configurations(world)) == ([], [])
    assert [world.key_state(each) for each in kms_keys()] == ["Disabled"]
    assert world.plan("r2", **request)["decision"] == "rotate"


def test_a_failure_after_the_proof_leaves_the_workspace_as_it_is(world: World) -> None:
    prepare(world, wish(world))
    world.loop("create_workspace")
    world.loop("verify")
    report = world.fail("Complete rotation", "AwsError")
    assert "runs with its keys, which were proven" in report["failure"]["cause"]
    assert len(configurations(world)) == 1
