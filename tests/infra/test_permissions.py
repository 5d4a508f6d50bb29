"""Each Lambda may do what its row says and nothing else. The rows here are written a second time, on purpose."""

from typing import Any

import pytest

from tests.infra.template import LAMBDAS, Template

EVERY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
LEDGER = {
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:Query",
    "dynamodb:ConditionCheckItem",
}
SECRET = {"secretsmanager:GetSecretValue"}
READ, WRITE = {"s3:GetObject"}, {"s3:PutObject"}
SEE = {"kms:DescribeKey", "kms:ListResourceTags", "kms:GetKeyLastUsage"}
BRING_BACK = {"kms:CancelKeyDeletion", "kms:EnableKey"}
SET_ASIDE = {"sqs:SendMessage"}
RETIRE = {"tag:GetResources", "kms:DisableKey", "kms:TagResource", "kms:DescribeKey"}

PUBLISH = {
    "dynamodb:GetItem",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "events:PutEvents",
    "sqs:SendMessage",
}

BEYOND: dict[str, set[str]] = {
    "publish_events": PUBLISH,
    "record_refusal": set(),
    "ask_approval": set(),
    "answer_approval": {"states:SendTaskSuccess", "states:SendTaskFailure"},
    "cancel_rotation": SECRET | READ | WRITE | {"dynamodb:DeleteItem", "states:StopExecution"},
    "plan_rotation": SECRET | {"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListKeyRotations", "kms:ListResourceTags"},
    "rotate_material": {
        "kms:EnableKeyRotation",
        "kms:GetKeyRotationStatus",
        "kms:ListKeyRotations",
        "kms:RotateKeyOnDemand",
    },
    "create_key": {"kms:CreateKey", "kms:TagResource", "kms:CreateAlias", "tag:GetResources"},
    "set_policy": {"kms:GetKeyPolicy", "kms:PutKeyPolicy"},
    "register_config": SECRET,
    "create_workspace": SECRET,
    "pause_triggers": SECRET | WRITE,
    "terminate_compute": SECRET | READ | WRITE,
    "patch_workspace": SECRET,
    "verify": SECRET | {"kms:DescribeKey", "kms:GetKeyPolicy"},
    "restart_compute": SECRET | READ,
    "list_notebooks": SECRET | READ | WRITE,
    "renew_notebooks": SECRET | READ | WRITE,
    "complete_rotation": SECRET | READ | WRITE | RETIRE | {"dynamodb:DeleteItem"},
    "roll_back": SECRET | READ | RETIRE | {"kms:GetKeyPolicy", "kms:PutKeyPolicy"},
    "record_failure": SECRET | READ | WRITE | {"dynamodb:DeleteItem"},
    "disable_old_key": SECRET | SEE | BRING_BACK | SET_ASIDE | {"kms:DisableKey"},
    "reenable_key": BRING_BACK | SET_ASIDE | {"kms:DescribeKey"},
    "list_keys": SECRET | SEE | {"kms:ListKeyRotations"},
    "adopt_key": SECRET | SEE | {"kms:GetKeyPolicy"},
}
ONLY_READS = {"list_keys"}
WRITES_LEDGER = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}

KEYS = ["", ["arn:", {"Ref": "AWS::Partition"}, ":kms:*:", {"Ref": "AWS::AccountId"}, ":key/*"]]
ALIASES = ["", ["arn:", {"Ref": "AWS::Partition"}, ":kms:*:", {"Ref": "AWS::AccountId"}, ":alias/rekey/*"]]
TAGGED = {"StringEquals": {"aws:ResourceTag/rekey:managed": "true"}}
BROUGHT = {"StringEquals": {"aws:ResourceTag/rekey:brought": "true"}}
TAGGING = {"StringEquals": {"aws:RequestTag/rekey:managed": "true"}}
LOOKS = {
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
}
NO_BYPASS = {"BoolIfExists": {"kms:BypassPolicyLockoutSafetyCheck": "false"}}
FOR_BROUGHT_KEYS = {
    "kms:EnableKeyRotation",
    "kms:GetKeyRotationStatus",
    "kms:ListKeyRotations",
    "kms:RotateKeyOnDemand",
}
WITHOUT_RESOURCE = {
    "dynamodb:ListStreams",
    "kms:CreateKey",
    "tag:GetResources",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
NOT_IN_THE_STATE_MACHINE = {
    "disable_old_key",
    "reenable_key",
    "list_keys",
    "adopt_key",
    "answer_approval",
    "cancel_rotation",
    "publish_events",
}


def allowed(name: str) -> set[str]:
    """All that a Lambda's row gives it."""
    every = EVERY_LAMBDA if name == "publish_events" else EVERY_LAMBDA | LEDGER
    return (every - WRITES_LEDGER if name in ONLY_READS else every) | BEYOND[name]


def test_there_are_exactly_the_lambdas_of_the_table(template: Template) -> None:
    handlers = {function["Handler"] for function in template.all("AWS::Lambda::Function").values()}
    assert {each.split(".")[-2] for each in handlers} == set(LAMBDAS)


def test_no_two_lambdas_share_a_role(template: Template) -> None:
    assert len({template.role_of(name) for name in LAMBDAS}) == len(LAMBDAS)


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_lambda_may_do_what_its_row_says(template: Template, name: str) -> None:
    assert template.actions_of(name) == allowed(name)


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_lambda_writes_only_its_own_log(template: Template, name: str) -> None:
    log_group = template.function(name)["LoggingConfig"]["LogGroup"]["Ref"]
    [resources] = [s.resources for s in template.statements_of(name) if "logs:PutLogEvents" in s.actions]
    assert resources == [{"Fn::GetAtt": [log_group, "Arn"]}]


def test_no_role_has_permissions_from_elsewhere(template: Template) -> None:
    """No AWS managed policy, and no policy beside the roles' own but the state machine's."""
    assert all("ManagedPolicyArns" not in role for role in template.all("AWS::IAM::Role").values())
    assert [name for name in template.all("AWS::IAM::Policy") if not name.startswith("WorkflowRotateKey")] == []


@pytest.mark.rule("rule-7-deletion")
def test_no_action_is_a_wildcard_and_no_key_is_ever_deleted(template: Template) -> None:
    actions = {action for statement in template.all_statements() for action in statement.actions}
    assert not [action for action in actions if "*" in action]
    assert not actions & {"kms:ScheduleKeyDeletion", "kms:DeleteAlias", "kms:DeleteImportedKeyMaterial"}


def test_only_what_takes_no_resource_is_allowed_on_everything(template: Template) -> None:
    for name in LAMBDAS:
        for statement in template.statements_of(name):
            if "*" in statement.resources:
                assert set(statement.actions) <= WITHOUT_RESOURCE


def test_keys_are_reached_only_by_our_tag(template: Template) -> None:
    """Any key of the account may be looked at; only one with our tag, or with its owner's, may be changed."""
    for name in LAMBDAS:
        for statement in template.statements_of(name):
            for action in statement.actions:
                if action.startswith("kms:"):
                    _assert_narrow(name, action, statement.resources, statement.conditions)


def _assert_narrow(name: str, action: str, resources: list[Any], conditions: dict[str, Any]) -> None:
    if action == "kms:CreateKey":
        assert (resources, conditions) == (["*"], TAGGING | NO_BYPASS)
    elif resources == [{"Fn::Join": ALIASES}]:
        assert (action, conditions) == ("kms:CreateAlias", {})
    else:
        assert resources == [{"Fn::Join": KEYS}]
        if (name, action) == ("create_key", "kms:TagResource"):
            assert conditions == TAGGING
        elif action == "kms:PutKeyPolicy":
            assert conditions in (TAGGED | NO_BYPASS, BROUGHT | NO_BYPASS)
        elif action in FOR_BROUGHT_KEYS and not (action in LOOKS and conditions == {}):
            assert conditions in (TAGGED, BROUGHT)
        elif not (action in LOOKS and conditions == {}):
            assert conditions == TAGGED


def test_the_bucket_is_reached_only_under_rotations(template: Template) -> None:
    for name in LAMBDAS:
        for statement in template.statements_of(name):
            if statement.actions[0].startswith("s3:"):
                [resource] = statement.resources
                assert resource["Fn::Join"][1][-1] == "/rotations/*"


def test_the_state_machine_may_invoke_exactly_its_lambdas(template: Template) -> None:
    [role] = [p for name, p in template.all("AWS::IAM::Policy").items() if name.startswith("WorkflowRotateKey")]
    [invoke] = [s for s in role["PolicyDocument"]["Statement"] if s["Action"] == "lambda:InvokeFunction"]
    invoked = {template.resource(r["Fn::GetAtt"][0])["Properties"]["Handler"] for r in invoke["Resource"]}
    assert {each.split(".")[-2] for each in invoked} == set(LAMBDAS) - NOT_IN_THE_STATE_MACHINE
