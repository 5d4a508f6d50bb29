"""Odd answers of a token endpoint: what can be used is used, the rest has a clear error that quotes no secret."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from rekey.aws import clients
from rekey.base import errors
from rekey.base.settings import Settings
from rekey.databricks.connect import connect_account
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from tests.clients import client

URL = "https://adb.example.com/oidc/v1/token"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def source() -> ClientCredentialsTokens:
    return ClientCredentialsTokens(URL, lambda: ClientCredentials("id", "hunter2"))


LEFT_OUT = object()


@pytest.mark.parametrize(
    ("expires_in", "good_for"),
    [
        (3600, 3480),
        ("3600", 3480),
        ("3599.5", 3479.5),
        (3599.5, 3479.5),
        (" 600 ", 480),
        (86_400, 3480),
        (LEFT_OUT, 180),
        (None, 180),
        ("", 180),
        ("an hour", 180),
        ("1e999", 180),
        ("nan", 180),
        (-1, 180),
        (0, 180),
        (True, 180),
        ([3600], 180),
        ({"seconds": 3600}, 180),
        (10**400, 180),
    ],
)
def test_how_long_a_token_is_used(
    web: responses.RequestsMock, clock: list[float], expires_in: Any, good_for: float
) -> None:
    """Seconds from its issue until it is renewed, which is two minutes early."""
    answer = {"access_token": "t", "expires_in": expires_in}
    web.post(URL, json={name: value for name, value in answer.items() if value is not LEFT_OUT})
    tokens = source()
    assert tokens.token() == "t"
    clock[0] += good_for - 0.1
    tokens.token()
    assert len(web.calls) == 1
    clock[0] += 0.2
    tokens.token()
    assert len(web.calls) == 2


@pytest.mark.parametrize("more", [{}, {"token_type": None}, {"token_type": "bearer"}, {"scope": None}])
def test_what_else_an_answer_holds_does_not_matter(web: responses.RequestsMock, more: dict[str, Any]) -> None:
    web.post(URL, json={"access_token": "t", "expires_in": 3600, **more})
    assert source().token() == "t"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": None, "expires_in": 3600},
        {"access_token": "", "expires_in": 3600},
        {"access_token": 17, "expires_in": 3600},
        {"access_token": ["t"]},
        {"access_token": "two words"},
        {"access_token": "hunter2\nX-Odd: 1"},
        {"access_token": "t\u00f6ken"},
        {"token": "hunter2"},
        ["hunter2"],
        "hunter2",
        17,
        [],
    ],
)
def test_an_answer_without_a_token_that_can_be_sent(web: responses.RequestsMock, answer: Any) -> None:
    web.post(URL, json=answer)
    with pytest.raises(errors.DatabricksError) as refusal:
        source().token()
    assert type(refusal.value) is errors.DatabricksError
    assert "hunter2" not in str(refusal.value)


def test_a_page_instead_of_a_token(web: responses.RequestsMock) -> None:
    web.post(URL, body="<html><title>Bank portal</title>Sign in</html>", content_type="text/html")
    with pytest.raises(errors.DatabricksError, match="Bank portal: Sign in") as refusal:
        source().token()
    assert type(refusal.value) is errors.DatabricksError


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@pytest.mark.parametrize("code", [403, "403", "invalid_client", None])
def test_a_refusal_keeps_its_text_whatever_its_code(web: responses.RequestsMock, status: int, code: Any) -> None:
    web.post(URL, status=status, json={"error_code": code, "message": "Service principal is disabled"})
    with pytest.raises(errors.Unauthenticated, match=r"Service principal is disabled.*Fix") as refusal:
        source().token()
    assert refusal.value.status == status
    assert refusal.value.code == ("invalid_client" if code == "invalid_client" else "")


def test_a_proxys_page_is_not_the_credentials_fault(web: responses.RequestsMock) -> None:
    web.post(URL, status=403, body="<html><title>Access denied</title>by policy 17</html>", content_type="text/html")
    with pytest.raises(errors.PermissionDenied, match="Access denied: by policy 17"):
        source().token()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, errors.DatabricksThrottled),
        (500, errors.DatabricksUnavailable),
        (502, errors.DatabricksUnavailable),
        (503, errors.DatabricksUnavailable),
        (501, errors.DatabricksError),
        (302, errors.DatabricksError),
    ],
)
def test_trouble_that_is_not_the_credentials(web: responses.RequestsMock, status: int, kind: type[Exception]) -> None:
    web.post(URL, status=status, headers={"Retry-After": "17"})
    with pytest.raises(errors.RekeyError) as trouble:
        source().token()
    assert type(trouble.value) is kind
    if isinstance(trouble.value, errors.Transient):
        assert trouble.value.retry_after == 17


@pytest.mark.parametrize("secret", ["dapi0123456789abcdef0123456789abcdef", "dose0123456789abcdef0123456789abcdef"])
def test_a_secret_that_is_quoted_back_goes_no_further(web: responses.RequestsMock, secret: str) -> None:
    web.post(URL, status=401, json={"error": "invalid_client", "error_description": f"unknown secret {secret}"})
    with pytest.raises(errors.Unauthenticated, match="unknown secret <token>") as refusal:
        source().token()
    assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    "secret",
    [
        b"hunter2",
        "hunter2",
        "[]",
        "null",
        '"hunter2"',
        "{}",
        '{"client_id": "id"}',
        '{"client_id": "id", "client_secret": null}',
        '{"client_id": "", "client_secret": "hunter2"}',
        '{"client_id": 17, "client_secret": "hunter2"}',
    ],
)
def test_a_secret_of_another_form_is_named_and_not_repeated(
    cloud: None, settings: Settings, secret: str | bytes
) -> None:
    clients.forget_clients()
    form = {"SecretBinary": secret} if isinstance(secret, bytes) else {"SecretString": secret}
    client("secretsmanager").create_secret(Name=settings.databricks_secret_arn, **form)
    with pytest.raises(errors.SettingsError, match=r"The Databricks secret is not .*Fix") as refusal:
        connect_account(settings).list_workspaces()
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None
