"""The simulator without a network: what requests sends to it is served in the thread that sends it."""

from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from fastapi import FastAPI
from requests.structures import CaseInsensitiveDict

URL = "http://databricks.simulator"


class Wire:
    """Counts what is answered, by the name of the phase that it is told."""

    def __init__(self, app: FastAPI | None) -> None:
        self._app = app
        self.phase = ""
        self.accepted: Counter[str] = Counter()
        self.limited: Counter[str] = Counter()

    def send(self, _: Any, request: requests.PreparedRequest, **__: Any) -> requests.Response:
        """In place of HTTPAdapter.send."""
        response = requests.Response()
        parts, body = urlsplit(str(request.url)), _bytes(request.body)
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), _bytes(value)) for name, value in request.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("databricks.simulator", 80),
        }
        content = bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                response.status_code = message["status"]
                response.headers = CaseInsensitiveDict((k.decode(), v.decode()) for k, v in message["headers"])
            else:
                content.extend(message.get("body", b""))

        assert self._app is not None, "it is served elsewhere"
        finish(self._app(scope, receive, answer))
        response.raw = BytesIO(bytes(content))
        response._content = bytes(content)
        response.url, response.request, response.encoding = str(request.url), request, "utf-8"
        (self.limited if response.status_code == requests.codes.too_many else self.accepted)[self.phase] += 1
        return response

    @contextmanager
    def connected(self) -> Iterator[None]:
        with patch.object(requests.adapters.HTTPAdapter, "send", lambda *some, **named: self.send(*some, **named)):
            yield


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Its result. Nothing in the simulator waits for anything but its clock, which needs no event loop here."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as over:
        return over.value


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else (text or "").encode()
