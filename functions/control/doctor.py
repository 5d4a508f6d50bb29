"""Doctor: try every way that rotations go, from the stack's own network and with its own login. Nothing is changed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from rekey.model.checks import Examined
from rekey.planning.doctor import examine
from rekey.runtime import current_settings, framed


def _doctor(_: Any, context: LambdaContext) -> Examined:
    return examine(current_settings(), context.invoked_function_arn)


handler = framed(_doctor)
