"""Step Functions' task tokens, which moto has none of: who waits with one can be answered, once."""

from typing import Any

from botocore.exceptions import ClientError

from tests.enforced_roles import judge_states
from tests.steps.executions import Executions

FLEETS = "arn:aws:states:us-east-1:123456789012:stateMachine:rekey-rotate-fleet"
"""Whose tokens begin with "fleet"; the others are rotations'."""


class Tasks:
    """Stands at the boundary beside the executions. Everything that got through is in `answered`."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions
        self.waiting: set[str] = set()
        self.answered: list[dict[str, Any]] = []
        self.refused: dict[str, str] = {}
        """Error codes by operation, whoever waits."""

    def send_task_success(self, **given: Any) -> None:
        self._answer("SendTaskSuccess", given)

    def send_task_failure(self, **given: Any) -> None:
        self._answer("SendTaskFailure", given)

    def send_task_heartbeat(self, taskToken: str) -> None:  # noqa: N803, botocore's names
        self._check("SendTaskHeartbeat", taskToken)

    def _answer(self, operation: str, given: dict[str, Any]) -> None:
        self._check(operation, given["taskToken"])
        self.waiting.remove(given["taskToken"])
        self.answered.append(given)

    def _check(self, operation: str, token: str) -> None:
        judge_states(operation, FLEETS if token.startswith("fleet") else "")
        code = self.refused.get(operation) or ("" if token in self.waiting else "TaskTimedOut")
        if code:
            raise ClientError({"Error": {"Code": code, "Message": "refused"}}, operation)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executions, name)
