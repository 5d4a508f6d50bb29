"""A Lambda makes itself no log group: that takes logs:CreateLogGroup, which no role of the stack has.

MiniStack makes one whatever the role, also after the stack is gone.
Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs", required permissions.
"""

from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc  # type: ignore[import-untyped]


def are_the_stacks() -> None:
    """Have functions write only to groups that are there."""
    emit = lambda_svc._emit_lambda_logs

    def emit_lambda_logs(function: dict[str, Any], *more: Any, **how: Any) -> None:
        config = function.get("config") or function
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{config.get('FunctionName')}"
        if group in cloudwatch_logs._log_groups:
            emit(function, *more, **how)

    lambda_svc._emit_lambda_logs = emit_lambda_logs
