"""Conditions of templates know AWS::Region, AWS::AccountId and AWS::Partition, as CloudFormation's do.

MiniStack takes the name for the value, so that a resource which is made in one region is never made.
"""

import importlib
from typing import Any

from ministack.core.responses import get_account_id, get_region  # type: ignore[import-untyped]
from ministack.services.cloudformation import engine  # type: ignore[import-untyped]

_USERS = ("changesets", "handlers", "stacks")
"""Modules that have the function by its name."""


def resolve() -> None:
    """Give every evaluation the values."""
    real = engine._evaluate_conditions

    def evaluate(template: dict[str, Any], params: dict[str, Any]) -> Any:
        known = {"AWS::Region": get_region(), "AWS::AccountId": get_account_id(), "AWS::Partition": "aws"}
        return real(template, {**params, **{name: {"Value": value} for name, value in known.items()}})

    for name in ("engine", *_USERS):
        module: Any = importlib.import_module(f"ministack.services.cloudformation.{name}")
        module._evaluate_conditions = evaluate
