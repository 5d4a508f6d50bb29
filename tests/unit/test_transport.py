"""The Databricks client's one place for errors: every shape an answer can have, and what it is called."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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


@pytest.mark.rule("code-in-message", "missing-is-400")
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
            errors.NotFound,
            "INVALID_PARAMETER_VALUE",
        ),
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
    ],
)
def test_transient_answers_tell_lost_changes_apart(
    web: responses.RequestsMock, call: Callable[..., Any], method: str, status: int, body: Any, kind: type[Exception]
) -> None:
    web.add(method, f"{HOST}/x", status=status, json=body)
    with pytest.raises(kind):
        call(method, "/x")


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
    with pytest.raises(errors.Unauthenticated, match="Mend") as refusal:
        tokens.token()
    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(ClientCredentials("id", "hunter2"))
