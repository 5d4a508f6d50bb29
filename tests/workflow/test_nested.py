"""Executions that a task starts and waits for, which the emulator plays otherwise and the project's stand-in as AWS."""

import json
from typing import Any

import pytest

from tests.workflow.engine import Engine

CHILD = {
    "QueryLanguage": "JSONata",
    "StartAt": "Well?",
    "States": {
        "Well?": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.well = true %}", "Next": "Good"}],
            "Default": "Bad",
        },
        "Good": {"Type": "Succeed"},
        "Bad": {"Type": "Fail", "Error": "Bad", "Cause": "as asked"},
    },
}


@pytest.fixture(scope="module")
def started(engine: Engine) -> Any:
    """Starts a child with a name and an input, by a task; gives how the task ended."""
    child = engine.deploy_machine("child", text=json.dumps(CHILD))
    caught = {"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput.Error %}", "Next": "End"}
    arguments = {"StateMachineArn": child, "Name": "{% $states.input.name %}", "Input": "{% $states.input.given %}"}
    task = {
        **{"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Arguments": arguments},
        **{"Output": "{% $states.result.Status %}", "Catch": [caught], "Next": "End"},
    }
    parent = {"QueryLanguage": "JSONata", "StartAt": "Call", "States": {"Call": task, "End": {"Type": "Succeed"}}}
    machine = engine.deploy_machine("parent", text=json.dumps(parent))
    return lambda name, **given: engine.finish(engine.start(machine, {}, {"name": name, "given": given})).output


def test_a_name_is_started_once(started: Any) -> None:
    assert started("one", well=True) == "SUCCEEDED"
    assert started("one", well=True) == "StepFunctions.ExecutionAlreadyExistsException"
    assert started("two", well=False) == "States.TaskFailed"
    assert started("two", well=True) == "StepFunctions.ExecutionAlreadyExistsException"
