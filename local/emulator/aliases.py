"""The resource of kms:CreateAlias is the alias (and the key, which MiniStack's one resource a request has no room for).

MiniStack asks for "*", which no policy for AWS allows. Source: KMS developer guide, "Controlling access to aliases".
"""

import json
from collections.abc import Callable
from typing import Any

_TARGET = "TrentService.CreateAlias"


def named(resource: Callable[..., str]) -> Callable[..., str]:
    """MiniStack's resource of a request, and the alias where one is made."""

    def found(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any) -> str:
        target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
        if service == "kms" and target == _TARGET:
            _, region, account = more
            return f"arn:aws:kms:{region}:{account}:{json.loads(body)['AliasName']}"
        return resource(service, method, path, headers, body, *more)

    return found
