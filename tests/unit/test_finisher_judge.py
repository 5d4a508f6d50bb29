"""When the finisher turns a rotation back that goes on and on."""

from datetime import timedelta

import pytest

from rekey.base import clock
from rekey.finisher.judge import GIVES_UP, failure_of_time
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.next_step import next_step
from tests.builders import a_plan, a_rotation

_KEY = {"key_arn": "new", "policy_set_at": "x", "configuration_id": "new"}
_QUIET = {**_KEY, "quiet_at": "x"}
_EMPTY = {**_QUIET, "compute_gone_at": "x"}

AT: dict[StepName, Rotation] = {
    StepName.PAUSE_TRIGGERS: a_rotation().model_copy(update=_KEY),
    StepName.TERMINATE: a_rotation().model_copy(update=_QUIET),
    StepName.SWITCH: a_rotation().model_copy(update=_EMPTY),
    StepName.VERIFY: a_rotation().model_copy(update={**_EMPTY, "switched_at": "x"}),
    StepName.CREATE_WORKSPACE: a_rotation(plan=a_plan(operation="create_workspace")).model_copy(update=_KEY),
    StepName.ROTATE_MATERIAL: a_rotation(plan=a_plan(operation="rotate_material")),
}


@pytest.mark.parametrize("step", GIVES_UP)
def test_a_step_that_takes_too_long_turns_it_back(step: StepName) -> None:
    rotation = AT[step]
    assert next_step(rotation) == step
    lately, long_ago = (clock.text(clock.now() - timedelta(hours=hours)) for hours in (0, 12))
    assert failure_of_time(rotation, lately, "a list", 1.0) is None
    failure = failure_of_time(rotation, long_ago, "a list", 1.0)
    assert failure is not None
    assert (failure.state, failure.error) == (step, GIVES_UP[step])
    assert failure.cause.endswith("Waiting for: a list")


@pytest.mark.parametrize(("step", "field"), [(StepName.PAUSE_TRIGGERS, "pause"), (StepName.TERMINATE, "terminate")])
def test_the_loops_over_compute_have_the_plans_own_budgets(step: StepName, field: str) -> None:
    rotation = AT[step]
    own = rotation.plan.budgets.model_copy(update={field: 100})
    short = rotation.model_copy(update={"plan": rotation.plan.model_copy(update={"budgets": own})})
    since = clock.text(clock.now() - timedelta(seconds=120))
    assert failure_of_time(rotation, since, "a list", 1.0) is None
    failure = failure_of_time(short, since, "a list", 1.0)
    assert failure is not None
    assert "after 100 seconds" in failure.cause
    assert failure_of_time(short, since, "a list", 2.0) is None
