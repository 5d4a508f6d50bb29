"""The outermost layer: carries out faults, lets what is due happen, and writes the request log."""

import asyncio
import re
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.databricks import deletions
from local.databricks.access import LOGIN_PAGE
from local.databricks.answers import garbled, redirected, refusal, rewritten, throttled
from local.databricks.errors import ApiError, missing, render
from local.databricks.faults import Order
from local.databricks.http import WORKSPACE_HEADER
from local.databricks.state.account import Workspace
from local.databricks.world import World

AbortConnection = Callable[[Scope], None]

SIDE_DOOR = "/_sim"
JSON = "application/json"
AFTERWARDS = frozenset({"silent_revert", "provisioning_fails", "applied_then_lost", "rewrite", "garbled"})
"""Faults of a request that is done."""


class ConnectionLost(Exception):
    """Raised where there is no real connection to reset."""


class Wire:
    """ASGI middleware. `abort` resets the request's connection; without it ConnectionLost is raised."""

    def __init__(self, app: ASGIApp, world: World, abort: AbortConnection | None = None) -> None:
        self._app = app
        self._world = world
        self._abort = abort

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(SIDE_DOOR):
            self._world.catch_up()
            await self._app(scope, receive, send)
            return
        await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        query = scope["query_string"].decode()
        url = f"{path}?{query}" if query else path
        entry: dict[str, Any] = {"method": method, "path": path, "status": None, "at": self._world.now()}
        if query:
            entry["query"] = query
        self._world.log(entry)
        answer = _Answer(entry, send, self._world.now)
        too_many = self._world.limiter.refusal(self._world.now(), path, _host(scope))
        if self._world.latencies.request > 0:
            await self._world.clock.rest(self._world.minutes(self._world.latencies.request))
        self._world.catch_up()
        if too_many is not None:
            entry["limited"] = True
            await render(too_many, path)(scope, receive, answer.pass_on)
            return
        blocked = self._blocked(scope)
        if blocked is not None:
            entry["blocked"] = True
            await blocked(scope, receive, answer.pass_on)
            return
        said = b""
        if self._world.faults.read_bodies:
            said = await Request(scope, receive).body()
            receive = _again(said)
        fault = self._world.faults.take(method, path, url, said.decode(errors="replace"))
        if fault is not None:
            entry["fault"] = fault.fault
            await asyncio.sleep(fault.delay_seconds)
        if fault is not None and fault.fault == "vanish":
            receive = await self._vanish(fault, scope, receive)
            await self._app(scope, receive, answer.pass_on)
        elif fault is None:
            await self._app(scope, receive, answer.pass_on)
            if method == "GET" and entry["status"] == 200:
                self._world.faults.remember(url, bytes(answer.body))
        elif fault.fault in AFTERWARDS:
            await self._befall_afterwards(fault, scope, receive, answer)
        else:
            await self._befall(fault, url, scope, receive, answer)

    async def _befall_afterwards(self, fault: Order, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        scope.setdefault("state", {})["fault"] = fault
        await self._app(scope, receive, answer.hold)
        refused = (answer.entry["status"] or 500) >= HTTPStatus.BAD_REQUEST
        if refused:
            self._world.faults.give_back(fault)
            del answer.entry["fault"]
        if refused or fault.fault in ("silent_revert", "provisioning_fails"):
            await answer.release()
        elif fault.fault == "garbled":
            await garbled(answer.entry["status"])(scope, receive, answer.pass_on)
        elif fault.fault == "rewrite":
            changed = Response(rewritten(fault, bytes(answer.body)), answer.entry["status"], media_type=JSON)
            await changed(scope, receive, answer.pass_on)
        elif fault.status:
            await refusal(fault, scope["path"])(scope, receive, answer.pass_on)
        else:
            await self._cut(scope, answer)

    async def _befall(self, fault: Order, url: str, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        if fault.fault == "reset":
            await self._cut(scope, answer)
            return
        if fault.fault == "stale":
            response = Response(self._world.faults.last_body(url), media_type=JSON)
        elif fault.fault == "redirect":
            response = redirected(fault, url)
        elif fault.fault == "throttle":
            response = throttled(fault, scope["path"])
        else:
            response = refusal(fault, scope["path"])
        await response(scope, receive, answer.pass_on)

    def _blocked(self, scope: Scope) -> Response | None:
        """What a caller is answered whom an access list keeps out."""
        if scope["path"] == LOGIN_PAGE or not self._world.access_lists:
            return None
        workspace = self._workspace(scope)
        workspace_id = workspace.workspace_id if workspace else None
        for each in self._world.access_lists:
            if each.keeps_out(scope["path"], workspace_id):
                code = self._world.switches.access_list_code
                return each.answer(self._world.settings.account_id, workspace_id, code)
        return None

    def _workspace(self, scope: Scope) -> Workspace | None:
        """Whose host the request is sent to; None for the account's."""
        host = _host(scope)
        if host.isdigit():
            return self._world.workspaces.get(int(host))
        return next((each for each in self._world.workspaces.values() if each.deployment_name == host), None)

    async def _vanish(self, fault: Order, scope: Scope, receive: Receive) -> Receive:
        """Delete what the request names; gives its body once more."""
        request = Request(scope, receive)
        body = await request.body()
        gone = deletions.named_in(scope["path"], scope["query_string"].decode(), body)
        workspace = self._workspace(scope)
        try:
            if gone is None or workspace is None:
                raise missing("Nothing is named.")
            deletions.delete(self._world, workspace, gone, fault.how)
        except ApiError:
            self._world.faults.give_back(fault)

        return _again(body)

    async def _cut(self, scope: Scope, answer: "_Answer") -> None:
        answer.entry["status"] = None
        if self._abort is None:
            raise ConnectionLost(scope["path"])
        self._abort(scope)
        # Lets the server notice that the connection is gone, or it would answer 500 in its log.
        await asyncio.sleep(0)


class _Answer:
    """Watches what is sent: the status for the log, the body for stale answers."""

    def __init__(self, entry: dict[str, Any], send: Send, now: Callable[[], float]) -> None:
        self.entry = entry
        self._clock_now = now
        self.body = bytearray()
        self._send = send
        self._held: list[Message] = []

    async def pass_on(self, message: Message) -> None:
        self._note(message)
        await self._send(message)

    async def hold(self, message: Message) -> None:
        self._note(message)
        self._held.append(message)

    async def release(self) -> None:
        for message in self._held:
            await self._send(message)

    def _note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.entry["status"] = message["status"]
            # The simulator's date: a client that is told when to come again reckons from it.
            message["headers"] = [
                *message.get("headers", []),
                (b"date", formatdate(self._clock_now(), usegmt=True).encode()),
            ]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _again(body: bytes) -> Receive:
    """A body that was read, to be read once more."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _host(scope: Scope) -> str:
    """The workspace that is asked, by path or header, or the account."""
    match = re.match(r"/w/([^/]+)/", scope["path"])
    if match:
        return str(match[1])
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    return str(headers.get(WORKSPACE_HEADER.lower(), ""))
