"""What comes by loopback counts as TLS: AWS' endpoints speak nothing else, and the emulator speaks plain HTTP.

So a policy that denies what is not encrypted on its way (aws:SecureTransport) is there, and is passed.
"""

from typing import Any

from ministack.core import iam_evaluator  # type: ignore[import-untyped]


def count_as_secure() -> None:
    """Let conditions see aws:SecureTransport as AWS' endpoints have it."""
    resolve = iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        return "true" if key.lower() == "aws:securetransport" else resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_condition_key
