"""Behind a proxy all that the Lambdas call goes through it: Databricks, ticket systems, KMS of other regions."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from rekey.aws import clients
from rekey.base.errors import RekeyError
from rekey.databricks.answers import Asked
from rekey.databricks.transport import Wire
from rekey.telling.tickets.errors import TicketSystemUnavailable
from rekey.telling.tickets.systems import Http


class Proxy:
    """Notes which tunnels it is asked for, and opens none."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[str] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with connection:
                    self.asked.append(connection.recv(65536).decode().split("\r\n")[0])
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    found = Proxy()
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "HTTPS_PROXY": found.address,
        "NO_PROXY": "localhost,127.0.0.1,169.254.169.254,.us-east-1.amazonaws.com",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
    }.items():
        monkeypatch.setenv(name, value)
    clients.forget_clients()
    yield found
    clients.forget_clients()
    found.close()


def databricks() -> None:
    Wire("https://accounts.cloud.databricks.com").send(Asked("GET", "/api/2.0/accounts", None, None, changing=False))


def ticket() -> None:
    Http("Jira", "https://acme.atlassian.net", None, "token").call("GET", "/rest/api/3/issue/SEC-1")


def kms() -> None:
    with clients.named_errors():
        clients.kms("", "eu-west-1").describe_key(KeyId="none")


@pytest.mark.parametrize(
    ("call", "host"),
    [
        (databricks, "accounts.cloud.databricks.com"),
        (ticket, "acme.atlassian.net"),
        (kms, "kms.eu-west-1.amazonaws.com"),
    ],
)
def test_a_call_goes_through_the_proxy(proxy: Proxy, call: Callable[[], None], host: str) -> None:
    with pytest.raises((RekeyError, TicketSystemUnavailable)):
        call()
    assert [each.rpartition(" ")[0] for each in proxy.asked] == [f"CONNECT {host}:443"]
