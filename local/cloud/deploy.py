"""Deploys the stack to the emulator: the same app.py, the same CDK command line, stage "local"."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3

from local.cloud.model import ROOT, CloudError, Scales
from local.cloud.processes import run
from local.cloud.servers import Credential

CDK = ROOT / "node_modules" / "aws-cdk" / "bin" / "cdk"
# What `cdk bootstrap` would name the bucket for assets; without its roles it is all that a bootstrap leaves here.
ASSET_BUCKET = "cdk-hnb659fds-assets-{account}-{region}"
SYNTH_SECONDS = 180.0
DEPLOY_SECONDS = 240.0


def synthesize(
    base: Mapping[str, str], folder: Path, simulator_url: str, credential: Credential, scales: Scales
) -> Path:
    """Run app.py as the CDK command line would, for stage "local". Returns the cloud assembly's folder."""
    assembly = folder / "cdk.out"
    context = {
        **json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"],
        "rekey:stage": "local",
        "rekey:databricks_account_id": credential.account_id,
        "rekey:databricks_account_host": simulator_url,
        "rekey:databricks_workspace_host": simulator_url + "/w/{deployment_name}",
        "rekey:grace_seconds": scales.grace_seconds,
        "rekey:watch_seconds": 14 * scales.grace_seconds,
        "rekey:retirement_rate_minutes": 1,
        "rekey:local_python": sys.executable,
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


def _make_asset_bucket(aws: Mapping[str, str]) -> None:
    name = ASSET_BUCKET.format(account=aws["AWS_ACCESS_KEY_ID"], region=aws["AWS_REGION"])
    _session(aws).client("s3", endpoint_url=aws["AWS_ENDPOINT_URL"]).create_bucket(Bucket=name)


def _session(aws: Mapping[str, str]) -> boto3.Session:
    return boto3.Session(
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        region_name=aws["AWS_REGION"],
    )
