"""Step Functions' executions, as far as rekey asks about them: each runs until a test, or StopExecution, ends it."""

from typing import Any

from botocore.exceptions import ClientError

from rekey.base import clock
from tests.clients import client
from tests.enforced_roles import judge_states


class Executions:
    """Stands at the boundary; the rest is moto's. Shape: Step Functions API reference, DescribeExecution."""

    def __init__(self) -> None:
        self._ended: dict[str, dict[str, Any]] = {}
        self.refusals: list[str] = []
        """Codes of what StopExecution answers next."""

    def end(self, name: str, status: str = "ABORTED", *, error: str = "", cause: str = "") -> None:
        """FAILED, TIMED_OUT, ABORTED; FORGOTTEN as after 90 days; RUNNING as by a redrive."""
        said = {"error": error, "cause": cause} if error or cause else {}
        self._ended[name] = {"status": status, "stopDate": clock.now(), **said}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803, botocore's names
        judge_states("DescribeExecution", executionArn)
        name = executionArn.rpartition(":")[2]
        ended = self._ended.get(name, {"status": "RUNNING"})
        if ended["status"] == "FORGOTTEN":
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")
        return {"executionArn": executionArn, "name": name, **ended}

    def stop_execution(self, *, executionArn: str, error: str = "", cause: str = "") -> None:  # noqa: N803
        judge_states("StopExecution", executionArn)
        if self.refusals:
            raise ClientError({"Error": {"Code": self.refusals.pop(), "Message": "no"}}, "StopExecution")
        self.end(executionArn.rpartition(":")[2], "ABORTED", error=error, cause=cause)

    def __getattr__(self, name: str) -> Any:
        return getattr(client("stepfunctions"), name)
