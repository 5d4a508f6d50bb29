"""Listening on this machine alone."""

import socket

LOOPBACK = "127.0.0.1"


def listen(port: int = 0) -> socket.socket:
    """A listening socket on loopback, on a free port unless one is named.

    Connections answer at once: asyncio turns Nagle's algorithm off only for sockets that name their protocol,
    and with it an answer's second packet would wait 40 ms for the first one's acknowledgement.
    """
    listening = socket.create_server((LOOPBACK, port))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
