"""What Step Functions knows of an execution. Nothing is changed."""

from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import ClientError

from rekey.aws import clients

FORGOTTEN = "FORGOTTEN"
"""Step Functions knows no such execution, as of one that ended more than 90 days ago."""

_AT_WORK = ("RUNNING", "PENDING_REDRIVE")


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution. Source: Step Functions API reference, DescribeExecution."""

    status: str
    ended_at: datetime | None = None
    error: str = ""
    cause: str = ""

    @property
    def has_ended(self) -> bool:
        return self.status not in _AT_WORK


def look_at_execution(execution_arn: str) -> Execution:
    """botocore's errors pass through."""
    try:
        found = clients.stepfunctions().describe_execution(executionArn=execution_arn)
    except ClientError as error:
        if clients.error_code(error) == "ExecutionDoesNotExist":
            return Execution(FORGOTTEN)
        raise
    return Execution(found["status"], found.get("stopDate"), found.get("error", ""), found.get("cause", ""))
