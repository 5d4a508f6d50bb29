"""What happens when a loop's time budget is over, run on the local Step Functions engine with every poll it allows.

Two hours of polls are many: but for one loop the budgets are cut to ten minutes, and all else is the real definition.
"""

import re
from collections.abc import Mapping

import pytest

from tests.workflow.asl import DEFINITION, Machine
from tests.workflow.checks.budgets import quiet_loops
from tests.workflow.engine import Engine, Run
from tests.workflow.routes import (
    CREATE,
    END,
    ENDED,
    FAILURE,
    FINISH,
    PATCH,
    PREPARED,
    QUIET,
    READY,
    RESTART,
    RESTORE,
    ROLL_BACK,
    TERMINATE,
    VERIFY,
)
from tests.workflow.script import Script, fails, plan, script, switched, waits

IN_THE_WAY = waits("Please terminate all EC2 instances", compute_in_the_way=True)

SCRIPTS: Mapping[str, Script] = {
    "pause": script(pause_triggers=[waits("the list of jobs: DatabricksUnavailable")]),
    "terminate": script(terminate_compute=[waits("cluster 1 TERMINATING", "pool 2: 3 instances")]),
    "switch": script(patch_workspace=[waits("the key field to show", compute_in_the_way=False)]),
    "in the way": script(patch_workspace=[IN_THE_WAY]),
    "verify": script(verify=[waits("a notebook to be readable")]),
    "create": script(
        plan_rotation=[plan(operation="create_workspace")], create_workspace=[waits("workspace 7 PROVISIONING")]
    ),
    "restart": script(restart_compute=[waits("cluster 1 PENDING")]),
    "roll back": script(
        plan_rotation=[plan(settle=True)],
        verify=[fails("SwitchReverted", "It went back.")],
        patch_workspace=[switched(settle=True)],
        roll_back=[waits("workspace status PROVISIONING")],
    ),
    "complete": script(complete_rotation=[waits("DatabricksUnavailable: Databricks is away")]),
    "restore": script(verify=[fails("SwitchReverted", "It went back.")], restart_compute=[waits("cluster 1 PENDING")]),
}


WHOLE = DEFINITION.read_text(encoding="utf-8")
SHORT = re.sub(
    r"(?<=>= )(14400|5400|3600|1800)(?= %)|(?<=Budget: )(14,400|5,400|3,600|1,800)(?= seconds)", "600", WHOLE
)
RECKONED = re.sub(r"\$plan\.budgets\.\w+", "600", SHORT)
"""The plan's own budgets are as short in the scripts."""


@pytest.fixture(scope="module")
def runs(engine: Engine, machine: str) -> dict[str, Run]:
    """All at once: each is dozens of calls."""
    short = engine.deploy_machine("short-budgets", text=SHORT)
    machines = {"pause": machine, "terminate": machine, "restart": machine}
    executions = {name: engine.start(machines.get(name, short), each) for name, each in SCRIPTS.items()}
    return {name: engine.finish(execution) for name, execution in executions.items()}


def looped(run: Run, counter: str, *states: str) -> list[str]:
    """The states of a loop, as often as it went round: as the static checks reckon it.

    On a slow machine the steps' own seconds count too, and it is a few rounds fewer.
    """
    most, times = quiet_loops(Machine(RECKONED))[counter].rounds, run.states.count(states[-1])
    assert 0.8 * most <= times <= most
    return [*states] * times


def test_only_budgets_are_cut() -> None:
    cut = [(a, b) for a, b in zip(WHOLE.splitlines(), SHORT.splitlines(), strict=True) if a != b]
    assert len(cut) == 2 * 6
    assert {re.sub(r"14,?400|5,?400|3,?600|1,?800", "600", a) for a, _ in cut} == {b for _, b in cut}


def test_triggers_that_are_never_paused_end_it_before_anything_is_down(runs: dict[str, Run]) -> None:
    run = runs["pause"]
    loop = looped(run, "drain_waited", *QUIET, "Wait for job runs to end")
    assert run.states == [*PREPARED, *loop, *QUIET, "Triggers were not paused", *FAILURE]
    assert run.calls("terminate_compute") == []
    assert (run.error, run.cause) == (
        "TriggersNotPaused",
        "Pause triggers: What starts compute could not be paused within 600 seconds. "
        "Waiting for: the list of jobs: DatabricksUnavailable",
    )


def test_compute_that_never_stops(runs: dict[str, Run]) -> None:
    run = runs["terminate"]
    loop = looped(run, "terminate_waited", *TERMINATE, "Wait for compute to stop")
    assert run.states == [*READY, *loop, *TERMINATE, "Compute did not stop", *FAILURE]
    assert run.error == "ComputeDidNotStop"
    assert run.cause == (
        "Terminate compute: Compute still ran after 600 seconds. "
        "Waiting for: cluster 1 TERMINATING; pool 2: 3 instances"
    )


def test_a_workspace_that_never_switches(runs: dict[str, Run]) -> None:
    run = runs["switch"]
    loop = looped(run, "switch_waited", *PATCH, "Wait for the switch")
    assert run.states == [*READY, *TERMINATE, *loop, *PATCH, "Workspace did not switch", *FAILURE]
    assert run.error == "WorkspaceDidNotSwitch"
    assert run.cause is not None
    assert run.cause.endswith("after 5400 seconds. Waiting for: the key field to show")


def test_a_workspace_that_never_comes_up(runs: dict[str, Run]) -> None:
    run = runs["create"]
    loop = looped(run, "create_waited", *CREATE, "Wait for the workspace")
    assert run.states == [*PREPARED, *loop, *CREATE, "Workspace did not come up", *FAILURE]
    assert run.error == "WorkspaceDidNotComeUp"
    assert run.cause is not None
    assert run.cause.endswith("after 3600 seconds. Waiting for: workspace 7 PROVISIONING")


def test_instances_that_never_stop(runs: dict[str, Run]) -> None:
    run = runs["in the way"]
    loop = looped(run, "switch_waited", *TERMINATE, *PATCH, "Wait for instances to stop")
    assert run.states == [*READY, *loop, *TERMINATE, *PATCH, "Workspace did not switch", *FAILURE]
    assert run.error == "WorkspaceDidNotSwitch"


def test_a_switch_that_is_never_proven(runs: dict[str, Run]) -> None:
    run = runs["verify"]
    loop = looped(run, "verify_waited", *VERIFY, "Wait for the proof")
    assert run.states == [*READY, *TERMINATE, *PATCH, *loop, *VERIFY, "Switch was not proven", *FAILURE]
    assert run.error == "SwitchNotProven"


def test_compute_that_never_comes_back_does_not_hold_up_the_rotation(runs: dict[str, Run]) -> None:
    run = runs["restart"]
    loop = looped(run, "restart_waited", *RESTART, "Wait for compute to come back")
    assert run.states[len([*READY, *TERMINATE, *PATCH, *VERIFY]) :] == [
        *[*loop, *RESTART],
        *FINISH[-4:],
    ]
    assert run.status == "SUCCEEDED"


def test_a_proven_rotation_that_cannot_end_goes_back_by_nothing(runs: dict[str, Run]) -> None:
    run = runs["complete"]
    ending = looped(run, "complete_waited", "Complete rotation", "Has the rotation ended?", "Wait for the end")
    way = [*READY, *TERMINATE, *PATCH, *VERIFY, *RESTART, "Are notebooks to be renewed?"]
    assert run.states == [*way, *ending, *ENDED[:2], "Rotation did not end", "Rotation failed"]
    assert (run.status, run.error) == ("FAILED", "RotationNotEnded")
    assert run.cause is not None
    assert "rekey goes on by itself until it has ended" in run.cause
    assert run.cause.endswith("Waiting for: DatabricksUnavailable: Databricks is away")
    assert run.calls("roll_back") == run.calls("record_failure") == []


def test_after_a_roll_back_that_never_ends_nothing_is_started(runs: dict[str, Run]) -> None:
    run = runs["roll back"]
    rolling = looped(run, "roll_back_waited", *ROLL_BACK, "Wait for the roll back")
    assert run.states == [*READY, *TERMINATE, *PATCH, "Settle wait", "Verify", *rolling, *ROLL_BACK, *END]
    assert run.calls("restart_compute") == []
    assert (run.status, run.error, run.cause) == ("FAILED", "SwitchReverted", "Verify: It went back.")


def test_a_restore_that_never_ends_is_recorded(runs: dict[str, Run]) -> None:
    run = runs["restore"]
    restoring = looped(run, "restore_waited", *RESTORE, "Wait for compute to be restored")
    rolled = [*ROLL_BACK, "Must storage settle first?"]
    assert run.states == [*READY, *TERMINATE, *PATCH, "Verify", *rolled, *restoring, *RESTORE, *END]
    assert run.status == "FAILED"


def test_a_failed_rotation_polls_its_roll_back_quickly_at_first(runs: dict[str, Run]) -> None:
    for name in ("terminate", "switch", "verify"):
        assert runs[name].polled("roll_back", 0)
    assert runs["roll back"].polled("roll_back", 0, 5, 8)
