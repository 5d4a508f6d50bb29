"""A server on loopback that answers with raw bytes, for what no well-behaved server can be made to send."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

_CLIENT_HELLO = b"\x16\x03"
"""What TLS begins with."""


@dataclass
class Loopback:
    """Each connection gets the next answer (the last one over and over), then it is closed."""

    answers: list[bytes]
    tls: ssl.SSLContext | None = None
    received: list[bytes] = field(default_factory=list)
    """Heads of the requests."""
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.address}"

    def serve(self) -> None:
        with suppress(OSError):  # The listener was closed: the end.
            while True:
                with closing(self._listener.accept()[0]) as connection, suppress(OSError):
                    self._answer(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True)
        head = b""
        while not head.startswith(_CLIENT_HELLO) and b"\r\n\r\n" not in head and (more := connection.recv(65_536)):
            head += more
        self.received.append(head)
        connection.sendall(self.answers[min(len(self.received), len(self.answers)) - 1])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass


@contextmanager
def loopback(*answers: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    server = Loopback(list(answers), tls)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(timeout=10)


def http(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    """One whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
