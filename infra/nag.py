"""Exceptions from cdk-nag's rules: one finding at a time, each with its reason beside it."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import Construct


def acknowledge(construct: Construct, finding: str, reason: str) -> None:
    """Accept one of cdk-nag's findings on a construct and what is inside it."""
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))


def resource_finding(scope: Construct, resource: str) -> str:
    """The id of cdk-nag's finding that `resource` (an ARN, perhaps with tokens) holds a wildcard."""
    return f"AwsSolutions-IAM5[Resource::{_flatten(Stack.of(scope).resolve(resource))}]"


def _flatten(value: Any) -> str:
    """A resolved CloudFormation value as cdk-nag writes it: references in angle brackets, joins joined."""
    if isinstance(value, str):
        return value
    [(function, argument)] = value.items()
    match function:
        case "Ref":
            return f"<{argument}>"
        case "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        case "Fn::Join":
            separator, parts = argument
            return str(separator).join(_flatten(part) for part in parts)
        case _:
            raise NotImplementedError(f"cdk-nag's wording for {function} is not known here")
