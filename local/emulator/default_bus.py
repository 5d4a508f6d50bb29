"""IAM's name of a rule on the default bus: "rule/NAME", without the bus (Service authorization reference, EventBridge).

MiniStack asks for "rule/default/NAME", which no policy for AWS allows.
"""

from collections.abc import Callable
from typing import Any

_AS_MINISTACK_HAS_IT = ":rule/default/"


def named_by_aws(resource: Callable[..., Any]) -> Callable[..., Any]:
    """MiniStack's resource of a request, with AWS' name of such a rule."""

    def found(*request: Any, **more: Any) -> Any:
        arn = resource(*request, **more)
        return arn.replace(_AS_MINISTACK_HAS_IT, ":rule/") if isinstance(arn, str) else arn

    return found
