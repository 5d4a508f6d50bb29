"""What is deployed, apart from permissions: Lambdas, state machine, ledger, bucket, secret, schedule."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra.grants import PLACES, granted
from tests.infra.template import LAMBDAS, Template

DEFINITIONS = Path(__file__).resolve().parent.parent.parent / "stepfunctions"
MACHINES = ("rotate_key", "rotate_fleet")
PLACES_OF_FLEETS = {"RotateKey", "EvidenceBucket"}
"""Placeholders that are no Lambdas."""
UNKNOWN_TO_THE_EMULATOR = {*PLACES["machine"], *PLACES["fleet"]}


MEMORY_MB = {
    **dict.fromkeys(("renew_notebooks", "pause_triggers", "terminate_compute", "restart_compute", "carry_on"), 1024),
    **dict.fromkeys(("plan_rotation", "complete_rotation", "record_failure", "doctor", "inventory", "find_drift"), 512),
    **dict.fromkeys(("plan_fleet", "report_fleet"), 512),
}
"""Of those that do more than one thing at a time."""


@pytest.mark.parametrize("name", LAMBDAS)
def test_a_lambda_is_built_like_the_others(template: Template, name: str) -> None:
    function = template.function(name)
    assert function["FunctionName"] == f"rekey-{name.replace('_', '-')}"
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    timeout = 900 if name == "carry_on" else 120
    assert (function["MemorySize"], function["Timeout"]) == (MEMORY_MB.get(name, 256), timeout)
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert len(function["Layers"]) == 1
    log_group = template.resource(function["LoggingConfig"]["LogGroup"]["Ref"])["Properties"]
    assert log_group == {"LogGroupName": f"/aws/lambda/{function['FunctionName']}", "RetentionInDays": 365} | {
        "Tags": log_group["Tags"]
    }


def test_lambdas_share_one_asset_and_one_environment(template: Template) -> None:
    """The outbox alone knows where it sets aside what can never be told, and the inventory how old a key may be."""
    alike = []
    for function in map(template.function, LAMBDAS):
        variables = dict(function["Environment"]["Variables"])
        variables.pop("UNPUBLISHED_QUEUE_URL", None)
        assert variables.pop("MAX_KEY_AGE_DAYS", None) in (None, "MANAGED_SERVICES=365,STORAGE=365")
        alike.append(json.dumps([function["Code"], variables, function["Layers"]]))
    assert len(set(alike)) == 1


def test_the_inventory_is_told_the_policy_and_taken_once_a_day(template: Template) -> None:
    variables = template.function("inventory")["Environment"]["Variables"]
    assert variables["MAX_KEY_AGE_DAYS"] == "MANAGED_SERVICES=365,STORAGE=365"
    [schedule] = [each for each in template.all("AWS::Scheduler::Schedule").values() if "inventory" in each["Name"]]
    assert schedule["ScheduleExpression"] == "rate(1 day)"
    assert schedule["Target"]["Arn"]["Fn::GetAtt"][0].startswith("FunctionsInventory")


def test_drift_is_looked_for_every_hour(template: Template) -> None:
    [schedule] = [each for each in template.all("AWS::Scheduler::Schedule").values() if "drift" in each["Name"]]
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert schedule["Target"]["Arn"]["Fn::GetAtt"][0].startswith("FunctionsFindDrift")


def test_the_environment_is_what_the_functions_read(template: Template) -> None:
    variables = dict(template.function("plan_rotation")["Environment"]["Variables"])
    [table] = template.all("AWS::DynamoDB::Table")
    assert variables.pop("LEDGER_TABLE") == {"Ref": table}
    [bus] = template.all("AWS::Events::EventBus")
    assert variables.pop("EVENT_BUS") == {"Ref": bus}
    assert variables.pop("EVIDENCE_BUCKET")["Ref"].startswith("LedgerEvidence")
    assert variables.pop("DATABRICKS_SECRET_ARN")["Fn::GetAtt"][1] == "Id"
    assert variables == {
        "REKEY_STAGE": "dev",
        "DATABRICKS_ACCOUNT_ID": "00000000-0000-0000-0000-000000000000",
        "DATABRICKS_ACCOUNT_HOST": "https://accounts.cloud.databricks.com",
        "DATABRICKS_WORKSPACE_HOST": "https://{deployment_name}.cloud.databricks.com",
        "DATABRICKS_SHARD": "commercial",
        "GRACE_SECONDS": "86400",
        "SETTLE_SECONDS": "1200",
        "WAIT_SCALE": "1",
        "WATCH_SECONDS": "1209600",
        "REKEY_NAME": "rekey",
        "KEY_ALIAS_PREFIX": "rekey",
        "KEY_ROTATION_DAYS": "365",
        "BREAK_GLASS_ROLE_ARN": "",
        "POWERTOOLS_SERVICE_NAME": {"Ref": "AWS::StackName"},
        "POWERTOOLS_METRICS_NAMESPACE": "rekey",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


def machine_of(template: Template, name: str) -> dict[str, Any]:
    named = f"rekey-{name.replace('_', '-')}"
    found = template.all("AWS::StepFunctions::StateMachine").values()
    return next(each for each in found if each["StateMachineName"] == named)


@pytest.mark.parametrize("name", MACHINES)
def test_every_placeholder_is_filled_with_the_lambda_of_its_name(template: Template, name: str) -> None:
    machine = machine_of(template, name)
    placeholders = set(re.findall(r"\$\{(\w+)\}", machine["DefinitionString"]))
    substitutions = dict(machine["DefinitionSubstitutions"])
    assert placeholders == set(substitutions)
    assert substitutions.pop("Partition") == {"Ref": "AWS::Partition"}
    assert substitutions.pop("SettleSeconds", None) == ("1200" if name == "rotate_key" else None)
    for placeholder, value in substitutions.items():
        if placeholder in PLACES_OF_FLEETS:
            assert value["Ref"].startswith(("WorkflowRotateKey", "LedgerEvidence"))
            continue
        function, attribute = value["Fn::GetAtt"]
        own = re.sub(r"(?<!^)(?=[A-Z])", "_", placeholder).lower()
        assert attribute == "Arn"
        assert template.resource(function)["Properties"]["Handler"].endswith(f".{own}.handler")


@pytest.mark.parametrize("name", MACHINES)
def test_the_definition_is_in_the_template_as_it_is_in_the_file(template: Template, name: str) -> None:
    definition = (DEFINITIONS / f"{name}.asl.json").read_text(encoding="utf-8")
    assert json.loads(machine_of(template, name)["DefinitionString"]) == json.loads(definition)


@pytest.mark.parametrize("name", MACHINES)
def test_a_state_machine_logs_everything_and_is_traced(template: Template, name: str) -> None:
    machine = machine_of(template, name)
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", True)


def test_every_log_group_has_a_retention(template: Template) -> None:
    groups = template.all("AWS::Logs::LogGroup")
    assert len(groups) == len(LAMBDAS) + len(MACHINES)
    assert {group["RetentionInDays"] for group in groups.values()} == {365}


def test_the_ledger_is_kept_and_can_be_turned_back(template: Template) -> None:
    table = template.only("AWS::DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["DeletionProtectionEnabled"] is True
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    [index] = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], index["Projection"]) == ("due", {"ProjectionType": "ALL"})
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["due_pk", "due_at"]


def test_every_bucket_is_private_and_the_evidence_keeps_its_versions(template: Template) -> None:
    buckets = template.all("AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert "BucketEncryption" in bucket
    [evidence] = [bucket for bucket in buckets.values() if "LoggingConfiguration" in bucket]
    assert evidence["VersioningConfiguration"] == {"Status": "Enabled"}


def test_every_bucket_refuses_plain_http(template: Template) -> None:
    refusing = {
        policy["Bucket"]["Ref"]
        for policy in template.all("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Action"] == "s3:*"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert refusing == set(template.all("AWS::S3::Bucket"))


@pytest.mark.parametrize("kind", ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"])
def test_data_outlives_the_stack_except_on_one_machine(template: Template, local_template: Template, kind: str) -> None:
    for stage, kept in ((template, "Retain"), (local_template, "Delete")):
        assert stage.all(kind)
        for name in stage.all(kind):
            assert stage.resource(name)["DeletionPolicy"] == kept
            assert stage.resource(name)["UpdateReplacePolicy"] == kept


@pytest.mark.parametrize(
    ("name", "rate", "handler"),
    [
        ("rekey-disable-old-key", "rate(15 minutes)", "old_keys.disable_old_key.handler"),
        ("rekey-carry-on", "rate(5 minutes)", "finisher.carry_on.handler"),
    ],
)
def test_old_keys_and_open_rotations_are_looked_at_every_few_minutes(
    template: Template, name: str, rate: str, handler: str
) -> None:
    [schedule] = [each for each in template.all("AWS::Scheduler::Schedule").values() if each["Name"] == name]
    assert schedule["ScheduleExpression"] == rate
    target = template.resource(schedule["Target"]["Arn"]["Fn::GetAtt"][0])["Properties"]
    assert target["Handler"] == handler
    assert schedule["Target"]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in template.all("AWS::SQS::Queue")


def test_an_execution_that_ends_other_than_well_calls_the_finisher(template: Template) -> None:
    [rule] = [each for each in template.all("AWS::Events::Rule").values() if each.get("Name") == "rekey-carry-on"]
    assert (rule["State"], "EventBusName" in rule) == ("ENABLED", False)
    detail = rule["EventPattern"]["detail"]
    [machine] = [each for each in template.all("AWS::StepFunctions::StateMachine") if each.startswith("WorkflowRotate")]
    assert detail == {"status": ["ABORTED", "FAILED", "TIMED_OUT"], "stateMachineArn": [{"Ref": machine}]}
    [target] = rule["Targets"]
    function = template.resource(target["Arn"]["Fn::GetAtt"][0])["Properties"]
    assert function["Handler"] == "finisher.carry_on.handler"


def test_outputs(template: Template) -> None:
    assert set(template.body["Outputs"]) == {
        "AlarmTopicArn",
        "StateMachineArn",
        "LedgerTableName",
        "EvidenceBucketName",
        "DatabricksSecretArn",
        "EventBusName",
        "Version",
    }


def test_the_local_stage_has_the_same_resources_and_permissions(template: Template, local_template: Template) -> None:
    """Apart from the layer, TLS-only policies and one resource, which the emulator does not know."""
    ours, theirs = ({kind: set(stage.all(kind)) for kind in _kinds(stage)} for stage in (template, local_template))
    for kind in ("AWS::Lambda::LayerVersion", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"):
        ours.pop(kind)
        theirs.pop(kind, None)
    assert ours == theirs
    for name in LAMBDAS:
        grants = [
            (action, "*" if resource in UNKNOWN_TO_THE_EMULATOR else resource, condition)
            for action, resource, condition in granted(template, name)
        ]
        assert granted(local_template, name) == sorted(grants), name


def test_the_local_stage_runs_the_code_of_this_machine(local_template: Template) -> None:
    function = local_template.function("create_key")
    variables = function["Environment"]["Variables"]
    assert (function["Runtime"], "Layers" in function) == ("provided.al2023", False)
    assert variables["PYTHON"] == "/usr/bin/python3"
    assert (variables["REKEY_STAGE"], variables["GRACE_SECONDS"]) == ("local", "30")
    assert (variables["SETTLE_SECONDS"], variables["WAIT_SCALE"]) == ("1200", "0.025")
    machine = machine_of(local_template, "rotate_key")
    assert machine["DefinitionSubstitutions"]["SettleSeconds"] == "30"  # moments come in real time


def _kinds(template: Template) -> set[str]:
    return {resource["Type"] for resource in template.body["Resources"].values()}


def test_refused_uses_of_disabled_keys_reach_reenable_key(template: Template) -> None:
    [rule] = [each for each in template.all("AWS::Events::Rule").values() if each.get("Name") == "rekey-reenable-key"]
    # Decrypt is a read-only management event: in the state ENABLED the rule would never see one.
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert {"Decrypt", "Encrypt", "GenerateDataKey"} <= set(rule["EventPattern"]["detail"]["eventName"])
    # A key that waits for its deletion, or is deleted, answers otherwise than one that is disabled.
    assert rule["EventPattern"]["detail"]["errorCode"] == [
        "DisabledException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
        "NotFoundException",
    ]
    [target] = rule["Targets"]
    function = template.resource(target["Arn"]["Fn::GetAtt"][0])["Properties"]
    assert function["Handler"] == "old_keys.reenable_key.handler"
    assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in template.all("AWS::SQS::Queue")
    for permission in template.all("AWS::Lambda::Permission").values():
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["SourceArn"]["Fn::GetAtt"][0] in template.all("AWS::Events::Rule")
