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


def test_rules_and_catchers_are_in_their_states_language(engine: Engine) -> None:
    """Also where the machine's own is JSONPath."""
    jsonata = {"QueryLanguage": "JSONata"}
    rule = {"Condition": "{% true %}", "Assign": {"said": "{% 'rule' %}"}, "Next": "Say"}
    failing = {"StateMachineArn": "arn:aws:states:us-east-1:111122223333:stateMachine:none", "Input": {}}
    catcher = {"ErrorEquals": ["States.ALL"], "Assign": {"then": "{% $said & ' and catch' %}"}, "Next": "End"}
    task = {"Type": "Task", **jsonata, "Resource": "arn:aws:states:::states:startExecution.sync:2"}
    states = {
        "Choose": {"Type": "Choice", **jsonata, "Choices": [rule], "Default": "Say"},
        "Say": {**task, "Arguments": failing, "Catch": [catcher], "End": True},
        "End": {"Type": "Pass", **jsonata, "Output": "{% $then %}", "End": True},
    }
    machine = engine.deploy_machine("mixed", text=json.dumps({"StartAt": "Choose", "States": states}))
    assert engine.finish(engine.start(machine, {})).output == "rule and catch"
