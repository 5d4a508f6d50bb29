"""An organisation's guard rails, on everything in the stack at once: boundary, path and name of roles, tags."""

import re

import jsii
from aws_cdk import Aspects, Aws, IAspect, Stack, Tags
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from infra.settings import Settings


def keep_to_guard_rails(stack: Stack, settings: Settings) -> None:
    """Whatever role or resource the stack has by the end keeps to them: also what CDK makes by itself."""
    Aspects.of(stack).add(_Roles(settings))
    for name, value in settings.stack_tags.items():
        Tags.of(stack).add(name, value)


def prefixed(settings: Settings, name: str) -> str:
    """A role's name, with the prefix and the stack's name before it."""
    return f"{settings.role_prefix}{settings.name}-{name}"


def own_roles(settings: Settings) -> list[str]:
    """Patterns of the ARNs of the stack's roles, known before any is made.

    CloudFormation's own names begin with the first 24 characters of the stack's (observed; it cuts both parts to 24).
    """
    role = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role{settings.role_path}"
    begins = prefixed(settings, "") if settings.role_prefix else f"{settings.name[:24]}-"
    return [f"{role}{begins}*", f"{role}{settings.name}/in-databricks/{begins}*"]


def boundary_arn(settings: Settings) -> str:
    """The boundary's ARN, by whichever it was given; empty for none."""
    given = settings.permissions_boundary
    if not given or given.startswith("arn:"):
        return given
    return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:policy/{given.lstrip('/')}"


@jsii.implements(IAspect)
class _Roles:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._boundary = boundary_arn(settings)

    def visit(self, node: IConstruct) -> None:
        if not isinstance(node, iam.CfnRole):
            return
        if self._boundary:
            node.permissions_boundary = self._boundary
        if self._settings.role_path != "/" and node.path is None:
            node.path = self._settings.role_path
        # The L2 has a token there that resolves to nothing.
        if self._settings.role_prefix and Stack.of(node).resolve(node.role_name) is None:
            node.role_name = prefixed(self._settings, _name(node.node.path))


def _name(path: str) -> str:
    """rekey/Functions/PlanRotationRole/Resource -> plan-rotation; rekey/Events/StartRole/Resource -> events-start."""
    _, group, *inner, _ = path.split("/")
    own = re.sub(r"Role$", "", "".join(inner))
    words = own if group == "Functions" else f"{group}{own}"
    return re.sub(r"(?<!^)(?=[A-Z])", "-", words).lower()
