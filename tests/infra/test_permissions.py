"""Each Lambda may do what its row of tests/infra/grants.py says, on that resource, under that condition: no more."""

import json

import pytest

from tests.infra.grants import CONDITIONS, PLACES, granted, of_every_lambda, rows, text_of
from tests.infra.template import LAMBDAS, Template

ROWS = rows()
MACHINES = ("WorkflowRotateKey", "FleetRotateFleet")
"""How the logical ids of the state machines, and of their roles' policies, begin."""
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
OF_THE_FLEET = {"plan_fleet", "open_wave", "judge_wave", "ask_fleet", "report_fleet"}
IN_NEITHER = {"steer_fleet"}


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
    """No AWS managed policy, and no policy beside the roles' own but the state machines'."""
    assert all("ManagedPolicyArns" not in role for role in template.all("AWS::IAM::Role").values())
    assert [name for name in template.all("AWS::IAM::Policy") if not name.startswith(MACHINES)] == []


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


def test_the_state_machines_may_invoke_exactly_their_lambdas(template: Template) -> None:
    own = set(LAMBDAS) - NOT_IN_THE_STATE_MACHINE - OF_THE_FLEET - IN_NEITHER
    for machine, wanted in zip(MACHINES, (own, {*OF_THE_FLEET, "record_refusal"}), strict=True):
        [role] = [p for name, p in template.all("AWS::IAM::Policy").items() if name.startswith(machine)]
        [invoke] = [s for s in role["PolicyDocument"]["Statement"] if s["Action"] == "lambda:InvokeFunction"]
        invoked = {template.resource(r["Fn::GetAtt"][0])["Properties"]["Handler"] for r in invoke["Resource"]}
        assert {each.split(".")[-2] for each in invoked} == wanted


def test_a_fleet_starts_rotations_and_stops_none(template: Template) -> None:
    """Whoever aborts a fleet lets each rotation that has begun come to its end."""
    [role] = [p for name, p in template.all("AWS::IAM::Policy").items() if name.startswith(MACHINES[1])]
    statements = role["PolicyDocument"]["Statement"]
    may = {
        (action, text_of(resource))
        for each in statements
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        for resource in ([each["Resource"]] if not isinstance(each["Resource"], list) else each["Resource"])
        if action.split(":")[0] in ("states", "s3", "events")
    }
    states = "arn:{Partition}:states:{Region}:{AccountId}"
    rule = "arn:{Partition}:events:{Region}:{AccountId}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    [rotate_key] = [each for each in template.all("AWS::StepFunctions::StateMachine") if each.startswith(MACHINES[0])]
    assert may == {
        ("states:StartExecution", text_of({"Ref": rotate_key})),
        ("states:StartExecution", f"{states}:stateMachine:rekey-rotate-fleet"),
        ("states:DescribeExecution", f"{states}:execution:rekey-rotate-key:*"),
        ("states:DescribeExecution", f"{states}:execution:rekey-rotate-fleet/*"),
        ("states:StopExecution", f"{states}:execution:rekey-rotate-fleet/*"),
        *((f"events:{each}", rule) for each in ("DescribeRule", "PutRule", "PutTargets")),
        ("s3:GetObject", "LedgerEvidence.Arn/fleets/*"),
    }
