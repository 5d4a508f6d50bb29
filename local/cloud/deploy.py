"""Deploys the stack to the emulator: the same app.py, the same CDK command line, stage "local"."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import requests

from local.cloud.model import ROOT, CloudError, Scales
from local.cloud.processes import run
from local.cloud.servers import Credential

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
# What `cdk bootstrap` would name the bucket for assets; without its roles it is all that a bootstrap leaves here.
ASSET_BUCKET = "cdk-hnb659fds-assets-{account}-{region}"
SYNTH_SECONDS = 180.0
DEPLOY_SECONDS = 240.0


APPROVER = "approver"
APPROVED = {"jira": "Approved", "servicenow": "approved", "standard": "approved"}
"""The status that asks, by ticket system."""

IN_REVIEW = {"jira": "In review", "servicenow": "requested", "standard": "requested"}
"""The status in which a rotation is only planned."""


@dataclass(frozen=True)
class Urls:
    """Where the stand-ins are."""

    simulator: str
    tickets: str


def ticket_settings(tickets_url: str) -> dict[str, Any]:
    """The setting rekey:tickets for the local ticket systems: project SEC, the user `approver`, every workspace.

    A ticket of "anything else" may ask for a fleet.
    """
    who = {"projects": ["SEC"], "approvers": [APPROVER], "workspaces": ["*"]}
    return {
        name: {
            "base_url": f"{tickets_url}/{name}",
            "statuses": [status],
            "plan_statuses": [IN_REVIEW[name]],
            "mapping": {"fleet": "request.fleet"} if name == "standard" else {},
            **who,
        }
        for name, status in APPROVED.items()
    }


def synthesize(
    base: Mapping[str, str],
    folder: Path,
    urls: Urls,
    credential: Credential,
    scales: Scales,
    secretless: bool,
    more: Mapping[str, object],
) -> Path:
    """Run app.py as the CDK command line would, for stage "local". Returns the cloud assembly's folder."""
    assembly = folder / "cdk.out"
    context = {
        **json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
        "rekey:stage": "local",
        "rekey:databricks_account_id": credential.account_id,
        "rekey:databricks_client_id": credential.client_id if secretless else "",
        "rekey:databricks_account_host": urls.simulator,
        "rekey:databricks_workspace_host": urls.simulator + "/w/{deployment_name}",
        "rekey:grace_seconds": scales.grace_seconds,
        "rekey:watch_seconds": 14 * scales.grace_seconds,
        "rekey:retirement_rate_minutes": 1,
        "rekey:finisher_rate_minutes": 1,
        "rekey:wait_scale": scales.minute,
        "rekey:tickets": ticket_settings(urls.tickets),
        "rekey:local_python": sys.executable,
        **more,
    }
    # The real home: it holds the cache of unpacked CDK modules, which saves ten seconds.
    home = {"HOME": str(Path.home())}
    environment = {**base, **home, "CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": json.dumps(context)}
    run([sys.executable, "app.py"], environment, folder / "deploy.log", SYNTH_SECONDS)
    return assembly


def deploy(base: Mapping[str, str], folder: Path, aws: Mapping[str, str], assembly: Path) -> dict[str, str]:
    """Deploy the assembly with the pinned CDK command line. Returns the stack's outputs."""
    if not CDK.exists():
        raise CloudError("the CDK command line is not installed: run `make setup`")
    _make_asset_bucket(aws)
    outputs = folder / "outputs.json"
    options = "deploy --require-approval never --method direct --progress events --ci --no-color"
    environment = {**base, **aws, "CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true"}
    command = ["node", str(CDK), *options.split(), "--app", str(assembly), "--outputs-file", str(outputs)]
    run(command, environment, folder / "deploy.log", DEPLOY_SECONDS)
    [stack_outputs] = json.loads(outputs.read_text(encoding="utf-8")).values()
    return dict(stack_outputs)


def fill_secret(aws: Mapping[str, str], secret_arn: str, credential: Credential) -> None:
    """Put the service principal's credential where a customer would put it."""
    value = {"client_id": credential.client_id, "client_secret": credential.client_secret}
    _session(aws).client("secretsmanager", endpoint_url=aws["AWS_ENDPOINT_URL"]).put_secret_value(
        SecretId=secret_arn, SecretString=json.dumps(value)
    )


def trust_role(aws: Mapping[str, str], simulator_url: str, role_arn: str, credential: Credential) -> None:
    """Let AWS vouch for the account's roles and Databricks believe it of this one, as a customer's admins would."""
    enabled = (
        _session(aws).client("iam", endpoint_url=aws["AWS_ENDPOINT_URL"]).enable_outbound_web_identity_federation()
    )
    policy = {
        "issuer": enabled["IssuerIdentifier"],
        "audiences": [credential.account_id],
        "subject": role_arn,
    }
    requests.post(f"{simulator_url}/_sim/federation_policies", json=policy, timeout=30).raise_for_status()


def join_tickets(
    aws: Mapping[str, str], outputs: Mapping[str, str], tickets_url: str, secret: Mapping[str, Any]
) -> None:
    """Give rekey the ticket systems' secrets, and them the address of its webhooks."""
    _session(aws).client("secretsmanager", endpoint_url=aws["AWS_ENDPOINT_URL"]).put_secret_value(
        SecretId=outputs["TicketsSecretArn"], SecretString=json.dumps(secret)
    )
    # By the emulator's path: its host names do not resolve everywhere.
    api_id = urlsplit(outputs["TicketsUrl"]).netloc.partition(".")[0]
    base = f"{aws['AWS_ENDPOINT_URL']}/_aws/execute-api/{api_id}/$default/tickets"
    webhooks = {name: f"{base}/{name}" for name in APPROVED}
    requests.put(f"{tickets_url}/_tickets/webhooks", json=webhooks, timeout=10).raise_for_status()


def _make_asset_bucket(aws: Mapping[str, str]) -> None:
    name = ASSET_BUCKET.format(account=aws["AWS_ACCESS_KEY_ID"], region=aws["AWS_REGION"])
    _session(aws).client("s3", endpoint_url=aws["AWS_ENDPOINT_URL"]).create_bucket(Bucket=name)


def _session(aws: Mapping[str, str]) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        region_name=aws["AWS_REGION"],
    )
