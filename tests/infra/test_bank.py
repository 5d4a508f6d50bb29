"""A stack with all of an organisation's guard rails on: boundary, names, tags, encryption, lock."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import ENCRYPTION_KEY, OWN_SECRET, Syntheses
from tests.infra.enforced import KEY, decision
from tests.infra.grants import HUB_TABLE, TABLE, TICKETS_TABLE, Grant, granted, rows
from tests.infra.template import LAMBDAS, Statement, Template

ALL = (*LAMBDAS, "ticket_webhook", "notify_ticket", "report_findings")
ROWS = rows() | rows(TICKETS_TABLE) | rows(HUB_TABLE)

USES = {
    "dynamodb": {"kms:Decrypt"},
    "s3:GetObject": {"kms:Decrypt"},
    "s3:PutObject": {"kms:GenerateDataKey"},
    "secretsmanager": {"kms:Decrypt"},
    "sqs:SendMessage": {"kms:Decrypt", "kms:GenerateDataKey"},
    "sqs:ReceiveMessage": {"kms:Decrypt"},
    "states:SendTaskSuccess": {"kms:Decrypt", "kms:GenerateDataKey"},
    "states:SendTaskFailure": {"kms:Decrypt", "kms:GenerateDataKey"},
    "states:SendTaskHeartbeat": {"kms:Decrypt", "kms:GenerateDataKey"},
    "states:StartExecution": {"kms:Decrypt", "kms:GenerateDataKey"},
    "states:DescribeExecution": {"kms:Decrypt"},
}
"""What a caller of these needs of the key that the called service encrypts under."""

NAMES = (
    "Name",
    "RoleName",
    "FunctionName",
    "LogGroupName",
    "StateMachineName",
    "TopicName",
    "AlarmName",
    "DashboardName",
)

NOT_TAGGABLE = {
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::ResourcePolicy",
}
"""Of these CloudFormation takes no tags."""


def roles(template: Template) -> dict[str, dict[str, Any]]:
    return template.all("AWS::IAM::Role")


def via(service: str) -> dict[str, Any]:
    return {
        "StringEquals": {
            "kms:ViaService": {"Fn::Join": ["", [f"{service}.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}
        }
    }


def on_the_key(template: Template, name: str) -> list[Statement]:
    return [each for each in template.statements_of(name) if each.resources == [ENCRYPTION_KEY]]


def needed(grants: list[Grant]) -> dict[str, set[str]]:
    """{service: what its callers need of the key}."""
    found: dict[str, set[str]] = {}
    for action, *_ in grants:
        service = action.partition(":")[0]
        if uses := USES.get(action, USES.get(service)):
            found.setdefault(service, set()).update(uses)
    return found


def names(template: Template) -> Iterator[str]:
    """The names that resources are given, instead of one that CloudFormation makes up."""
    for resource in template.body["Resources"].values():
        properties = resource.get("Properties", {})
        yield from (properties[name] for name in NAMES if isinstance(properties.get(name), str))


def test_every_role_is_bounded_named_and_on_the_path(bank_template: Template) -> None:
    boundary = ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":policy/team/boundary"]
    assert len(roles(bank_template)) > len(ALL)
    for role in roles(bank_template).values():
        assert role["PermissionsBoundary"] == {"Fn::Join": ["", boundary]}
        assert role["Path"] == "/platform/"
        assert role["RoleName"].startswith("app-vault-")
    own = [role["RoleName"].removeprefix("app-vault-") for role in roles(bank_template).values()]
    assert len(set(own)) == len(own)
    assert {name.replace("_", "-") for name in ALL} < set(own)
    assert max(map(len, own)) <= 23  # 64 for the whole, 40 for prefix and stack, one for the hyphen


def test_without_the_settings_there_is_no_boundary_and_no_name(template: Template) -> None:
    assert len(roles(template)) > len(LAMBDAS)
    for role in roles(template).values():
        assert not {"PermissionsBoundary", "RoleName"} & set(role)


def test_everything_that_takes_tags_has_them(bank_template: Template, syntheses: Syntheses) -> None:
    untagged = {
        resource["Type"]
        for resource in bank_template.body["Resources"].values()
        if "4711" not in json.dumps(resource.get("Properties", {}).get("Tags", []))
    }
    assert untagged <= NOT_TAGGABLE
    manifest = json.loads((syntheses["bank"].assembly / "manifest.json").read_text())
    assert manifest["artifacts"]["vault"]["properties"]["tags"]["cost-centre"] == "4711"


def test_the_bootstrap_is_that_of_the_qualifier(syntheses: Syntheses) -> None:
    manifest = (syntheses["bank"].assembly / "manifest.json").read_text()
    assert "/cdk-bootstrap/bank/version" in manifest
    assert "hnb659fds" not in manifest


def test_all_that_is_kept_is_under_the_key(bank_template: Template) -> None:
    def of(kind: str, *path: str) -> set[str]:
        found = set()
        for value in bank_template.all(kind).values():
            for part in path:
                value = value.get(part, {})
            found.add(str(value))
        return found

    assert bank_template.all("AWS::KMS::Key") == {}
    key = {ENCRYPTION_KEY}
    assert of("AWS::Logs::LogGroup", "KmsKeyId") == key
    assert of("AWS::SQS::Queue", "KmsMasterKeyId") == key
    assert of("AWS::SNS::Topic", "KmsMasterKeyId") == key
    assert of("AWS::DynamoDB::Table", "SSESpecification", "KMSMasterKeyId") == key
    assert of("AWS::StepFunctions::StateMachine", "EncryptionConfiguration", "KmsKeyId") == key
    assert of("AWS::SecretsManager::Secret", "KmsKeyId") == key


def test_the_evidence_is_under_the_key_and_locked(bank_template: Template, template: Template) -> None:
    [evidence] = [each for each in bank_template.all("AWS::S3::Bucket").values() if "LoggingConfiguration" in each]
    [rule] = evidence["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": ENCRYPTION_KEY}
    retention = evidence["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (evidence["ObjectLockEnabled"], retention) == (True, {"Mode": "COMPLIANCE", "Days": 2555})
    assert all("ObjectLockEnabled" not in each for each in template.all("AWS::S3::Bucket").values())


@pytest.mark.parametrize("name", ALL)
def test_a_lambda_may_use_the_key_through_the_services_that_it_calls(bank_template: Template, name: str) -> None:
    expected = [(sorted(uses), via(service)) for service, uses in sorted(needed(ROWS[name]).items())]
    assert [(each.actions, each.conditions) for each in on_the_key(bank_template, name)] == expected


def test_without_a_key_nobody_has_rights_for_one(template: Template) -> None:
    assert "kms:ViaService" not in json.dumps(template.body)


def test_what_calls_for_a_rule_or_a_schedule_may_use_the_key_too(bank_template: Template) -> None:
    for name, services in (
        ("EventsStartRole", ["states"]),
        ("RetirementScheduleRole", ["sqs"]),
        ("PolicyScheduleRole", ["sqs", "states"]),
    ):
        [role] = [each for each in roles(bank_template) if each.startswith(name)]
        found = [each for each in bank_template.of_role(role) if each.resources == [ENCRYPTION_KEY]]
        uses = [(["kms:Decrypt", "kms:GenerateDataKey"], via(each)) for each in services]
        assert [(each.actions, each.conditions) for each in found] == uses


def test_a_secret_under_a_key_of_its_owners_is_read_through_secrets_manager_alone(bank_template: Template) -> None:
    for name in LAMBDAS:
        found = [
            each
            for each in bank_template.statements_of(name)
            if each.resources == ["arn:aws:kms:eu-central-1:111122223333:key/*"]
        ]
        assert len(found) == any(action == "secretsmanager:GetSecretValue" for action, *_ in ROWS[name])
        for each in found:
            assert each.actions == ["kms:Decrypt"]
            assert each.conditions == {
                "StringEquals": {
                    "kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com",
                    "kms:EncryptionContext:SecretARN": OWN_SECRET,
                }
            }


def test_beside_that_a_lambda_may_do_the_same_as_ever(bank_template: Template, template: Template) -> None:
    """Actions, without those on the encryption key and on the own secret's, and Lambda's own on the network."""
    for name in LAMBDAS:
        theirs = {action for action, _, condition in granted(bank_template, name) if "kms:ViaService" not in condition}
        theirs = {action for action in theirs if not action.startswith("ec2:")}
        assert theirs == template.actions_of(name), name
    assert set(rows(TABLE)) == set(LAMBDAS)


def test_two_stacks_in_one_account_share_no_name(bank_template: Template, tickets_template: Template) -> None:
    first, second = set(names(tickets_template)), set(names(bank_template))
    assert len(first) > len(ALL)
    assert first & second == set()


CHANGES = (
    *("kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DisableKey", "kms:EnableKey", "kms:EnableKeyRotation"),
    *("kms:PutKeyPolicy", "kms:RotateKeyOnDemand", "kms:TagResource"),
)


def may_change(template: Template, managed: str, action: str) -> list[str]:
    """The Lambdas that may do it to a key whose managing tag has that value."""
    tags = {"aws:ResourceTag/rekey:managed": managed} if managed else {}
    return [name for name in LAMBDAS if decision(template, name, action, KEY, tags) == "Allow"]


@pytest.mark.parametrize("action", CHANGES)
def test_no_role_of_one_stack_can_change_the_others_keys(
    bank_template: Template, tickets_template: Template, action: str
) -> None:
    """As IAM judges it, with the roles as they are in the templates."""
    for template, own, others in ((tickets_template, "rekey", "vault"), (bank_template, "vault", "rekey")):
        assert may_change(template, own, action)
        assert [may_change(template, each, action) for each in (others, "true", "")] == [[], [], []]


def test_a_key_made_before_can_only_be_given_the_stacks_name(tickets_template: Template) -> None:
    def may_tag(managed: str, **tags: str) -> list[str]:
        named = {name.replace("_", ":"): value for name, value in tags.items()}
        context = {"aws:ResourceTag/rekey:managed": managed}
        asked = ((name, decision(tickets_template, name, "kms:TagResource", KEY, context, named)) for name in LAMBDAS)
        return [name for name, said in asked if said == "Allow" and name != "create_key"]

    assert may_tag("true", rekey_managed="rekey") == ["disable_old_key"]
    assert may_tag("true", rekey_managed="vault") == []
    assert may_tag("true", rekey_managed="rekey", rekey_state="abandoned") == []
    assert may_tag("vault", rekey_managed="rekey") == []


def test_cdk_nag_has_nothing_open(syntheses: Syntheses) -> None:
    report = json.loads((syntheses["bank"].assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []
