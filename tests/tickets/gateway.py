"""The webhook behind a small API Gateway of WSGI, for whoever sends HTTP requests and not events."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from local.tickets.delivery import signed
from local.tickets.state import PROVIDERS, Provider
from tests.tickets.desk import Desk, http_event

DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "tickets.openapi.json"
PATH = "/tickets.openapi.json"


class Gateway:
    """Passes requests on as API Gateway does; with `signs`, as if their sender held the webhook's secret."""

    def __init__(self, desk: Desk, *, signs: bool) -> None:
        self._desk, self._signs = desk, signs
        self.answers: list[tuple[int, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == PATH:
            start_response("200 OK", [("Content-Type", "application/json")])
            return [DESCRIPTION.read_bytes()]
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = _headers(environ)
        provider = path.rpartition("/")[2]
        if self._signs and provider in PROVIDERS and _is_text(raw):
            headers |= signed(self._desk.state, cast(Provider, provider), raw)
        event = http_event(path, headers, base64.b64encode(raw).decode(), encoded=True)
        status, answer, given = self._desk.answer(event)
        self.answers.append((status, answer))
        start_response(f"{status} answered", list(given.items()))
        return [json.dumps(answer).encode()]


def _headers(environ: dict[str, Any]) -> dict[str, str]:
    """Names in lower case, as API Gateway's payload format 2.0 has them."""
    sent = {name[5:]: value for name, value in environ.items() if name.startswith("HTTP_")}
    sent["CONTENT_TYPE"] = environ.get("CONTENT_TYPE", "")
    return {name.lower().replace("_", "-"): str(value) for name, value in sent.items()}


def _is_text(raw: bytes) -> bool:
    """What is no UTF-8 is no JSON either, and the library signs text."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
