"""Pages: an opaque token that says where the next one begins."""

import base64
from collections.abc import Sequence
from typing import TypeVar

from local.databricks.errors import invalid_parameter
from local.databricks.http import WorkspaceCall

Item = TypeVar("Item")


def page(call: WorkspaceCall, items: Sequence[Item], size_name: str, default: int, most: int) -> tuple[list[Item], str]:
    """The page asked for and the token of the next, empty at the end."""
    size_text = call.query(size_name) or str(default)
    if not size_text.isdigit() or int(size_text) == 0:
        raise invalid_parameter(f"{size_name} must be a positive integer")
    size = min(int(size_text), most)
    start = _start(call.query("page_token"))
    following = start + size
    token = base64.urlsafe_b64encode(f"from:{following}".encode()).decode() if following < len(items) else ""
    return list(items[start:following]), token


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
    except ValueError:
        raise invalid_parameter("Invalid page token") from None
