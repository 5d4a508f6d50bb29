"""Whoever calls a Lambda and does not wait for its answer has a place for the calls that failed, and it is alarmed."""

from typing import Any

import pytest

from tests.infra.template import Template

ALARMED = "ApproximateNumberOfMessagesVisible"
NOT_WAITED_FOR = {"carry_on", "disable_old_key", "find_drift", "inventory", "reenable_key"}
"""What rules and schedules call."""

ONLY_WITH_A_SETTING = {"report_findings"}


@pytest.fixture(params=["template", "tickets_template", "local_template"])
def stack(request: pytest.FixtureRequest) -> Template:
    found: Template = request.getfixturevalue(request.param)
    return found


def called_asynchronously(stack: Template) -> set[str]:
    """Logical ids of the Lambdas that rules and schedules call."""
    rules, schedules = stack.all("AWS::Events::Rule").values(), stack.all("AWS::Scheduler::Schedule").values()
    arns = [target["Arn"] for rule in rules for target in rule["Targets"]]
    arns += [schedule["Target"]["Arn"] for schedule in schedules]
    named = {arn["Fn::GetAtt"][0] for arn in arns if "Fn::GetAtt" in arn}
    return named & set(stack.all("AWS::Lambda::Function"))


def waited_for_by_nobody(stack: Template) -> set[str]:
    handlers = {each["Handler"].split(".")[-2] for each in stack.all("AWS::Lambda::Function").values()}
    return NOT_WAITED_FOR | (ONLY_WITH_A_SETTING & handlers)


def name_of(stack: Template, function: str) -> str:
    handler: str = stack.resource(function)["Properties"]["Handler"]
    return handler.split(".")[-2]


def destinations(stack: Template) -> dict[str, str]:
    """Logical id of the queue by that of the Lambda."""
    configurations = stack.all("AWS::Lambda::EventInvokeConfig").values()
    assert {each["Qualifier"] for each in configurations} == {"$LATEST"}
    return {each["FunctionName"]["Ref"]: _queue(each["DestinationConfig"]) for each in configurations}


def _queue(destination: dict[str, Any]) -> str:
    name: str = destination["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    return name


def alarmed(stack: Template) -> set[str]:
    alarms = [each for each in stack.all("AWS::CloudWatch::Alarm").values() if each["MetricName"] == ALARMED]
    return {each["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for each in alarms}


def test_a_call_that_nobody_waits_for_and_that_fails_is_seen(stack: Template) -> None:
    called = called_asynchronously(stack)
    assert {name_of(stack, each) for each in called} == waited_for_by_nobody(stack)
    assert called == set(destinations(stack))
    assert set(destinations(stack).values()) <= alarmed(stack)


def test_its_own_role_may_put_it_there_and_nowhere_else(stack: Template) -> None:
    assert len(destinations(stack)) == len(waited_for_by_nobody(stack))
    for function, queue in destinations(stack).items():
        name = name_of(stack, function)
        [sends] = [each for each in stack.statements_of(name) if "sqs:SendMessage" in each.actions]
        assert (sends.actions, sends.resources) == (["sqs:SendMessage"], [{"Fn::GetAtt": [queue, "Arn"]}])


def test_what_a_stream_or_a_queue_cannot_deliver_is_seen(stack: Template) -> None:
    mappings = stack.all("AWS::Lambda::EventSourceMapping")
    assert mappings
    for mapping in mappings.values():
        source = mapping["EventSourceArn"]["Fn::GetAtt"][0]
        if source in stack.all("AWS::SQS::Queue"):
            redrive = stack.resource(source)["Properties"]["RedrivePolicy"]
            assert redrive["deadLetterTargetArn"]["Fn::GetAtt"][0] in alarmed(stack)
        else:
            assert _queue(mapping["DestinationConfig"]) in alarmed(stack)
