"""Where the stack is: in AWS with the usual profiles and regions, or the local cloud."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import DEFAULT_STATE_FILE, LocalCloud

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

OUTPUTS = ("StateMachineArn", "EvidenceBucketName", "LedgerTableName")


class StackError(RuntimeError):
    """The stack could not be found; the message says what to do."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack, as far as the command line needs it."""

    state_machine_arn: str
    evidence_bucket: str
    ledger_table: str
    options: dict[str, Any]
    """Keyword arguments for boto3.client."""

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Call one of the stack's Lambdas, by its file's name in functions/. Raises StackError with its refusal."""
        machine = self.state_machine_arn.rpartition(":")[2]
        name = f"{machine.removesuffix('-rotate-key')}-{function.replace('_', '-')}"
        try:
            answer = boto3.client("lambda", **self.options).invoke(
                FunctionName=name, Payload=json.dumps(event).encode()
            )
        except (ClientError, BotoCoreError) as error:
            raise StackError(f"the Lambda {name} could not be called: {error}") from error
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise StackError(result.get("errorMessage") or f"the Lambda {name} failed: see its log")
        return result

    @property
    def stepfunctions(self) -> "SFNClient":
        client: SFNClient = boto3.client("stepfunctions", **self.options)
        return client


Name = Annotated[str, typer.Option("--stack", metavar="NAME", help="Name of the stack in AWS.")]
Local = Annotated[bool, typer.Option("--local", help="Use the local cloud instead of AWS.")]
StateFile = Annotated[Path, typer.Option(metavar="FILE", dir_okay=False, help="The local cloud's state file.")]


def find(name: str, *, local: bool, state_file: Path = DEFAULT_STATE_FILE) -> Stack:
    """The stack. Raises StackError, or CloudError when no local cloud runs."""
    if local:
        cloud = LocalCloud.load(state_file)
        options: dict[str, Any] = cloud.client_options
        return Stack(cloud.state_machine_arn, cloud.evidence_bucket, cloud.ledger_table, options)
    try:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        raise StackError(
            f"the stack {name!r} could not be read: {error}. Mend: set AWS_PROFILE and AWS_REGION to where rekey is "
            "deployed, give its name with --stack, or use --local"
        ) from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    if missing := [each for each in OUTPUTS if each not in outputs]:
        raise StackError(
            f"the stack {name!r} has no output {missing[0]}. Mend: give the name of rekey's stack with --stack"
        )
    state_machine, bucket, table = (outputs[each] for each in OUTPUTS)
    return Stack(state_machine, bucket, table, {})
