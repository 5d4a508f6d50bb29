"""Step Functions' own API as far as the product calls it, in front of the executions of a timeline."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.matrix.execution import Execution, TaskError
from tests.matrix.timeline import Running, Timeline


@dataclass
class Tasks:
    """Stands in for the boto3 client; the executions are those that were started on it."""

    executions: dict[str, tuple[Execution, Running]] = field(default_factory=dict)
    """By ARN."""
    asked_for: dict[str, str] = field(default_factory=dict)
    """Input of those that the product itself started, by ARN: they are at work for good."""
    _timeline: Timeline | None = None

    def reset(self, timeline: Timeline) -> None:
        self.executions.clear()
        self.asked_for.clear()
        self._timeline = timeline

    def start(self, execution: Execution, ended: Callable[[], None] = lambda: None) -> Execution:
        """`ended` hears of its end, in the moment of it."""
        assert self._timeline is not None
        execution.ended = ended
        self.executions[execution.arn] = execution, self._timeline.start(execution.process(), name=execution.name)
        return execution

    def redrive(self, execution: Execution) -> None:
        """From the state in which it ended (AWS Step Functions, RedriveExecution): a Map begins as a whole."""
        assert self._timeline is not None
        state = next(each for each in reversed(execution.states) if each in execution.machine["States"])
        execution.status, execution.error, execution.cause, execution.ended_at = "RUNNING", None, None, None
        process = execution.process(again_from=state)
        self.executions[execution.arn] = execution, self._timeline.start(process, name=execution.name)

    def time_out(self, execution: Execution) -> None:
        """As after the machine's TimeoutSeconds, now."""
        assert self._timeline is not None
        execution.time_out()
        self._timeline.stop(self.executions[execution.arn][1])

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"Step Functions' {name} is not known here")

    @cached_property
    def exceptions(self) -> Any:
        """The client's own classes."""
        return boto3.client("stepfunctions", region_name="us-east-1").exceptions

    # --- what the product calls ---

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: N803, A002
        """The same name with the same input, while it runs, is no error (StartExecution, "idempotent")."""
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        if self.asked_for.setdefault(arn, input) != input:
            raise self._error("StartExecution", "ExecutionAlreadyExists", arn)
        return {"executionArn": arn}

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803, boto3's own names
        self._answer("SendTaskSuccess", taskToken, {"Payload": output})

    def send_task_failure(self, *, taskToken: str, error: str = "", cause: str = "") -> None:  # noqa: N803
        self._answer("SendTaskFailure", taskToken, TaskError(error, cause))

    def send_task_heartbeat(self, *, taskToken: str) -> None:  # noqa: N803
        self._waiting("SendTaskHeartbeat", taskToken)

    def stop_execution(self, *, executionArn: str, error: str = "", cause: str = "") -> dict[str, Any]:  # noqa: N803
        execution, running = self._find("StopExecution", executionArn)
        execution.abort(cause or error)
        assert self._timeline is not None
        self._timeline.stop(running)
        return {}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        if executionArn in self.asked_for:
            return {"executionArn": executionArn, "status": "RUNNING"}
        execution, _ = self._find("DescribeExecution", executionArn)
        found = {"executionArn": executionArn, "name": execution.name, "status": execution.status}
        said = {"error": execution.error, "cause": execution.cause}
        ended = {"stopDate": datetime.fromtimestamp(execution.ended_at, UTC)} if execution.ended_at else {}
        return {**found, **ended, **{name: text for name, text in said.items() if text}}

    def _find(self, operation: str, arn: str) -> tuple[Execution, Running]:
        if arn not in self.executions:
            raise self._error(operation, "ExecutionDoesNotExist", arn)
        return self.executions[arn]

    def _error(self, operation: str, code: str, message: str) -> ClientError:
        kind: Any = self.exceptions.from_code(code)
        error: ClientError = kind({"Error": {"Code": code, "Message": message}}, operation)
        return error

    def _answer(self, operation: str, token: str, said: Any) -> None:
        execution, running = self._waiting(operation, token)
        execution.answers[token] = said
        assert self._timeline is not None
        self._timeline.wake(running)

    def _waiting(self, operation: str, token: str) -> tuple[Execution, Running]:
        for execution, running in self.executions.values():
            if execution.running and token in execution.answers and execution.answers[token] is None:
                return execution, running
        raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": "Task Timed Out"}}, operation)
