"""What really goes wrong on a wire: each failure of requests under our name, by whether it may have been applied.

The answers are raw bytes of a server on loopback, so that requests and urllib3 raise what they raise in production.
"""

import json
import socket
import ssl
from typing import Any

import pytest
import requests

from rekey.base import errors
from rekey.databricks.answers import Asked
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from rekey.databricks.transport import Transport, Wire
from tests.loopback import http, loopback
from tests.tls import strange_context

UNAVAILABLE, UNKNOWN = errors.DatabricksUnavailable, errors.OutcomeUnknown


class Tokens:
    def token(self) -> str:
        return "token"

    def forget(self) -> None:
        pass


def failure(url: str, method: str) -> Exception:
    with pytest.raises(errors.RekeyError) as raised:
        Transport(url, Tokens()).call(method, "/api/x", body=None if method == "GET" else {"a": 1})
    return raised.value


LOST = {
    "connection closed without an answer": b"",
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half an answer": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",
    "a chunk that is cut off": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{",
    "a chunk without a length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "gzip that is none": http("200 OK", b"{}", "Content-Encoding: gzip"),
    "a refusal in gzip that is none": http("400 Bad Request", b"{}", "Content-Encoding: gzip"),
    "broken JSON": http("200 OK", b'{"clusters": [', "Content-Type: application/json"),
    "bytes that are no text": http("200 OK", b"\xff\xfe\x80", "Content-Type: application/json"),
    "JSON nested beyond all reason": http("200 OK", b"[" * 200_000, "Content-Type: application/json"),
}


@pytest.mark.parametrize("what", LOST)
def test_an_answer_that_is_lost_leaves_a_change_unknown(what: str) -> None:
    with loopback(LOST[what]) as server:
        assert type(failure(server.url, "GET")) is UNAVAILABLE
        assert type(failure(server.url, "PATCH")) is UNKNOWN
        assert len(server.received) == 2, "each is tried once"


def test_nothing_at_all_is_no_data() -> None:
    with loopback(http()) as server:
        assert type(failure(server.url, "GET")) is UNAVAILABLE
        assert Transport(server.url, Tokens()).call("PATCH", "/api/x") == {}


@pytest.mark.parametrize(
    "location",
    [
        "/api/x",
        "http://[::1",
        "http://[bad]/",
        "//",
        "\u00ff\u00fe",
        "ftp://elsewhere/x",
        "",
        "https://login.example.com/?x=1",
    ],
)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_no_acceptance_and_is_not_followed(status: str, location: str) -> None:
    with loopback(http(status, b"{}", f"Location: {location}")) as server:
        for method in ("GET", "PATCH"):
            error = failure(server.url, method)
            assert type(error) is errors.DatabricksError
            assert "another page" in str(error)
        assert len(server.received) == 2


def test_other_answers_of_300_to_399_are_no_acceptance_either() -> None:
    with loopback(http("304 Not Modified")) as server:
        assert type(failure(server.url, "PATCH")) is errors.DatabricksError


@pytest.mark.parametrize(
    "location", ["/login.html?error=private-link-validation-error:7474", "/login?err=private_link"]
)
def test_a_redirect_by_private_link_is_the_networks(location: str) -> None:
    with loopback(http("302 Found", b"", f"Location: {location}")) as server:
        for method in ("GET", "PATCH"):
            error = failure(server.url, method)
            assert type(error) is errors.NetworkRefused
            assert "PrivateLink" in str(error)
            assert "Fix: " in str(error)


def test_a_page_instead_of_json_is_told_with_its_text() -> None:
    page = (
        b"<!DOCTYPE html><html><head><title>Sign in</title><style>p {}</style><script>var t = 1</script></head>"
        b"<body><p>Please use the &quot;bank&quot; portal. " + b"x" * 900 + b"</p></body></html>"
    )
    with loopback(http("200 OK", page, "Content-Type: text/html")) as server:
        error = failure(server.url, "GET")
        assert type(error) is errors.DatabricksError
        assert 'Sign in: Please use the "bank" portal.' in str(error)
        assert "var t" not in str(error)
        assert "p {}" not in str(error)
        assert len(str(error)) < 450
        assert type(failure(server.url, "POST")) is UNKNOWN


# --- before anything is sent ---


def test_a_connection_that_is_refused_carried_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for method in ("GET", "POST"):
        error = failure(f"http://127.0.0.1:{port}", method)
        assert type(error) is UNAVAILABLE
        assert "could not be reached" in str(error)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (socket.EAI_NONAME, errors.NetworkRefused, "DNS knows no adb.example.com"),
        (socket.EAI_NODATA, errors.NetworkRefused, "DNS knows no adb.example.com"),
        (socket.EAI_AGAIN, UNAVAILABLE, "cannot be resolved at the moment"),
    ],
)
def test_a_name_that_does_not_resolve(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], words: str
) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = failure("https://adb.example.com", "POST")
    assert type(error) is kind
    assert words in str(error)


def test_what_an_earlier_error_was_about_does_not_count() -> None:
    """A change that is sent while another failure is dealt with: its lost answer is lost all the same."""
    with loopback(b"") as server:
        try:
            raise socket.gaierror(socket.EAI_NONAME, "earlier")
        except socket.gaierror:
            assert type(failure(server.url, "POST")) is UNKNOWN


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that nobody has signed but itself."""
    return strange_context(tmp_path_factory.mktemp("tls") / "server.pem")


def test_a_certificate_that_is_not_trusted(strange: ssl.SSLContext) -> None:
    with loopback(http("200 OK", b"{}"), tls=strange) as server:
        for method in ("GET", "POST"):
            error = failure(server.url, method)
            assert type(error) is errors.NetworkRefused
            assert "no TLS connection" in str(error)
            assert "ca_bundle" in str(error)
        assert not server.received


def test_a_server_that_speaks_no_tls() -> None:
    with loopback(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:
        error = failure(server.url.replace("http:", "https:"), "POST")
    assert type(error) is errors.NetworkRefused
    assert "no TLS connection" in str(error)
    assert "(WRONG_VERSION_NUMBER)" in str(error), "OpenSSL's own reason"


def test_a_tls_connection_that_breaks_later_leaves_a_change_unknown() -> None:
    class Breaks(requests.adapters.HTTPAdapter):
        def send(self, *_: Any, **__: Any) -> requests.Response:
            raise requests.exceptions.SSLError(ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad mac"))

    session = requests.Session()
    session.mount("https://", Breaks())
    for method, kind in (("GET", UNAVAILABLE), ("POST", UNKNOWN)):
        with pytest.raises(kind, match="TLS") as raised:
            Transport("https://adb.example.com", Tokens(), session).call(method, "/x")
        assert type(raised.value) is kind


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http("407 Proxy Authentication Required"), errors.NetworkRefused),
        (http("403 Forbidden"), errors.NetworkRefused),
        (http("502 Bad Gateway"), UNAVAILABLE),
        # Nothing tells this from a connection to Databricks that was lost: the safe side.
        (b"", UNKNOWN),
    ],
)
def test_a_proxy_that_opens_no_tunnel(through: pytest.MonkeyPatch, answer: bytes, kind: type[Exception]) -> None:
    with loopback(answer) as proxy:
        through.setenv("HTTPS_PROXY", f"http://somebody:hunter2@{proxy.address}")
        error = failure("https://adb.example.com", "POST")
    assert type(error) is kind
    assert kind is UNKNOWN or "the proxy on the way to adb.example.com" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    "url", ["https://", "https://[bad", "ftp://adb.example.com", "adb.example.com", "https://a..b"]
)
def test_a_host_that_is_none_is_a_wrong_setting(url: str) -> None:
    error = failure(url, "GET")
    assert type(error) is errors.SettingsError
    assert "Fix" in str(error)


def test_a_missing_file_of_authorities_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/opt/no/such.pem")
    error = failure("https://127.0.0.1:1", "GET")
    assert type(error) is errors.SettingsError
    assert "ca_bundle" in str(error)
    assert "/opt/no/such.pem" in str(error)


def test_a_token_that_no_header_can_carry_is_not_repeated() -> None:
    class Odd(Tokens):
        def token(self) -> str:
            return "hunter2\nX: y"

    with pytest.raises(errors.DatabricksError) as raised:
        Transport("https://adb.example.com", Odd()).call("GET", "/x")
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(each) for each in kind.__subclasses__()))


EVERY = sorted(
    (each for each in subclasses(requests.RequestException) if each.__module__ == "requests.exceptions"), key=str
)


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_exception_of_requests_has_one_of_our_names(kind: type[Exception], method: str) -> None:
    raised = kind("x", "y", 0) if issubclass(kind, requests.exceptions.JSONDecodeError) else kind("x")

    class Fails(requests.adapters.HTTPAdapter):
        def send(self, *_: Any, **__: Any) -> requests.Response:
            raise raised

    session = requests.Session()
    session.mount("https://", Fails())
    with pytest.raises(errors.RekeyError) as named:
        Transport("https://adb.example.com", Tokens(), session).call(method, "/x")
    if method == "GET":
        assert type(named.value) is not UNKNOWN


# --- the token endpoint: the same wire, and a token may be asked for twice ---


@pytest.mark.parametrize("what", LOST)
def test_a_lost_answer_of_the_token_endpoint_is_asked_for_again(what: str) -> None:
    with loopback(LOST[what]) as server, pytest.raises(UNAVAILABLE):
        ClientCredentialsTokens(f"{server.url}/oidc/v1/token", lambda: ClientCredentials("id", "secret")).token()


def test_the_token_endpoint_is_not_followed_elsewhere() -> None:
    with loopback(http("302 Found", b"", "Location: /login.html?error=private-link-validation-error:1")) as server:
        tokens = ClientCredentialsTokens(f"{server.url}/oidc/v1/token", lambda: ClientCredentials("id", "secret"))
        with pytest.raises(errors.NetworkRefused, match="PrivateLink"):
            tokens.token()
        assert len(server.received) == 1
        assert server.received[0].startswith(b"POST /oidc/v1/token HTTP/1.1")


def test_a_trailing_slash_of_the_host_is_no_part_of_the_path() -> None:
    with loopback(http("200 OK", b"{}")) as server:
        Wire(server.url + "/").send(Asked("GET", "/x", {"a": [1, 2]}))
        assert server.received[0].startswith(b"GET /x?a=1&a=2 HTTP/1.1")


@pytest.mark.parametrize("field", ["message", "error_description", "errorSummary", "detail", "error"])
def test_what_databricks_said_is_repeated_whatever_field_it_is_in(field: str) -> None:
    body = json.dumps({field: "The reason is this."}).encode()
    with loopback(http("400 Bad Request", body, "Content-Type: application/json")) as server:
        assert "The reason is this." in str(failure(server.url, "GET"))
