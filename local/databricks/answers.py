"""What a fault answers in place of what the simulator would, or makes of it."""

import json
from typing import Any

from fastapi import Response

from local.databricks.errors import ApiError, render
from local.databricks.faults import Order


def refusal(order: Order, path: str) -> Response:
    """`status`, with the order's own body or as the API at `path` words it."""
    status = order.status or 500
    headers = {"Retry-After": str(order.retry_after)} if status in (429, 503) else {}
    if order.body is None:
        return render(ApiError(status, order.error_code, order.message, headers=headers), path)
    return Response(order.body, status, headers=headers, media_type=_media_type(order.body))


def throttled(order: Order, path: str) -> Response:
    error = ApiError(
        429,
        "REQUEST_LIMIT_EXCEEDED",
        "Your request was rejected since your organization has exceeded the rate limit.",
        headers={"Retry-After": str(order.retry_after)},
    )
    return render(error, path)


def redirected(order: Order, url: str) -> Response:
    """To `location`, or to itself: a loop."""
    return Response(status_code=order.status or 302, headers={"Location": order.location or url})


def garbled(status: int) -> Response:
    """What says that it is gzip and is not."""
    return Response(b"\x1f\x8b not gzip", status, headers={"Content-Encoding": "gzip"}, media_type="application/json")


def rewritten(order: Order, body: bytes) -> bytes:
    """The JSON answer with the order's changes; a path that is not there is passed over."""
    answer = json.loads(body or b"{}")
    for path, value in order.values.items():
        _each(answer, path.split("."), lambda holder, name, value=value: _put(holder, name, value))
    for path in order.absent:
        _each(answer, path.split("."), _remove)
    return json.dumps(answer).encode()


def _each(found: Any, path: list[str], change: Any) -> None:
    """Call `change` with the holder and the key of everything that `path` leads to."""
    name, *rest = path
    keys: list[Any] = []
    if isinstance(found, dict):
        keys = list(found) if name == "*" else [name]
    elif isinstance(found, list):
        keys = list(range(len(found))) if name == "*" else [int(name)]
    for key in keys:
        if not rest:
            change(found, key)
        elif not isinstance(found, dict) or key in found:
            _each(found[key], rest, change)


def _put(holder: Any, name: Any, value: Any) -> None:
    holder[name] = value


def _remove(holder: Any, name: Any) -> None:
    if isinstance(holder, dict):
        holder.pop(name, None)


def _media_type(body: str) -> str | None:
    if not body:
        return None
    try:
        json.loads(body)
    except ValueError:
        return "text/html" if body.lstrip().startswith("<") else "text/plain"
    return "application/json"
