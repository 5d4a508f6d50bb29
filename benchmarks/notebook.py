"""Peak memory of the Lambda that renews notebooks, on the largest ones that Databricks exports, in one call.

A server that answers as the workspace API does, and for each kind of notebook a fresh
interpreter that imports the Lambda's module, renews one notebook twice, and tells its resident set at its highest.
"""

import base64
import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks import fresh

LARGEST = 10 * 1024 * 1024
"""Bytes of a notebook. Databricks exports and imports no larger one (Workspace API, "Export a workspace object")."""

_PROBE = """
import json, sys, time
import rotate_key.renew_notebooks  # as the Lambda has it in memory
from rekey.databricks import WorkspaceApi
from rekey.databricks.transport import Transport
from rekey.rotation.notebooks.renew import renew

class Token:
    def token(self): return "t"
    def forget(self): pass

start = time.perf_counter()
outcomes = {renew(WorkspaceApi(Transport(sys.argv[1], Token())), "/a", None, lambda begun: None) for _ in range(2)}
assert {each.kind for each in outcomes} == {"renewed"}, outcomes
print(json.dumps([(time.perf_counter() - start) / 2, peak_megabytes()]))
"""


@dataclass(frozen=True)
class Peak:
    """One notebook of LARGEST bytes."""

    notebook: str
    peak_megabytes: float
    seconds: float


def measure() -> list[Peak]:
    """Every kind of notebook."""
    return [_peak(name, content) for name, content in _notebooks().items()]


def _peak(name: str, content: bytes) -> Peak:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(content))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        seconds, megabytes = fresh.run(_PROBE, f"http://127.0.0.1:{server.server_port}", timeout=300)
    finally:
        server.shutdown()
    return Peak(name, round(megabytes), round(seconds, 1))


def _notebooks() -> dict[str, bytes]:
    """From the kindest to the parser to the least kind: a long string, rows of short values, many cells."""
    code: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": [], "outputs": [], "execution_count": None}
    table: list[Any] = [[n, 0.5, "abc"] for n in range(1_000_000)]
    return {
        "one picture": _filled(lambda size: [{**code, "outputs": [{"data": {"image/png": "a" * size}}]}]),
        "a table of short rows": _filled(lambda size: [{**code, "outputs": [{"data": {"rows": table[: size // 19]}}]}]),
        "short cells": _filled(lambda size: [{**code, "source": ["a\n"]}] * (size // 102)),
    }


def _filled(cells: Any) -> bytes:
    whole = json.dumps({"cells": cells(LARGEST), "metadata": {}, "nbformat": 4, "nbformat_minor": 0}).encode()
    assert 0.8 * LARGEST < len(whole) < 1.3 * LARGEST, len(whole)
    return whole


def _answering(content: bytes) -> type[BaseHTTPRequestHandler]:
    exported = json.dumps({"content": base64.b64encode(content).decode()}).encode()

    class Workspace(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/api/2.0/workspace/export"):
                self._answer(exported)
            elif self.path.startswith("/api/2.0/workspace/get-status"):
                self._answer(b'{"object_type": "NOTEBOOK", "object_id": 1, "language": "PYTHON", "modified_at": 1}')
            else:
                self._answer(b"{}")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(b"{}")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Workspace
