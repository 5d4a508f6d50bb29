"""One HTTP call to Databricks, its answer understood: the only place where errors are classified.

Databricks has several error shapes: the workspace API answers {"error_code", "message"}, the
account API often {"message": "CODE: text"} without a code, some answers are plain text, HTML or
empty (databricks/databricks-sdk-py errors/deserializer.py; databricks-sdk-go#777, #998).
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import requests

from rekey.base.errors import (
    DatabricksError,
    DatabricksThrottled,
    DatabricksUnavailable,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    Unauthenticated,
)

_TIMEOUT = (5.0, 30.0)
"""Seconds to connect and to wait for the answer; together well under a Lambda's own timeout."""

_CODE_PREFIX = re.compile(r"^([A-Z][A-Z_]{3,}): ?(.*)$", re.DOTALL)
_THROTTLE_CODES = {"REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"}
_MISSING_CODES = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"}
_STATE_CODES = {"INVALID_STATE", "INVALID_STATE_TRANSITION", "RESOURCE_CONFLICT", "ABORTED"}
_UNAVAILABLE_CODES = {"TEMPORARILY_UNAVAILABLE"}
_NOT_APPLIED = {503, 509}
"""Statuses that say the service turned the request away before it looked at it (509: maintenance window)."""
_EXCERPT = 500

Query = Mapping[str, Any]


class TokenSource(Protocol):
    """Gives bearer tokens."""

    def token(self) -> str:
        """A token that is valid now. Raises Unauthenticated or DatabricksUnavailable."""

    def forget(self) -> None:
        """Drop what is cached: Databricks did not accept it."""


class Transport:
    """Calls below one base URL with one identity."""

    def __init__(self, base_url: str, tokens: TokenSource, session: requests.Session | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._tokens = tokens
        self._session = session or requests.Session()

    def call(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any:
        """Send one request and give back the parsed JSON; {} for an empty answer, which is an acceptance.

        Raises a class of rekey.errors. A changing request whose answer is lost raises OutcomeUnknown.
        """
        response = self._send(method, path, query, body)
        if response.status_code == 401:
            # A token may have been revoked or the secret exchanged while it was cached: one fresh try.
            self._tokens.forget()
            response = self._send(method, path, query, body)
        if response.ok:
            return _parsed(response) if response.content.strip() else {}
        raise _classified(method, path, response)

    def _send(self, method: str, path: str, query: Query | None, body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._tokens.token()}", "User-Agent": "rekey"}
        try:
            return self._session.request(
                method, self._base_url + path, params=query, json=body, headers=headers, timeout=_TIMEOUT
            )
        except requests.exceptions.ConnectTimeout as error:
            raise DatabricksUnavailable(f"Databricks could not be reached for {method} {path}.") from error
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            if method == "GET":
                raise DatabricksUnavailable(f"Databricks gave no answer to GET {path}.") from error
            raise OutcomeUnknown(f"The answer to {method} {path} was lost: it may have been applied.") from error


def _parsed(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError as error:
        raise DatabricksError(
            f"Databricks answered {response.status_code} with something other than JSON.",
            status=response.status_code,
        ) from error


def read_error(response: requests.Response) -> tuple[str, str]:
    """(code, message) of an error answer, in whichever shape it came; code is "" where there was none."""
    text = response.text.strip()
    try:
        body = response.json()
    except requests.JSONDecodeError:
        body = None
    code = ""
    message = re.sub(r"<[^>]+>", " ", text)
    if isinstance(body, dict):
        code = str(body.get("error_code") or body.get("errorCode") or "")
        message = str(
            body.get("message") or body.get("error_description") or body.get("detail") or body.get("error") or ""
        )
    if not code and (match := _CODE_PREFIX.match(message)):
        code, message = match.groups()
    return code, " ".join(message.split())[:_EXCERPT] or response.reason or ""


def _classified(method: str, path: str, response: requests.Response) -> Exception:
    status = response.status_code
    code, message = read_error(response)
    said = f"Databricks refused {method} {path} ({status}{' ' + code if code else ''}): {message}"
    if status == 429 or code in _THROTTLE_CODES:
        return DatabricksThrottled(said)
    if status in _NOT_APPLIED or code in _UNAVAILABLE_CODES:
        return DatabricksUnavailable(said)
    if status >= 500:
        return DatabricksUnavailable(said) if method == "GET" else OutcomeUnknown(said)
    kind: type[DatabricksError]
    if status == 401:
        kind = Unauthenticated
    elif status == 403:
        kind = PermissionDenied
    elif code in _MISSING_CODES or status == 404 or (code == "INVALID_PARAMETER_VALUE" and "does not exist" in message):
        # Clusters and runs that do not exist are reported as 400 INVALID_PARAMETER_VALUE
        # (databricks-sdk-py errors/overrides.py).
        kind = NotFound
    elif code in _STATE_CODES or status == 409:
        kind = InvalidState
    else:
        kind = DatabricksError
    return kind(said, status=status, code=code)
