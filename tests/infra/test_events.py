"""The event bus: what starts the state machine, what is published, and where what cannot be delivered waits."""

import json

from tests.infra.template import Template


def machines(template: Template) -> list[str]:
    """Logical ids of rotate_key and rotate_fleet."""
    found = template.all("AWS::StepFunctions::StateMachine")
    return [next(each for each in found if each.startswith(name)) for name in ("WorkflowRotate", "FleetRotate")]


def test_each_kind_of_request_starts_its_state_machine_with_retries_and_a_dead_letter_queue(
    template: Template,
) -> None:
    rotate_key, rotate_fleet = machines(template)
    on_the_bus = [rule for rule in template.all("AWS::Events::Rule").values() if "EventBusName" in rule]
    rules = [rule for rule in on_the_bus if rule.get("Name") != "rekey-forwarded-uses"]
    assert [rule["EventPattern"] for rule in rules] == [
        {"detail-type": ["Rotation Requested"]},
        {"detail-type": ["Workspace Requested"]},
        {"detail-type": ["Fleet Requested"]},
    ]
    # Whoever may tell of refused uses alone cannot ask for a rotation by that.
    assert len(on_the_bus) == len(rules) + 1
    for rule, machine in zip(rules, (rotate_key, rotate_key, rotate_fleet), strict=True):
        [target] = rule["Targets"]
        assert target["Arn"] == {"Ref": machine}
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 24}
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in template.all("AWS::SQS::Queue")
        # The event as a whole: its id is what tells a second delivery.
        assert not {"Input", "InputPath", "InputTransformer"} & target.keys()


def test_what_the_rules_may_start_are_these_state_machines_alone(template: Template) -> None:
    own = [{"Ref": each} for each in machines(template)]
    [rule, *_] = template.all("AWS::Events::Rule").values()
    role = rule["Targets"][0]["RoleArn"]["Fn::GetAtt"][0]
    [policy] = template.resource(role)["Properties"]["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", own)


def test_the_outbox_reads_new_audit_entries_alone_and_sets_aside_what_fails(template: Template) -> None:
    [table] = template.all("AWS::DynamoDB::Table")
    assert template.only("AWS::DynamoDB::Table")["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    [pattern] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "AUDIT#"}]}}},
    }
    queue = mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert queue in template.all("AWS::SQS::Queue")
    # One entry after the other, until a day is over: no number of tries gives one up, and none overtakes another.
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (-1, 82_800)
    assert mapping.get("ParallelizationFactor", 1) == 1
    # What can never be told is set aside at once, to the same queue.
    environment = template.function("publish_events")["Environment"]["Variables"]
    assert environment["UNPUBLISHED_QUEUE_URL"] == {"Ref": queue}
    [alarm] = [each for each in template.all("AWS::CloudWatch::Alarm").values() if "unpublished" in each["AlarmName"]]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}]
