"""What happens when a loop's time budget is over, run on the local Step Functions engine with every poll it allows."""

from collections.abc import Mapping

import pytest

from tests.workflow.asl import Machine
from tests.workflow.checks.budgets import worst_loops
from tests.workflow.engine import Engine, Run
from tests.workflow.routes import END, FAILURE, PATCH, PREPARE, RESTART, RESTORE, ROLL_BACK, TERMINATE, VERIFY
from tests.workflow.script import Script, done, fails, plan, script, waits

IN_THE_WAY = waits("Please terminate all EC2 instances", compute_in_the_way=True)

SCRIPTS: Mapping[str, Script] = {
    "terminate": script(terminate_compute=[waits("cluster 1 TERMINATING", "pool 2: 3 instances")]),
    "switch": script(patch_workspace=[waits("the key field to show", compute_in_the_way=False)]),
    "in the way": script(patch_workspace=[IN_THE_WAY]),
    "verify": script(verify=[waits("a notebook to be readable")]),
    "restart": script(restart_compute=[waits("cluster 1 PENDING")]),
    "roll back and restore": script(
        plan_rotation=[plan(settle=True)],
        verify=[fails("SwitchReverted", "It went back.")],
        roll_back=[waits("workspace status PROVISIONING", settle=True)],
        restart_compute=[waits("cluster 1 PENDING")],
    ),
}


@pytest.fixture(scope="module")
def runs(engine: Engine, machine: str) -> dict[str, Run]:
    """All at once: each is a few hundred calls."""
    executions = {name: engine.start(machine, each) for name, each in SCRIPTS.items()}
    return {name: engine.finish(execution) for name, execution in executions.items()}


@pytest.fixture(scope="module")
def rounds() -> dict[str, int]:
    """How often each loop goes round, as the static checks reckon it."""
    return {counter: loop.rounds for counter, loop in worst_loops(Machine.load()).items()}


def test_compute_that_never_stops(runs: dict[str, Run], rounds: dict[str, int]) -> None:
    run = runs["terminate"]
    looped = [*TERMINATE, "Wait for compute to stop"] * rounds["terminate_waited"]
    assert run.states == [*PREPARE, *looped, *TERMINATE, "Compute did not stop", *FAILURE]
    assert run.error == "ComputeDidNotStop"
    assert run.cause == (
        "Terminate compute: Compute still ran after 1800 seconds. "
        "Waiting for: cluster 1 TERMINATING; pool 2: 3 instances"
    )


def test_a_workspace_that_never_switches(runs: dict[str, Run], rounds: dict[str, int]) -> None:
    run = runs["switch"]
    looped = [*PATCH, "Wait for the switch"] * rounds["switch_waited"]
    assert run.states == [*PREPARE, *TERMINATE, *looped, *PATCH, "Workspace did not switch", *FAILURE]
    assert run.error == "WorkspaceDidNotSwitch"
    assert run.cause is not None
    assert run.cause.endswith("after 5400 seconds. Waiting for: the key field to show")


def test_instances_that_never_stop(runs: dict[str, Run], rounds: dict[str, int]) -> None:
    run = runs["in the way"]
    looped = [*TERMINATE, *PATCH, "Wait for instances to stop"] * rounds["switch_waited"]
    assert run.states == [*PREPARE, *looped, *TERMINATE, *PATCH, "Workspace did not switch", *FAILURE]
    assert run.error == "WorkspaceDidNotSwitch"


def test_a_switch_that_is_never_proven(runs: dict[str, Run], rounds: dict[str, int]) -> None:
    run = runs["verify"]
    looped = [*VERIFY, "Wait for the proof"] * rounds["verify_waited"]
    assert run.states == [*PREPARE, *TERMINATE, *PATCH, *looped, *VERIFY, "Switch was not proven", *FAILURE]
    assert run.error == "SwitchNotProven"


def test_compute_that_never_comes_back_does_not_hold_up_the_rotation(
    runs: dict[str, Run], rounds: dict[str, int]
) -> None:
    run = runs["restart"]
    looped = [*RESTART, "Wait for compute to come back"] * rounds["restart_waited"]
    assert run.states[len([*PREPARE, *TERMINATE, *PATCH, *VERIFY]) :] == [
        *[*looped, *RESTART],
        *["Complete rotation", "Rotation succeeded"],
    ]
    assert run.status == "SUCCEEDED"


def test_a_roll_back_and_a_restore_that_never_end_still_settle_and_end_in_fail(
    runs: dict[str, Run], rounds: dict[str, int]
) -> None:
    run = runs["roll back and restore"]
    rolling = [*ROLL_BACK, "Wait for the roll back"] * rounds["roll_back_waited"]
    restoring = [*RESTORE, "Wait for compute to be restored"] * rounds["restore_waited"]
    assert run.states == [
        *[*PREPARE, *TERMINATE, *PATCH, "Settle wait", "Verify"],
        *[*rolling, *ROLL_BACK, "Must storage settle first?", "Settle wait after failure"],
        *[*restoring, *RESTORE, *END],
    ]
    assert (run.status, run.error, run.cause) == ("FAILED", "SwitchReverted", "Verify: It went back.")


def test_no_run_comes_near_the_longest_history(runs: dict[str, Run]) -> None:
    assert max(len(run.states) for run in runs.values()) < 2_500


def test_a_failed_rotation_polls_its_roll_back_quickly_at_first(runs: dict[str, Run]) -> None:
    for name in ("terminate", "switch", "verify"):
        assert runs[name].calls("roll_back")[0]["waited_seconds"] == 0
    assert [call["waited_seconds"] for call in runs["roll back and restore"].calls("roll_back")[:3]] == [0, 5, 13]
