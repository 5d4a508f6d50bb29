"""Serves the simulator on loopback: in a thread for tests, or as a process of its own."""

import asyncio
import json
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.datastructures import State
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from local.databricks.app import create_app
from local.databricks.clock import Clock
from local.databricks.crypto.kms import KmsFactory
from local.databricks.settings import Settings
from local.loopback import LOOPBACK, listen


class Connections:
    """Open connections by peer, so that one can be reset in the midst of a request."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A protocol class for uvicorn that enters its connections here."""
        opened = self._open

        class Tracked(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                opened[transport.get_extra_info("peername")] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        return Tracked

    def abort(self, scope: Scope) -> None:
        """Reset (RST) the connection that the request came by."""
        transport = self._open.get(tuple(scope["client"] or ()))
        if transport is None:
            return
        no_lingering = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
        transport.abort()


class Server(uvicorn.Server):
    """A uvicorn server on a loopback socket of its own; `url` is known before it runs."""

    def __init__(
        self,
        settings: Settings,
        kms_factory: KmsFactory | None = None,
        clock: Clock | None = None,
        port: int = 0,
    ) -> None:
        connections = Connections()
        self.app = create_app(settings, kms_factory, clock, connections.abort)
        config = uvicorn.Config(
            self.app,
            http=connections.protocol(),
            log_level="warning",
            access_log=False,
            lifespan="off",
            date_header=False,
        )
        super().__init__(config)
        self.socket = listen(port)
        self.url = f"http://{LOOPBACK}:{self.socket.getsockname()[1]}"


@contextmanager
def running(
    settings: Settings | None = None,
    kms_factory: KmsFactory | None = None,
    clock: Clock | None = None,
) -> Iterator[tuple[str, State]]:
    """The simulator in a thread of this process: yields (url, app.state); the World is at state.world.

    Under moto's mock_aws its KMS calls reach moto, which patches botocore for all threads. Read the World only
    between requests: it is not locked.
    """
    server = Server(settings or Settings(), kms_factory, clock)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [server.socket]}, daemon=True)
    thread.start()
    try:
        yield server.url, server.app.state
    finally:
        # It closes its socket and ends within two of uvicorn's ticks; to wait for that would be most of a test's time.
        server.should_exit = True


def announce(url: str) -> None:
    """The one line that tells a launcher where the simulator is."""
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
