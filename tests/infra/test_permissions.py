"""Each Lambda may do what its row of tests/infra/grants.py says, on that resource, under that condition: no more."""

import json

import pytest

from tests.infra.grants import CONDITIONS, PLACES, granted, of_every_lambda, rows
from tests.infra.template import LAMBDAS, Template

ROWS = rows()
LOOKS = {
    "kms:DescribeKey",
    "kms:GetKeyLastUsage",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
}
"""What may be asked of any key of the account."""

TAGS_THAT_ALLOW = {
    "kms:CreateKey": {"tagging+checked"},
    "kms:CancelKeyDeletion": {"managed"},
    "kms:CreateAlias": {"managed"},
    "kms:TagResource": {"tagging", "managed", "earlier"},
    "kms:DescribeKey": {"managed"},
    "kms:DisableKey": {"managed"},
    "kms:EnableKey": {"managed"},
    "kms:PutKeyPolicy": {"managed+checked", "brought+checked"},
    "kms:EnableKeyRotation": {"managed", "brought"},
    "kms:GetKeyRotationStatus": {"managed", "brought"},
    "kms:ListKeyRotations": {"managed", "brought"},
    "kms:RotateKeyOnDemand": {"managed", "brought"},
}
"""Any key may be looked at; only one with our tag is changed, or with its owner's, which lets nobody disable it."""

WITHOUT_RESOURCE = {
    "dynamodb:ListStreams",
    "kms:CreateKey",
    "tag:GetResources",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
}
NOT_IN_THE_STATE_MACHINE = {
    "carry_on",
    "disable_old_key",
    "reenable_key",
    "list_keys",
    "adopt_key",
    "inventory",
    "find_drift",
    "doctor",
    "answer_approval",
    "cancel_rotation",
    "publish_events",
}


def test_there_are_exactly_the_lambdas_of_the_table(template: Template) -> None:
    handlers = {function["Handler"] for function in template.all("AWS::Lambda::Function").values()}
    assert {each.split(".")[-2] for each in handlers} == set(LAMBDAS)
    assert set(ROWS) == set(LAMBDAS)


def test_no_two_lambdas_share_a_role(template: Template) -> None:
    assert len({template.role_of(name) for name in LAMBDAS}) == len(LAMBDAS)


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_lambda_may_do_what_its_row_says(template: Template, name: str) -> None:
    assert granted(template, name) == sorted([*of_every_lambda(template, name), *ROWS[name]])


def test_no_role_has_permissions_from_elsewhere(template: Template) -> None:
    """No AWS managed policy, and no policy beside the roles' own but the state machine's."""
    assert all("ManagedPolicyArns" not in role for role in template.all("AWS::IAM::Role").values())
    assert [name for name in template.all("AWS::IAM::Policy") if not name.startswith("WorkflowRotateKey")] == []


@pytest.mark.rule("rule-7-deletion")
def test_no_action_is_a_wildcard_and_no_key_is_ever_deleted(template: Template) -> None:
    actions = {action for statement in template.all_statements() for action in statement.actions}
    assert "kms:DisableKey" in actions
    assert not [action for action in actions if "*" in action]
    assert not actions & {"kms:ScheduleKeyDeletion", "kms:DeleteAlias", "kms:DeleteImportedKeyMaterial"}


def test_only_what_takes_no_resource_is_allowed_on_everything(template: Template) -> None:
    anywhere = {action for name in LAMBDAS for action, resource, _ in granted(template, name) if resource == "*"}
    assert anywhere == WITHOUT_RESOURCE


def test_keys_are_changed_only_by_a_tag(template: Template) -> None:
    names = {json.dumps(condition, sort_keys=True): name for name, condition in CONDITIONS.items()}
    found: dict[str, set[str]] = {}
    for name in LAMBDAS:
        for action, resource, condition in granted(template, name):
            own_name = action == "kms:CreateAlias" and (resource,) == PLACES["aliases"]
            look = action in LOOKS and condition == "{}"
            if action.startswith("kms:") and not own_name and not look:
                found.setdefault(action, set()).add(names[condition])
    assert found == TAGS_THAT_ALLOW


def test_the_state_machine_may_invoke_exactly_its_lambdas(template: Template) -> None:
    [role] = [p for name, p in template.all("AWS::IAM::Policy").items() if name.startswith("WorkflowRotateKey")]
    [invoke] = [s for s in role["PolicyDocument"]["Statement"] if s["Action"] == "lambda:InvokeFunction"]
    invoked = {template.resource(r["Fn::GetAtt"][0])["Properties"]["Handler"] for r in invoke["Resource"]}
    assert {each.split(".")[-2] for each in invoked} == set(LAMBDAS) - NOT_IN_THE_STATE_MACHINE
