"""What the command line takes for granted of the stack: the Lambdas' names, and the outputs it reads."""

import pytest

from cli.stack import OUTPUTS, Stack
from tests.infra.template import Template


@pytest.mark.parametrize("name", ["answer_approval", "cancel_rotation", "carry_on", "inventory"])
def test_the_lambdas_that_steer_a_rotation_are_found_by_the_state_machines_name(template: Template, name: str) -> None:
    machine = template.only("AWS::StepFunctions::StateMachine")["StateMachineName"]
    stack = Stack(f"arn:aws:states:eu-central-1:123456789012:stateMachine:{machine}", "", "", {})
    assert stack.function_name(name) == template.function(name)["FunctionName"]


def test_the_outputs_it_reads_are_there(template: Template) -> None:
    assert set(OUTPUTS) <= set(template.body["Outputs"])
