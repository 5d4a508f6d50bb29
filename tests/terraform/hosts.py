"""Databricks' own host names on this machine: a proxy on loopback that ends TLS and asks the simulator.

Terraform's provider knows an account by its host's name and asks each workspace under its own, both over https. So it
is given this as its proxy and its authority, and nothing that it sends leaves the machine.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.loopback import LOOPBACK

DOMAIN = "cloud.databricks.com"
ACCOUNT = f"accounts.{DOMAIN}"

_HOPS = {"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}
"""Headers of one connection, which are not handed on."""


class Authority:
    """Signs one certificate for all of Databricks' hosts; for as long as one test takes."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rekey's test of Terraform")])
        began = datetime.now(UTC) - timedelta(minutes=5)
        made = (
            x509.CertificateBuilder()
            .subject_name(own)
            .issuer_name(own)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(began + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"*.{DOMAIN}")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        kept = folder / "authority.key"
        kept.touch(mode=0o600)
        kept.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file, kept)


class Front(ThreadingHTTPServer):
    """The proxy. `asked` is what came, as "METHOD host/path"."""

    daemon_threads = True

    def __init__(self, simulator: str, authority: Authority) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.simulator, self.authority = simulator, authority
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    host = ""

    def do_CONNECT(self) -> None:
        host, _, port = self.path.rpartition(":")
        if port != "443" or not (host == DOMAIN or host.endswith(f".{DOMAIN}")):
            self.send_error(403, "Databricks' hosts only")
            return
        self.send_response(200)
        self.end_headers()
        self.host = host
        self.connection = self.server.authority.context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def _hand_on(self) -> None:
        if not self.host:
            self.send_error(403, "https only")
            return
        self.server.asked.append(f"{self.command} {self.host}{self.path}")
        root = self.server.simulator
        workspace = "" if self.host == ACCOUNT else f"/w/{self.host.removesuffix(f'.{DOMAIN}')}"
        body = self._body()
        sent = {name: value for name, value in self.headers.items() if name.lower() not in _HOPS}
        answer = requests.request(
            self.command, f"{root}{workspace}{self.path}", data=body, headers=sent, timeout=60, allow_redirects=False
        )
        # What tells of the simulator's own address tells of the host that was asked for instead.
        told = answer.content.replace(f"{root}{workspace}".encode(), f"https://{self.host}".encode())
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _HOPS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        read = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            read += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return read

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _hand_on  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Nothing: `asked` has it."""


@contextmanager
def front(simulator: str, folder: Path) -> Iterator[Front]:
    """Runs until the block ends."""
    server = Front(simulator, Authority(folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
