"""The Databricks client's one place for errors: every shape an answer can have, and what it is called."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import responses

from rekey.base import errors
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from rekey.databricks.transport import Transport

HOST = "https://accounts.example.com"


@dataclass
class Tokens:
    given: list[str] = field(default_factory=list)
    forgotten: int = 0

    def token(self) -> str:
        self.given.append("token")
        return f"token-{self.forgotten}"

    def forget(self) -> None:
        self.forgotten += 1


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def call() -> Callable[..., Any]:
    return Transport(HOST, Tokens()).call


@pytest.mark.rule("empty-acceptance")
def test_an_empty_answer_is_an_acceptance(web: responses.RequestsMock, call: Callable[..., Any]) -> None:
    web.patch(f"{HOST}/x", body=b"")
    assert call("PATCH", "/x", body={"a": 1}) == {}


@pytest.mark.rule("code-in-message")
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error_code": "INVALID_STATE", "message": "not now"}, errors.InvalidState, "INVALID_STATE"),
        (400, {"message": "INVALID_STATE: Please terminate all"}, errors.InvalidState, "INVALID_STATE"),
        (409, b"", errors.InvalidState, ""),
        (400, {"message": "MALFORMED_REQUEST: Missing use_cases"}, errors.DatabricksError, "MALFORMED_REQUEST"),
        (
            400,
            {"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster x does not exist"},
            errors.DatabricksError,
            "INVALID_PARAMETER_VALUE",
        ),
        (403, {"error_code": "INVALID_STATE", "message": "not now"}, errors.InvalidState, "INVALID_STATE"),
        (500, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}, errors.NotFound, "RESOURCE_DOES_NOT_EXIST"),
        (403, {"error_code": 403, "message": "no"}, errors.PermissionDenied, ""),
        (403, {"error_code": "403", "message": "no"}, errors.PermissionDenied, ""),
        (409, {"error_code": 409, "message": "INVALID_STATE: not now"}, errors.InvalidState, "INVALID_STATE"),
        (400, {"error_code": None, "message": None}, errors.DatabricksError, ""),
        (400, {"error_code": ["x"], "message": {"why": "so"}}, errors.DatabricksError, ""),
        (400, b"[1, 2]", errors.DatabricksError, ""),
        (400, b'"INVALID_STATE: not now"', errors.InvalidState, "INVALID_STATE"),
        (400, b"\xff\xfe", errors.DatabricksError, ""),
        (400, b"<title>ERROR: proxy</title>", errors.DatabricksError, ""),
        (501, {"message": "not implemented"}, errors.DatabricksError, ""),
        (404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "No API"}, errors.DatabricksError, "ENDPOINT_NOT_FOUND"),
        (418, {}, errors.DatabricksError, ""),
        (404, {"message": "Invalid endpoint"}, errors.NotFound, ""),
        (404, b"<html><pre>Not here</pre></html>", errors.NotFound, ""),
        (403, {"error_code": "PERMISSION_DENIED", "message": "no"}, errors.PermissionDenied, "PERMISSION_DENIED"),
        (400, b"NOT_FOUND: no such thing", errors.NotFound, "NOT_FOUND"),
        (400, {"detail": "bad filter", "status": "400"}, errors.DatabricksError, ""),
    ],
)
def test_refusals_are_classified_by_code_before_status(
    web: responses.RequestsMock, call: Callable[..., Any], status: int, body: Any, kind: type, code: str
) -> None:
    web.get(f"{HOST}/x", status=status, body=body if isinstance(body, bytes) else json.dumps(body))
    with pytest.raises(errors.DatabricksError) as refusal:
        call("GET", "/x")
    assert type(refusal.value) is kind
    assert refusal.value.code == code
    assert refusal.value.status == status
    assert f"GET /x ({status}" in str(refusal.value)


@pytest.mark.parametrize(
    ("method", "status", "body", "kind"),
    [
        ("GET", 429, {}, errors.DatabricksThrottled),
        ("POST", 429, {}, errors.DatabricksThrottled),
        ("GET", 400, {"error_code": "REQUEST_LIMIT_EXCEEDED"}, errors.DatabricksThrottled),
        ("GET", 500, {}, errors.DatabricksUnavailable),
        ("POST", 500, {}, errors.OutcomeUnknown),
        ("PATCH", 504, {}, errors.OutcomeUnknown),
        ("PATCH", 503, {}, errors.DatabricksUnavailable),
        ("PATCH", 509, {}, errors.DatabricksUnavailable),
        ("GET", 509, {}, errors.DatabricksUnavailable),
        ("POST", 502, {}, errors.OutcomeUnknown),
        ("POST", 408, {}, errors.OutcomeUnknown),
        ("POST", 499, {}, errors.OutcomeUnknown),
        ("GET", 499, {}, errors.DatabricksUnavailable),
        ("POST", 429, {"error_code": "INVALID_PARAMETER_VALUE"}, errors.DatabricksThrottled),
        ("POST", 400, {"error_code": "RESOURCE_EXHAUSTED"}, errors.DatabricksThrottled),
        ("POST", 400, {"message": "REQUEST_LIMIT_EXCEEDED: too many"}, errors.DatabricksThrottled),
        ("POST", 503, {"error_code": "TEMPORARILY_UNAVAILABLE"}, errors.DatabricksUnavailable),
        ("POST", 500, {"error_code": "TEMPORARILY_UNAVAILABLE"}, errors.DatabricksUnavailable),
        ("POST", 400, {"error_code": "UNKNOWN"}, errors.OutcomeUnknown),
        ("POST", 500, {"message": "Unknown worker environment workerenv-1"}, errors.OutcomeUnknown),
    ],
)
def test_transient_answers_tell_lost_changes_apart(
    web: responses.RequestsMock, call: Callable[..., Any], method: str, status: int, body: Any, kind: type[Exception]
) -> None:
    web.add(method, f"{HOST}/x", status=status, json=body)
    with pytest.raises(errors.Transient) as trouble:
        call(method, "/x")
    assert type(trouble.value) is kind
    assert trouble.value.status == status


@pytest.mark.parametrize(
    ("text", "read", "change"),
    [
        ("Unknown worker environment WorkerEnvId(workerenv-1)", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("There is no worker environment with id workerenv-1", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("7 does not have any associated worker environments", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("worker env WorkerEnvId(1) not found", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("ClusterNotReadyException: cluster 1", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("Please try again later or try a faster operation.", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("Unexpected error", "DatabricksUnavailable", "DatabricksUnavailable"),
        ("RPC token bucket limit has been exceeded", "DatabricksThrottled", "DatabricksThrottled"),
        ("Timed out after 30 s", "DatabricksUnavailable", "OutcomeUnknown"),
        ("context deadline exceeded", "DatabricksUnavailable", "OutcomeUnknown"),
    ],
)
@pytest.mark.parametrize("code", ["INVALID_PARAMETER_VALUE", "INVALID_STATE", "BAD_REQUEST"])
def test_texts_that_pass_although_they_come_as_a_400(
    web: responses.RequestsMock, call: Callable[..., Any], text: str, read: str, change: str, code: str
) -> None:
    for method, kind in (("GET", read), ("POST", change)):
        web.add(method, f"{HOST}/x", status=400, json={"error_code": code, "message": f"before {text} after"})
        with pytest.raises(errors.Transient) as trouble:
            call(method, "/x")
        assert type(trouble.value).__name__ == kind


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        ("0", 0),
        ("1.5", 1.5),
        (" 30 ", 30),
        ("-5", 0),
        ("Thu, 26 Nov 2026 12:01:30 GMT", 90),
        ("Thu, 26 Nov 2026 12:01:30 -0000", 90),
        ("Thu, 26 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 500])
def test_how_long_databricks_asks_to_be_left_alone(
    web: responses.RequestsMock,
    call: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    header: str | None,
    seconds: float | None,
    status: int,
) -> None:
    monkeypatch.setattr("rekey.base.clock.now", lambda: datetime(2026, 11, 26, 12, 0, tzinfo=UTC))
    web.post(f"{HOST}/x", status=status, headers={} if header is None else {"Retry-After": header})
    with pytest.raises(errors.Transient) as trouble:
        call("POST", "/x")
    assert trouble.value.retry_after == seconds


@pytest.mark.parametrize(
    ("method", "failure", "kind"),
    [
        ("GET", requests.ConnectionError("reset"), errors.DatabricksUnavailable),
        ("GET", requests.ReadTimeout(), errors.DatabricksUnavailable),
        ("POST", requests.ConnectionError("reset"), errors.OutcomeUnknown),
        ("POST", requests.ReadTimeout(), errors.OutcomeUnknown),
        ("POST", requests.ConnectTimeout(), errors.DatabricksUnavailable),
    ],
)
def test_a_lost_answer_to_a_change_is_an_unknown_outcome(
    web: responses.RequestsMock,
    call: Callable[..., Any],
    method: str,
    failure: Exception,
    kind: type[Exception],
) -> None:
    web.add(method, f"{HOST}/x", body=failure)
    with pytest.raises(kind):
        call(method, "/x")


def test_a_token_that_is_no_longer_accepted_is_exchanged_once(web: responses.RequestsMock) -> None:
    tokens = Tokens()
    web.get(f"{HOST}/x", status=401)
    web.get(f"{HOST}/x", json={"ok": True})
    assert Transport(HOST, tokens).call("GET", "/x") == {"ok": True}
    assert tokens.forgotten == 1
    assert web.calls[1].request.headers["Authorization"] == "Bearer token-1"


def test_a_second_401_is_final(web: responses.RequestsMock) -> None:
    web.get(f"{HOST}/x", status=401)
    web.get(f"{HOST}/x", status=401)
    with pytest.raises(errors.Unauthenticated):
        Transport(HOST, Tokens()).call("GET", "/x")


def test_tokens_are_cached_and_renewed_before_they_end(
    web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [1000.0]
    monkeypatch.setattr("rekey.databricks.oauth.time.monotonic", lambda: time[0])
    for number in (1, 2):
        web.post(f"{HOST}/token", json={"access_token": f"t{number}", "expires_in": "3600"})
    tokens = ClientCredentialsTokens(f"{HOST}/token", lambda: ClientCredentials("id", "secret"))
    assert (tokens.token(), tokens.token()) == ("t1", "t1")
    time[0] += 3600 - 60
    assert tokens.token() == "t2"


@pytest.mark.rule("rule-10")
def test_a_wrong_secret_is_explained_without_being_repeated(web: responses.RequestsMock) -> None:
    web.post(f"{HOST}/token", status=401, json={"error": "invalid_client", "error_description": "bad client"})
    tokens = ClientCredentialsTokens(f"{HOST}/token", lambda: ClientCredentials("id", "hunter2"))
    with pytest.raises(errors.Unauthenticated, match="Fix") as refusal:
        tokens.token()
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(ClientCredentials("id", "hunter2"))
