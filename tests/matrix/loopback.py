"""The simulator and the ticket systems, called without a socket: what requests would send goes straight to their ASGI
applications, and back.

What a socket does to a client, a reset, is raised as requests raises it.
"""

import asyncio
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
from fastapi import FastAPI
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import ProtocolError

from local.databricks.wire import ConnectionLost
from tests.matrix.boundary import Boundary

URL = "http://simulator.invalid"
TICKETS_URL = "http://tickets.invalid"


class InProcess(HTTPAdapter):
    """An adapter for every address: there is nobody else but the simulator and the ticket systems."""

    def __init__(self, app: FastAPI, tickets: FastAPI, boundary: Boundary) -> None:
        super().__init__()
        self._app, self._tickets, self._boundary = app, tickets, boundary
        self._loop = asyncio.new_event_loop()
        self._parents: list[asyncio.AbstractEventLoop] = []

    def renew(self) -> None:
        """For a process that was forked: the loop's own descriptors are its parent's, and to close them is to take them
        from the parent too."""
        self._parents.append(self._loop)
        self._loop = asyncio.new_event_loop()

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        if request.url and request.url.startswith(TICKETS_URL):
            service = "tickets"
        else:
            service = "token" if address.path.endswith("/v1/token") else "databricks"
        app = self._tickets if service == "tickets" else self._app
        answer: HTTPResponse = self._boundary.passing(
            service,
            f"{request.method} {address.path}",
            lambda: self._loop.run_until_complete(self._ask(request, app)),
        )
        return self.build_response(request, answer)

    async def _ask(self, request: requests.PreparedRequest, app: FastAPI) -> HTTPResponse:
        address = urlsplit(str(request.url))
        body = request.body or b""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": address.scheme,
            "path": unquote(address.path),
            "raw_path": address.path.encode(),
            "query_string": address.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), str(value).encode()) for name, value in request.headers.items()],
            "client": ("127.0.0.1", 1),
            "server": (address.hostname, address.port or 80),
            "state": {},
        }
        sent = [{"type": "http.request", "body": body.encode() if isinstance(body, str) else body}]
        status, headers, content = 0, [], bytearray()

        async def receive() -> Any:
            return sent.pop() if sent else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status, headers = message["status"], message.get("headers", [])
            else:
                content.extend(message.get("body", b""))

        try:
            await app(scope, receive, send)
        except ConnectionLost:
            reset = ProtocolError("Connection aborted.", ConnectionResetError(104, "Connection reset by peer"))
            raise requests.exceptions.ConnectionError(reset, request=request) from None
        return HTTPResponse(
            body=io.BytesIO(bytes(content)),
            headers=HTTPHeaderDict([(name.decode(), value.decode()) for name, value in headers]),
            status=status,
            preload_content=False,
        )


def quick_routes(look: Callable[..., Any]) -> Callable[..., Any]:
    """FastAPI's own look-up, remembered: which of two hundred routes a path takes does not change, and it looks twice
    for each request."""
    known: dict[tuple[int, str, str], Any] = {}

    def match(router: Any, scope: Any) -> Any:
        if scope.get("path_params") or scope.get("root_path"):
            return look(router, scope)
        asked = id(router), scope["method"], scope["path"]
        if asked not in known:
            known[asked] = look(router, scope)
        kind, child, route, context = known[asked]
        fresh = {**child, "path_params": dict(child["path_params"])} if "path_params" in child else child
        return kind, fresh, route, context

    return match
