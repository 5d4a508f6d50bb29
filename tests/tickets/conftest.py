"""The desk as a fixture. A module's tests share clients and servers; tickets and executions are each test's own."""

import uuid
from collections.abc import Iterator

import boto3
import pytest

from local.tickets.app import running
from local.tickets.credentials import new_secret
from local.tickets.state import State
from rekey.aws import clients
from rekey.runtime import current_settings
from rekey.telling.tickets import settings as ticket_settings
from tests import enforced_roles
from tests.bucket_and_table import make_bucket_and_table
from tests.names import ACCOUNT_ID, BUCKET, TABLE
from tests.quick_moto import quick_moto
from tests.tickets.approvals import IN_REVIEW, Lambda
from tests.tickets.desk import APPROVED, APPROVER, WORKSPACE, Desk

DEFINITION = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "REKEY_STAGE": "local",
    "LEDGER_TABLE": TABLE,
    "EVIDENCE_BUCKET": BUCKET,
    "DATABRICKS_ACCOUNT_ID": ACCOUNT_ID,
    "DATABRICKS_ACCOUNT_HOST": "https://accounts.example.com",
    "DATABRICKS_WORKSPACE_HOST": "https://{deployment_name}.example.com",
    "DATABRICKS_SECRET_ARN": "databricks",
    "DATABRICKS_SHARD": "commercial",
    "GRACE_SECONDS": "86400",
    "SETTLE_SECONDS": "1200",
    "WATCH_SECONDS": "1209600",
    "REKEY_NAME": "rekey",
    "EVENT_BUS": "rekey",
    "ANSWER_APPROVAL_FUNCTION": "rekey-answer-approval",
    "STEER_FLEET_FUNCTION": "rekey-steer-fleet",
    "TICKETS_PARAMETER": "/rekey/tickets",
    "TICKETS_SECRET_ARN": "tickets",
    "POWERTOOLS_SERVICE_NAME": "rekey",
    "POWERTOOLS_METRICS_NAMESPACE": "rekey",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


@pytest.fixture(scope="module")
def systems() -> Iterator[tuple[State, str]]:
    """moto with what the stack makes, and the ticket systems."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        environment.delenv("AWS_SESSION_TOKEN", raising=False)
        state = State(new_secret())
        with quick_moto(), running(state) as url:
            clients.forget_clients()
            enforced_roles.play(environment)
            make_bucket_and_table()
            boto3.client("secretsmanager").create_secret(Name="tickets", SecretString="{}")
            yield state, url
            clients.forget_clients()


@pytest.fixture
def desk(systems: tuple[State, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    state, url = systems
    # Numbers go on, so that no two tests have a ticket in common.
    state.secret, state.faults = new_secret(), type(state.faults)()
    name = f"t{uuid.uuid4().hex[:12]}"
    made = clients.stepfunctions().create_state_machine(
        name=name, definition=DEFINITION, roleArn="arn:aws:iam::123456789012:role/rekey"
    )
    fleets = clients.stepfunctions().create_state_machine(
        name=f"fleet-{name}", definition=DEFINITION, roleArn="arn:aws:iam::123456789012:role/rekey"
    )
    monkeypatch.setenv("FLEET_STATE_MACHINE_ARN", fleets["stateMachineArn"])
    queue = clients.sqs().create_queue(QueueName=name)
    monkeypatch.setenv("STATE_MACHINE_ARN", made["stateMachineArn"])
    monkeypatch.setenv("TICKET_COMMENTS_QUEUE_URL", queue["QueueUrl"])
    who = {"projects": ["SEC"], "approvers": [APPROVER], "workspaces": [WORKSPACE]}
    settings = {each: {"base_url": f"{url}/{each}", "statuses": [APPROVED[each]], **who} for each in APPROVED}
    made_desk = Desk(state, url, made["stateMachineArn"], queue["QueueUrl"])
    made_desk.configure(settings)
    made_desk.write_secret(state.secret)
    current_settings.cache_clear()
    yield made_desk
    current_settings.cache_clear()
    ticket_settings.forget()


@pytest.fixture
def approvals(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Lambda:
    """Who takes approvals; and each system has a status in which only a plan is made."""
    boundary = Lambda()
    monkeypatch.setattr("rekey.aws.clients.lambda_", lambda: boundary)
    settings = desk.settings()
    for provider, part in settings.items():
        part["plan_statuses"] = [IN_REVIEW[provider]]
    desk.configure(settings)
    return boundary
