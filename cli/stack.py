"""Where the stack is: in AWS with the usual profiles and regions, or the local cloud."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import botocore.session
import typer
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.troubles import AWS_ERRORS, explain
from local.cloud import DEFAULT_STATE_FILE, LocalCloud
from local.cloud.model import ROOT
from rekey.base import errors
from rekey.base.arns import region_of
from rekey.model.entries import rotation_key
from rekey.model.rotation import ENDS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

OUTPUTS = ("StateMachineArn", "EvidenceBucketName", "LedgerTableName")
MACHINE = "-rotate-key"
"""How the state machine's name ends; what comes before is the stack's name, with which all its Lambdas begin."""

FLEET_MACHINE = "-rotate-fleet"

CONFIG = Config(connect_timeout=10, read_timeout=130, retries={"mode": "standard", "max_attempts": 4})
"""A Lambda may take two minutes. Every call here may be repeated: names make a start the same start."""


class StackError(RuntimeError):
    """The stack could not be found, or refused; the message says what to do."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name
        """The name of a Lambda's error, as in rekey.base.errors."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack, as far as the command line needs it."""

    state_machine_arn: str
    evidence_bucket: str
    ledger_table: str
    options: dict[str, Any]
    """Keyword arguments for its clients."""
    session: boto3.Session = field(default_factory=boto3.Session)
    minute: float = 1.0
    """Real seconds for one second of the story: 1 in AWS, less in the local cloud."""

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        return self.session.client("stepfunctions", config=CONFIG, **self.options)

    @cached_property
    def functions(self) -> "LambdaClient":
        return self.session.client("lambda", config=CONFIG, **self.options)

    @cached_property
    def caller_arn(self) -> str:
        """Who calls, as AWS knows them."""
        client: STSClient = self.session.client("sts", config=CONFIG, **self.options)
        return client.get_caller_identity()["Arn"]

    @property
    def fleet_machine_arn(self) -> str:
        """The state machine that rotates fleets."""
        return self.state_machine_arn.removesuffix(MACHINE) + FLEET_MACHINE

    @property
    def region(self) -> str:
        return region_of(self.state_machine_arn)

    @property
    def is_local(self) -> bool:
        return bool(self.options)

    @property
    def name(self) -> str:
        """The stack's name, as rekey:name gives it."""
        return self.state_machine_arn.rpartition(":")[2].removesuffix(MACHINE)

    def function_name(self, name: str) -> str:
        """The Lambda's name: "cancel_rotation" -> "rekey-cancel-rotation"."""
        return f"{self.name}-{name.replace('_', '-')}"

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Call one of the stack's Lambdas, by its file's name in functions/. Raises StackError with its refusal."""
        answer = self.functions.invoke(FunctionName=self.function_name(function), Payload=json.dumps(event).encode())
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            raise StackError(_refusal(function, result), name=str(result.get("errorType", "")))
        return result

    def execution_arn(self, rotation_id: str) -> str:
        """The execution of a rotation, as the ledger has it; of one that the ledger does not have (it is only now being
        planned, or was refused) the one of that name. An execution's ARN is taken too."""
        if rotation_id.startswith("arn:"):
            return rotation_id
        named = f"{self.state_machine_arn.replace(':stateMachine:', ':execution:')}:{rotation_id}"
        return self._in_ledger(rotation_id).get("execution_arn") or named

    def open_in_ledger(self, rotation_id: str) -> bool:
        """Whether the ledger has the rotation as not ended; False also for who may not read it."""
        status = self.status_in_ledger(rotation_id)
        return status is not None and status not in ENDS

    def status_in_ledger(self, rotation_id: str) -> str | None:
        """What the ledger has of the rotation; None for one that it does not have, and for who may not read it."""
        return self._in_ledger(rotation_id).get("status")

    def _in_ledger(self, rotation_id: str) -> dict[str, str]:
        """{"execution_arn", "status"}; empty also for who may follow executions and not read the ledger."""
        ledger: DynamoDBClient = self.session.client("dynamodb", config=CONFIG, **self.options)
        key = {name: {"S": value} for name, value in rotation_key(rotation_id).items()}
        try:
            found = ledger.get_item(
                TableName=self.ledger_table,
                Key=key,
                ProjectionExpression="execution_arn, #status",
                ExpressionAttributeNames={"#status": "status"},
            )
        except ClientError:
            return {}
        return {name: value["S"] for name, value in found.get("Item", {}).items() if "S" in value}

    def story(self, real_seconds: float) -> float:
        """Seconds as they are shown."""
        return real_seconds / self.minute


def _refusal(function: str, result: Mapping[str, Any]) -> str:
    """The message of one of rekey's own errors; of any other one only where to read it."""
    kind, message = result.get("errorType"), result.get("errorMessage")
    if message and hasattr(errors, str(kind)):
        return str(message)
    return f"the Lambda {function} failed{f' ({kind})' if kind else ''}. Fix: see its log in CloudWatch"


PANEL = "Where the stack is"

Name = Annotated[str, typer.Option("--stack", metavar="NAME", help="Name of the stack in AWS.", rich_help_panel=PANEL)]
Profile = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="AWS profile; else AWS_PROFILE, else the default.", rich_help_panel=PANEL),
]
Region = Annotated[
    str | None,
    typer.Option(
        metavar="REGION", help="The stack's region; else AWS_REGION, else the profile's.", rich_help_panel=PANEL
    ),
]
Local = Annotated[
    bool,
    typer.Option(
        "--local",
        envvar="REKEY_LOCAL",
        show_envvar=False,
        help="Use the local cloud instead of AWS; so does REKEY_LOCAL=1.",
        rich_help_panel=PANEL,
    ),
]
StateFile = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        dir_okay=False,
        help="The local cloud's state file.",
        show_default=str(DEFAULT_STATE_FILE.relative_to(ROOT)),
        rich_help_panel=PANEL,
    ),
]


@dataclass(frozen=True)
class Where:
    """Where the stack is, as a person says it."""

    stack: Name = "rekey"
    profile: Profile = None
    region: Region = None
    local: Local = False
    state_file: StateFile = DEFAULT_STATE_FILE

    def find(self) -> Stack:
        """The stack. Raises StackError, CloudError or botocore's errors."""
        return find(self.stack, local=self.local, state_file=self.state_file, profile=self.profile, region=self.region)

    @property
    def typed(self) -> str:
        """The options to reach the same stack again, each with a blank before it."""
        if self.local:
            return " --local" + (f" --state-file {self.state_file}" if self.state_file != DEFAULT_STATE_FILE else "")
        given = {"stack": self.stack if self.stack != "rekey" else None, "profile": self.profile, "region": self.region}
        return "".join(f" --{name} {value}" for name, value in given.items() if value)


def find(
    name: str,
    *,
    local: bool,
    state_file: Path = DEFAULT_STATE_FILE,
    profile: str | None = None,
    region: str | None = None,
) -> Stack:
    """The stack. Raises StackError, or CloudError when no local cloud runs."""
    if local:
        cloud = LocalCloud.load(state_file)
        names = (cloud.state_machine_arn, cloud.evidence_bucket, cloud.ledger_table)
        return Stack(*names, dict(cloud.client_options), _bare_session(), cloud.scales.minute)
    try:
        # boto3 knows AWS_DEFAULT_REGION alone; the AWS command line and every other SDK read AWS_REGION.
        session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)
        (stack,) = session.client("cloudformation", config=CONFIG).describe_stacks(StackName=name)["Stacks"]
    except AWS_ERRORS as error:
        raise StackError(f"the stack {name!r} could not be read: {_why(error, name)}") from error
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    if missing := [each for each in OUTPUTS if each not in outputs]:
        raise StackError(
            f"the stack {name!r} has no output {missing[0]}. Fix: give the name of rekey's stack with --stack"
        )
    state_machine, bucket, table = (outputs[each] for each in OUTPUTS)
    return Stack(state_machine, bucket, table, {}, session)


def _why(error: Exception, name: str) -> str:
    if isinstance(error, ClientError) and error.response["Error"].get("Code") == "ValidationError":
        return (
            f"there is no stack {name!r} in this account and region. Fix: choose where rekey is deployed with "
            "--profile and --region, give its name with --stack, or use --local"
        )
    return str(explain(error))


def _bare_session() -> boto3.Session:
    """A session that reads no profile of the user's, not even one that AWS_PROFILE names wrongly."""
    return boto3.Session(botocore_session=botocore.session.Session({"profile": (None, None, None, None)}))
