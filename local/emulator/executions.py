"""Executions that were stopped stay stopped: MiniStack 1.5.33 calls one FAILED whose Task fails after StopExecution.

Source: Step Functions API reference, StopExecution and DescribeExecution: ABORTED is an end.
"""

from typing import Any

from ministack.services import stepfunctions  # type: ignore[import-untyped]


def end_once() -> None:
    """Let only an execution that runs fail."""
    fail = stepfunctions._fail_execution

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    stepfunctions._fail_execution = fail_execution
