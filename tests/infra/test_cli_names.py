"""What the command line takes for granted of the stack: the Lambdas' names, and the outputs it reads."""

import json

import pytest

from cli.examine import DEAD_LETTERS, RULES
from cli.stack import OUTPUTS, Stack
from infra.login import CREDENTIAL_FORM
from rekey.databricks.connect import PLACEHOLDER
from tests.infra.template import Template

LAMBDAS = ("answer_approval", "cancel_rotation", "carry_on", "doctor", "inventory", "report_fleet", "steer_fleet")


@pytest.mark.parametrize("name", LAMBDAS)
def test_the_lambdas_that_steer_a_rotation_are_found_by_the_state_machines_name(template: Template, name: str) -> None:
    machines = sorted(each["StateMachineName"] for each in template.all("AWS::StepFunctions::StateMachine").values())
    stack = Stack(f"arn:aws:states:eu-central-1:123456789012:stateMachine:{machines[1]}", "", "", {})
    assert stack.function_name(name) == template.function(name)["FunctionName"]
    assert stack.fleet_machine_arn.rpartition(":")[2] == machines[0]


def test_what_the_doctor_looks_at_is_called_so(template: Template) -> None:
    names = {
        each["Name"]
        for kind in ("AWS::Scheduler::Schedule", "AWS::Events::Rule")
        for each in template.all(kind).values()
        if "Name" in each
    }
    assert {"rekey-disable-old-key", *(f"rekey-{each}" for each in RULES)} <= names
    states = {each["Name"]: each["State"] for each in template.all("AWS::Events::Rule").values() if "Name" in each}
    assert {name: states[f"rekey-{name}"] for name in RULES} == RULES
    queues = [each for each in template.all("AWS::SQS::Queue") if any(word in each for word in DEAD_LETTERS)]
    targets = [json.dumps(each) for each in template.all("AWS::CloudWatch::Alarm").values()]
    assert len(queues) == sum("ApproximateNumberOfMessagesVisible" in each for each in targets)
    assert len(template.all("AWS::SNS::Topic")) == 1


def test_the_placeholder_of_the_secret_is_known_to_the_lambdas() -> None:
    assert json.loads(CREDENTIAL_FORM)["client_id"] == PLACEHOLDER


def test_the_outputs_it_reads_are_there(template: Template) -> None:
    assert set(OUTPUTS) <= set(template.body["Outputs"])
