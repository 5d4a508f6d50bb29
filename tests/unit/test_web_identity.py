"""Tokens without a secret: cached, renewed with a fresh proof, and refusals that name the fix but quote no token."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
import responses
from botocore.stub import Stubber

from rekey.aws import clients
from rekey.aws.identity import web_identity_token
from rekey.base import errors
from rekey.databricks.oauth import WebIdentityTokens
from tests import tokens

TOKEN_URL = "https://accounts.example.com/token"
CLIENT_ID = "3c5f3f1e-9d0b-4c43-8a55-6f2b7c1d9e10"
AUDIENCE = "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d"
ROLE = tokens.SUBJECT


@dataclass
class Aws:
    """Gives a new token each time it is asked."""

    given: list[str] = field(default_factory=list)

    def token(self) -> str:
        self.given.append(tokens.signed(tokens.claims(AUDIENCE, 1_800_000_000, jti=f"{len(self.given)}")))
        return self.given[-1]


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def form(call: Any) -> dict[str, list[str]]:
    return parse_qs(call.request.body)


def test_tokens_are_cached_and_renewed_early_with_a_fresh_proof(
    web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [1000.0]
    monkeypatch.setattr("rekey.databricks.oauth.time.monotonic", lambda: time[0])
    for number in (1, 2, 3):
        web.post(TOKEN_URL, json={"access_token": f"t{number}", "expires_in": 3600})
    vouching = Aws()
    source = WebIdentityTokens(TOKEN_URL, CLIENT_ID, vouching.token)
    assert (source.token(), source.token()) == ("t1", "t1")
    time[0] += 3600 - 60
    assert source.token() == "t2"
    source.forget()
    assert source.token() == "t3"
    assert [form(call)["subject_token"] for call in web.calls] == [[each] for each in vouching.given]
    assert len(set(vouching.given)) == 3


def test_the_exchange_carries_no_secret(web: responses.RequestsMock) -> None:
    web.post(TOKEN_URL, json={"access_token": "t", "expires_in": 3600})
    vouching = Aws()
    WebIdentityTokens(TOKEN_URL, CLIENT_ID, vouching.token).token()
    assert "Authorization" not in web.calls[0].request.headers
    assert form(web.calls[0]) == {
        "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
        "subject_token_type": ["urn:ietf:params:oauth:token-type:jwt"],
        "subject_token": vouching.given,
        "client_id": [CLIENT_ID],
        "scope": ["all-apis"],
    }


@pytest.mark.rule("rule-10")
def test_a_refusal_says_which_policy_would_fit_and_quotes_no_token(
    web: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    vouching = Aws()

    def refuse(request: Any) -> tuple[int, dict[str, str], str]:
        return 400, {}, f'{{"error": "invalid_request", "error_description": "not accepted: {vouching.given[-1]}"}}'

    web.add_callback(responses.POST, TOKEN_URL, callback=refuse)
    source = WebIdentityTokens(TOKEN_URL, CLIENT_ID, vouching.token)
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.Unauthenticated) as refusal:
        source.token()
    said = str(refusal.value)
    for needed in ("not accepted: <token>", "Fix: ", CLIENT_ID, tokens.ISSUER, AUDIENCE, ROLE):
        assert needed in said
    for part in vouching.given[-1].split("."):
        assert part not in said + repr(refusal.value) + repr(source) + caplog.text


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, errors.DatabricksThrottled), (500, errors.DatabricksUnavailable), (503, errors.DatabricksUnavailable)],
)
def test_a_busy_token_endpoint_is_asked_again(web: responses.RequestsMock, status: int, kind: type[Exception]) -> None:
    web.post(TOKEN_URL, status=status)
    with pytest.raises(kind):
        WebIdentityTokens(TOKEN_URL, CLIENT_ID, Aws().token).token()


# --- what AWS is asked ---


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """One stubbed client in both places: as the Lambda's own role, and as the role that was taken on."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "rekey-verify")
    client = boto3.client("sts", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(clients, "sts", lambda: client)
    monkeypatch.setattr(clients, "sts_with", lambda _session: client)
    with Stubber(client) as stub:
        yield stub


def assume(stub: Stubber) -> None:
    session = {
        "AccessKeyId": "ASIA000000000000",
        "SecretAccessKey": "secret",
        "SessionToken": "session",
        "Expiration": datetime(2030, 1, 1, tzinfo=UTC),
    }
    asked = {"RoleArn": ROLE, "RoleSessionName": "rekey-verify", "DurationSeconds": 900}
    stub.add_response("assume_role", {"Credentials": session}, asked)


def test_aws_is_asked_for_a_short_token_for_one_audience(sts: Stubber) -> None:
    assume(sts)
    sts.add_response(
        "get_web_identity_token",
        {"WebIdentityToken": "jwt", "Expiration": datetime(2030, 1, 1, tzinfo=UTC)},
        {"Audience": [AUDIENCE], "SigningAlgorithm": "RS256", "DurationSeconds": 300},
    )
    assert web_identity_token(ROLE, AUDIENCE) == "jwt"
    sts.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["OutboundWebIdentityFederationDisabledException", "AccessDenied"])
def test_aws_refusal_names_the_fix(sts: Stubber, code: str) -> None:
    assume(sts)
    sts.add_client_error("get_web_identity_token", code, "no", 403)
    kind = errors.AccessDenied if code == "AccessDenied" else errors.AwsError
    fix = "give the Lambda's role" if code == "AccessDenied" else "enable-outbound-web-identity-federation"
    with pytest.raises(kind, match=fix):
        web_identity_token(ROLE, AUDIENCE)


def test_a_role_that_may_not_be_taken_on_is_denied(sts: Stubber) -> None:
    sts.add_client_error("assume_role", "AccessDenied", "not authorized", 403)
    with pytest.raises(errors.AccessDenied, match="Fix"):
        web_identity_token(ROLE, AUDIENCE)


def test_sts_is_the_regional_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """GetWebIdentityToken is not on the global endpoint."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    clients.forget_clients()
    assert clients.sts().meta.endpoint_url == "https://sts.us-east-1.amazonaws.com"
    clients.forget_clients()
