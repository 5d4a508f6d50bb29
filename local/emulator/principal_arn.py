"""aws:PrincipalArn as AWS has it: of a role's session it is the role's ARN, with its path; MiniStack 1.5.33's is the
session's. Source: IAM user guide, "AWS global condition context keys"."""

from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]
from ministack.services import iam  # type: ignore[import-untyped]


def show_roles() -> None:
    """Let conditions see the role behind a session."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        arn = context.principal_arn
        if key.lower() != "aws:principalarn" or ":assumed-role/" not in arn:
            return resolve(key, context)
        role = iam._roles.get_scoped(context.principal_account, None, arn.split("/")[1])
        return role["Arn"] if role else resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
