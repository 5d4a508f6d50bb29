"""`make package`'s files by plain CloudFormation: deployed, rotated on, deleted; what remains is what the page says.

The stack is the one for AWS: Python runtime, retained data, TLS demanded, no wait shortened but by the emulator; with a
bank's guard rails. One thing is changed in the template: Databricks' addresses, as the simulator speaks plain HTTP on
loopback.
"""

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from demo.kms_4 import failing
from local.cloud.deploy import fill_secret
from local.cloud.launch import ACCOUNT, REGION
from local.cloud.model import LocalCloud, aws_environment
from local.cloud.processes import base_environment, stop
from local.cloud.servers import Credential, start_emulator, start_simulator
from tests.e2e.common import whole
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver, Ended, until

ROOT = Path(__file__).resolve().parents[2]
LIFECYCLE = ROOT / "docs" / "lifecycle.md"
BUCKET, PREFIX, STACK = "bank-artefacts", "rekey/", "rekey"
ACCOUNT_HOST, WORKSPACE_HOST = (
    "https://accounts.cloud.databricks.com",
    "https://{deployment_name}.cloud.databricks.com",
)
SECONDS = 180

BOUNDARY = "bank-boundary"
GUARD_RAILS: dict[str, object] = {
    "permissions_boundary": BOUNDARY,
    "role_prefix": "app-",
    "role_path": "/platform/",
    "stack_tags": {"cost-centre": "4711"},
    "key_tags": {"cost-centre": "4711"},
    "key_alias_prefix": "bank/keys",
    "evidence_lock_days": 30,
}
DENIED_WITHOUT_A_COST_CENTRE = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "kms:CreateKey",
            "Resource": "*",
            "Condition": {"Null": {"aws:RequestTag/cost-centre": "true"}},
        },
    ],
}
"""As a service control policy says it; here it is the boundary, which IAM holds every role to just so."""

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Bare:
    """AWS and Databricks on this machine, with nothing deployed."""

    aws: dict[str, str]
    simulator: str
    credential: Credential
    cloud: LocalCloud
    """Without the stack's own names."""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    folder = tmp_path_factory.mktemp("package")
    base = base_environment(folder)
    credential = Credential(account_id=str(uuid.uuid4()), client_id=str(uuid.uuid4()), client_secret=uuid.uuid4().hex)
    emulator = start_emulator(base, folder, REGION, ACCOUNT, SCALES)
    aws = aws_environment(emulator.url, REGION, ACCOUNT)
    simulator = start_simulator(base, folder, aws, credential, SCALES)
    try:
        for server in (emulator, simulator):
            server.wait()
        cloud = LocalCloud(
            endpoint=emulator.url,
            region=REGION,
            account=ACCOUNT,
            simulator_url=simulator.url,
            tickets_url="",
            databricks_account_id=credential.account_id,
            state_machine_arn="",
            ledger_table="",
            evidence_bucket="",
            databricks_secret_arn=None,
            scales=SCALES,
            emulator_pid=emulator.process.pid,
            simulator_pid=simulator.process.pid,
            tickets_pid=0,
            emulator_log=str(emulator.log),
            simulator_log=str(simulator.log),
            tickets_log="",
            deploy_log="",
        )
        yield Bare(aws, simulator.url, credential, cloud)
    finally:
        for server in (emulator, simulator):
            stop(server.process.pid)


def package(target: Path, **settings: object) -> None:
    """As `make package` does."""
    command = [sys.executable, "-m", "infra.package", str(target)]
    for name, value in settings.items():
        text = json.dumps(value) if isinstance(value, dict) else value
        command += ["-c", f"rekey:{name}={text}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert made.returncode == 0, made.stderr


def upload(driver: Driver, target: Path, simulator: str) -> None:
    """The zips as they are; the template with the simulator for Databricks."""
    s3 = driver.aws("s3")
    s3.create_bucket(Bucket=BUCKET)
    for path in target.glob("*.zip"):
        s3.put_object(Bucket=BUCKET, Key=PREFIX + path.name, Body=path.read_bytes())
    template = (target / "rekey.template.json").read_text(encoding="utf-8")
    assert {ACCOUNT_HOST, WORKSPACE_HOST} <= set(re.findall(r'"(https://[^"]*databricks[^"]*)"', template))
    template = template.replace(ACCOUNT_HOST, simulator).replace(WORKSPACE_HOST, simulator + "/w/{deployment_name}")
    s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}rekey.template.json", Body=template.encode())


def status(driver: Driver, stack_id: str) -> str:
    (found,) = driver.aws("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return str(found["StackStatus"])


def settled(driver: Driver, stack_id: str) -> str:
    return until(
        "the stack to settle", lambda: status(driver, stack_id), lambda found: not found.endswith("IN_PROGRESS")
    )


def deploy(driver: Driver) -> str:
    """By CreateStack alone; gives the stack's id."""
    formation = driver.aws("cloudformation")
    made = formation.create_stack(
        StackName=STACK,
        TemplateURL=f"{driver.cloud.endpoint}/{BUCKET}/{PREFIX}rekey.template.json",
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[
            {"ParameterKey": "AssetBucket", "ParameterValue": BUCKET},
            {"ParameterKey": "AssetPrefix", "ParameterValue": PREFIX},
        ],
    )
    assert settled(driver, made["StackId"]) == "CREATE_COMPLETE", events(driver, made["StackId"])
    return str(made["StackId"])


def events(driver: Driver, stack_id: str) -> list[Any]:
    found = driver.aws("cloudformation").describe_stack_events(StackName=stack_id)["StackEvents"]
    return [(each["LogicalResourceId"], each.get("ResourceStatusReason")) for each in found if "FAILED" in str(each)]


def outputs(driver: Driver, stack_id: str) -> dict[str, str]:
    (found,) = driver.aws("cloudformation").describe_stacks(StackName=stack_id)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}


def resources(driver: Driver, stack_id: str) -> list[dict[str, Any]]:
    pages = driver.aws("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return [each for page in pages for each in page["StackResourceSummaries"]]


def kept_by_the_page() -> set[str]:
    """The resource types that the table under "Remove" says stay."""
    _, _, removal = LIFECYCLE.read_text(encoding="utf-8").partition("## Remove")
    return set(re.findall(r"^\| `(AWS::\w+::\w+)`", removal, re.MULTILINE))


def in_the_account(driver: Driver) -> dict[str, set[str]]:
    """What there is, by resource type, as each service lists it; of keys those that can be used."""

    def names(service: str, call: str, key: str, name: str = "", **how: Any) -> set[str]:
        pages = driver.aws(service).get_paginator(call).paginate(**how)
        found = [each for page in pages for each in page[key]]
        return {each[name] if name else each for each in found}

    events_ = driver.aws("events")
    return {
        "AWS::Lambda::Function": names("lambda", "list_functions", "Functions", "FunctionName"),
        "AWS::Lambda::EventSourceMapping": names("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
        "AWS::StepFunctions::StateMachine": names(
            "stepfunctions", "list_state_machines", "stateMachines", "stateMachineArn"
        ),
        "AWS::DynamoDB::Table": names("dynamodb", "list_tables", "TableNames"),
        "AWS::S3::Bucket": {each["Name"] for each in driver.aws("s3").list_buckets()["Buckets"]},
        "AWS::Events::EventBus": {each["Name"] for each in events_.list_event_buses()["EventBuses"]} - {"default"},
        "AWS::Events::Rule": {each["Name"] for each in events_.list_rules()["Rules"]},
        "AWS::Scheduler::Schedule": names("scheduler", "list_schedules", "Schedules", "Name"),
        "AWS::SQS::Queue": set(driver.aws("sqs").list_queues().get("QueueUrls", ())),
        "AWS::SNS::Topic": names("sns", "list_topics", "Topics", "TopicArn"),
        "AWS::CloudWatch::Alarm": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "AWS::CloudWatch::Dashboard": names("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "AWS::Logs::LogGroup": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "AWS::IAM::Role": names("iam", "list_roles", "Roles", "RoleName"),
        "AWS::SecretsManager::Secret": names("secretsmanager", "list_secrets", "SecretList", "ARN"),
        "AWS::KMS::Key": set(filter(lambda each: driver.key_state(each) == "Enabled", driver.keys())),
    }


def bounded(driver: Driver, names: set[str]) -> dict[str, tuple[str, str]]:
    """Boundary and beginning of the ARN of each role."""
    roles = {each: driver.aws("iam").get_role(RoleName=each)["Role"] for each in names}
    return {
        name: (role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""), role["Arn"].partition("app-")[0])
        for name, role in roles.items()
    }


def refused_without_tags(driver: Driver, workspace_id: int) -> Ended:
    """A rotation with rekey:key_tags empty."""
    name = "rekey-create-key"
    functions = driver.aws("lambda")
    told = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**told, "KEY_TAGS": "{}"}})
    ended = driver.rotate(workspace_id=workspace_id)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": told})
    return ended


def locked(driver: Driver, key: str) -> None:
    """Nobody can delete what is there, not even the account's root."""
    s3, bucket = driver.aws("s3"), driver.cloud.evidence_bucket
    (version,) = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    assert s3.get_object_retention(Bucket=bucket, Key=key)["Retention"]["Mode"] == "COMPLIANCE"
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"], BypassGovernanceRetention=True)


def test_without_cdk_it_passes_guard_rails_rotates_and_leaves_what_the_page_says(bare: Bare, tmp_path: Path) -> None:
    empty = Driver(bare.cloud)
    before = in_the_account(empty)
    empty.aws("iam").create_policy(PolicyName=BOUNDARY, PolicyDocument=json.dumps(DENIED_WITHOUT_A_COST_CENTRE))
    package(tmp_path, databricks_account_id=bare.credential.account_id, **GUARD_RAILS)
    upload(empty, tmp_path, bare.simulator)
    stack_id = deploy(empty)
    told = outputs(empty, stack_id)
    fill_secret(bare.aws, told["DatabricksSecretArn"], bare.credential)
    driver = Driver(
        replace(
            bare.cloud,
            state_machine_arn=told["StateMachineArn"],
            ledger_table=told["LedgerTableName"],
            evidence_bucket=told["EvidenceBucketName"],
        )
    )
    old = driver.make_key()
    workspace_id = driver.workspace(keys={"managed_services": old})
    compute = driver.compute(workspace_id)
    ended = driver.rotate(workspace_id=workspace_id)
    assert ended.status == "SUCCEEDED", ended
    new = ended.output["key_arn"]
    whole(driver, workspace_id, compute)
    evidence = driver.evidence(ended.name)

    made = resources(driver, stack_id)
    while_there = in_the_account(driver)
    account = bare.cloud.account
    boundary = (f"arn:aws:iam::{account}:policy/{BOUNDARY}", f"arn:aws:iam::{account}:role/platform/")
    roles = bounded(driver, while_there["AWS::IAM::Role"] - before["AWS::IAM::Role"])
    assert {(arn, path[: len(boundary[1])]) for arn, path in roles.values()} == {boundary}
    shown = driver.aws("kms").list_resource_tags(KeyId=new)["Tags"]
    assert {"TagKey": "cost-centre", "TagValue": "4711"} in shown
    locked(driver, f"rotations/{ended.name}/evidence.json")
    assert failing(driver.aws("kms"))[0] in ([], [old.rpartition("/")[2]])
    fields = driver.fields(workspace_id)
    refused = refused_without_tags(driver, workspace_id)
    assert (refused.status, refused.error) == ("FAILED", "AccessDenied"), refused
    assert "kms:CreateKey" in refused.cause
    assert driver.fields(workspace_id) == fields
    assert {each["ResourceType"] for each in made} & set(while_there) <= {
        each for each in while_there if while_there[each] - before[each]
    }
    driver.aws("cloudformation").delete_stack(StackName=stack_id)
    assert settled(driver, stack_id) == "DELETE_COMPLETE", events(driver, stack_id)

    after = in_the_account(driver)
    ours = {kind: after[kind] - before[kind] for kind in after}
    ours["AWS::S3::Bucket"] -= {BUCKET}
    ours["AWS::KMS::Key"] -= {old, new}
    assert {kind for kind, left in ours.items() if left} == kept_by_the_page()
    # The records are whole, and data can be read: keys, aliases and policies stay.
    assert driver.evidence(ended.name) == evidence
    assert driver.ledger(f"ROTATION#{ended.name}", "ROTATION") is not None
    assert after["AWS::KMS::Key"] >= {old, new}
    aliases = driver.aws("kms").list_aliases(KeyId=new.rpartition("/")[2])["Aliases"]
    assert [each["AliasName"] for each in aliases] == [f"alias/bank/keys/{workspace_id}/{ended.name}"]
    whole(driver, workspace_id, compute)
    assert driver.fields(workspace_id)[0] == ended.output["configuration_id"]
    assert json.dumps(driver.get("state")["configurations"]).count(new) == 1
