"""Pages: an opaque token that says where the next one begins."""

import base64
from collections.abc import Sequence
from typing import Any, TypeVar

from local.databricks.errors import invalid_parameter
from local.databricks.http import WorkspaceCall

Item = TypeVar("Item")

MOST_TASKS = 100
"""Of one job or run in one answer of API 2.2; a list says has_more, and "get" gives the other pages."""


def page(call: WorkspaceCall, items: Sequence[Item], size_name: str, default: int, most: int) -> tuple[list[Item], str]:
    """The page asked for and the token of the next, empty at the end."""
    size_text = (call.query(size_name) if size_name else "") or str(default)
    if not size_text.isdigit() or int(size_text) == 0:
        raise invalid_parameter(f"{size_name} must be a positive integer")
    size = min(int(size_text), most)
    start = _start(call.query("page_token"))
    following = start + size
    token = base64.urlsafe_b64encode(f"from:{following}".encode()).decode() if following < len(items) else ""
    return list(items[start:following]), token


def first_tasks(shown: dict[str, Any]) -> dict[str, Any]:
    """A job's settings or a run as a list shows it."""
    tasks = shown.get("tasks", [])
    return {**shown, "tasks": tasks[:MOST_TASKS], "has_more": True} if len(tasks) > MOST_TASKS else shown


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("from:"))
    except ValueError:
        raise invalid_parameter("Invalid page token") from None
