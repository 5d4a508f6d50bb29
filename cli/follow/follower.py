"""Asks Step Functions how an execution is getting on, each time only for what is new."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from cli.follow.definition import Definition
from cli.follow.execution import Execution, read_object

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

PAGE = 50


class Follower:
    """Follows one execution. AWS' errors pass through."""

    def __init__(self, client: "SFNClient", execution_arn: str) -> None:
        self._client = client
        self._definition: Definition | None = None
        self.execution = Execution(execution_arn)

    def look(self) -> Execution:
        """The execution as it is now."""
        if self._definition is None:
            self._definition = self._read_definition()
            self.execution = replace(self.execution, definition=self._definition)
        # Asked first: a history read after the end is known is complete.
        described = self._client.describe_execution(executionArn=self.execution.arn)
        execution = self.execution.after(self._news())
        if execution.started is None:
            execution = replace(execution, started=described["startDate"].timestamp())
        if described["status"] != execution.status:
            execution = _ended(execution, described)
        self.execution = execution
        return execution

    def _read_definition(self) -> Definition:
        """Empty for who may follow executions and not see what they run: waits are then lines of their own."""
        try:
            found = self._client.describe_state_machine_for_execution(executionArn=self.execution.arn)
        except ClientError as error:
            if error.response["Error"].get("Code") != "AccessDeniedException":
                raise
            return Definition()
        return Definition.read(found["definition"])

    def _news(self) -> list[Mapping[str, Any]]:
        """Events that were not seen yet, oldest first."""
        news: list[Mapping[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            page = self._client.get_execution_history(
                executionArn=self.execution.arn, reverseOrder=True, maxResults=PAGE, **more
            )
            unseen = [event for event in page["events"] if event["id"] > self.execution.last_event]
            news += unseen
            if len(unseen) < len(page["events"]) or not page.get("nextToken"):
                return news[::-1]
            more = {"nextToken": page["nextToken"]}


def _ended(execution: Execution, described: Any) -> Execution:
    stopped = described.get("stopDate")
    return replace(
        execution,
        status=described["status"],
        ended=stopped.timestamp() if stopped else execution.ended,
        output=read_object(described.get("output")) or execution.output,
        error=described.get("error", ""),
        cause=described.get("cause", ""),
    )
