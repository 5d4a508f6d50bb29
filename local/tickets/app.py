"""Puts the rooms together: one ASGI application, one state; and serves it on loopback."""

import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from local.databricks.serving import Connections
from local.databricks.wire import AbortConnection, ConnectionLost
from local.loopback import LOOPBACK, listen
from local.tickets import jira, servicenow, sidedoor, standard
from local.tickets.state import State


def create_app(state: State, abort: AbortConnection | None = None) -> FastAPI:
    """The three ticket systems under /jira, /servicenow and /standard. The State is at `app.state.tickets`.

    `abort` resets a request's connection; without it ConnectionLost is raised.
    """
    app = FastAPI(title="Ticket systems", openapi_url=None)
    app.state.tickets, app.state.abort = state, abort
    for room in (sidedoor, jira, servicenow, standard):
        app.include_router(room.router)
    app.middleware("http")(_befall)
    return app


async def _befall(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """The fault that was ordered for this request, if any."""
    state: State = request.app.state.tickets
    path = request.url.path
    fault = None if path.startswith("/_tickets") else state.faults.take(request.method, path, str(request.url))
    if fault is None:
        return await go_on(request)
    if fault.fault == "reset":
        if request.app.state.abort is None:
            raise ConnectionLost(path)
        request.app.state.abort(request.scope)
        return Response()  # Nobody hears it any more.
    if fault.fault == "throttle":
        return JSONResponse({}, 429, headers={"Retry-After": str(fault.retry_after)})
    if fault.fault == "applied_then_lost":
        await go_on(request)
    if fault.body is not None:
        return HTMLResponse(fault.body, fault.status or 200)
    return Response(json.dumps({"message": fault.message}), fault.status or 504)


def make_server(state: State, port: int = 0) -> tuple[uvicorn.Server, socket.socket]:
    """A server and its listening socket on loopback."""
    connections = Connections()
    app = create_app(state, connections.abort)
    config = uvicorn.Config(app, http=connections.protocol(), log_level="warning", access_log=False, lifespan="off")
    return uvicorn.Server(config), listen(port)


@contextmanager
def running(state: State) -> Iterator[str]:
    """The systems in a thread of this process: yields their base URL."""
    server, listening = make_server(state)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
