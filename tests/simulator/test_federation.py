"""Workload identity federation: what the token endpoints accept, and each way in which they do not."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.core import Config
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from rekey.base.errors import Unauthenticated
from rekey.databricks.oauth import WebIdentityTokens
from tests import tokens
from tests.simulator.bench import Bench
from tests.simulator.oracle import workspace_host

FORM = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "scope": "all-apis",
}


def trust(bench: Bench, **changes: Any) -> None:
    """Give the service principal the policy that the README tells to make."""
    policy = {"issuer": tokens.ISSUER, "subject": tokens.SUBJECT, "jwks_json": json.dumps(tokens.jwks())}
    bench.side("POST", "/federation_policies", {**policy, **changes})


def said(bench: Bench, **changes: Any) -> dict[str, Any]:
    return tokens.claims(bench.settings.account_id, bench.clock.now(), **changes)


def ask(bench: Bench, token: str, path: str | None = None, **changes: str) -> requests.Response:
    path = path or f"/oidc/accounts/{bench.settings.account_id}/v1/token"
    form = {**FORM, "client_id": bench.settings.client_id, "subject_token": token, **changes}
    return requests.post(bench.url + path, data=form, timeout=10)


def test_a_token_buys_access_to_the_account_and_to_one_workspace(bench: Bench) -> None:
    trust(bench)
    workspace = bench.seed()
    token = tokens.signed(said(bench))
    for path in (None, f"/w/{workspace['deployment_name']}/oidc/v1/token"):
        answer = ask(bench, token, path)
        assert answer.status_code == 200, answer.text
        bench.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert bench.workspace(workspace, "GET", "/api/2.0/preview/scim/v2/Me").status_code == 200


def test_audiences_left_out_are_the_account_id(bench: Bench) -> None:
    trust(bench, audiences=["databricks"])
    assert ask(bench, tokens.signed(said(bench))).status_code == 400
    assert ask(bench, tokens.signed(said(bench, aud=["other", "databricks"]))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://other.tokens.sts.global.api.aws"}, "issuer"),
        ({"aud": "databricks"}, "audience"),
        ({"aud": None}, "audience"),
        ({"sub": tokens.SUBJECT + "-2"}, "subject"),
        ({"sub": "arn:aws:iam::999999999999:role/rekey-databricks"}, "subject"),
        ({"exp": 1_800_000_000}, "expired"),
        ({"exp": None}, "expired"),
    ],
)
def test_a_token_that_says_something_else_is_refused(bench: Bench, changes: dict[str, Any], why: str) -> None:
    trust(bench)
    refused = ask(bench, tokens.signed(said(bench, **changes)))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    assert why in refused.json()["error_description"]


def test_a_token_signed_by_others_or_otherwise_is_refused(bench: Bench) -> None:
    trust(bench)
    claims = said(bench)
    unsigned = tokens.signed(claims).rsplit(".", 1)[0] + "."
    for token in (
        tokens.signed(claims, by=RSAKey.generate_key(2048)),
        tokens.signed(claims, "RS384"),
        tokens.signed(claims, "PS256"),
        jwt.encode({"alg": "HS256", "kid": tokens.key().kid}, claims, OctKey.import_key("a shared word" * 3)),
        unsigned,
        "not a token",
    ):
        refused = ask(bench, token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


def test_without_a_policy_or_for_another_principal_nobody_is_let_in(bench: Bench) -> None:
    token = tokens.signed(said(bench))
    assert ask(bench, token).status_code == 400
    trust(bench)
    assert ask(bench, token, client_id="someone-else").json()["error"] == "invalid_client"
    assert ask(bench, token, subject_token_type="urn:ietf:params:oauth:token-type:saml2").status_code == 400
    bench.side("POST", "/reset")
    assert ask(bench, token).status_code == 200
    bench.side("DELETE", "/federation_policies")
    assert ask(bench, token).status_code == 400


def test_a_service_principal_has_at_most_twenty_policies(bench: Bench) -> None:
    for number in range(20):
        trust(bench, subject=f"{tokens.SUBJECT}-{number}")
    refused = requests.post(f"{bench.url}/_sim/federation_policies", json={"issuer": "i", "subject": "s"}, timeout=10)
    assert refused.status_code == 400


def test_the_official_sdk_sends_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    trust(bench)
    seeded = bench.seed()
    token = tokens.signed(said(bench))
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", token)
    common: Any = {"client_id": bench.settings.client_id, "auth_type": "env-oidc"}
    account = Config(host=bench.url, account_id=bench.settings.account_id, **common)
    own = Config(host=workspace_host(bench, seeded), **common)
    forms = recorded_forms(monkeypatch)

    assert [each.workspace_id for each in AccountClient(config=account).workspaces.list()] == [seeded["workspace_id"]]
    assert WorkspaceClient(config=own).current_user.me().groups
    theirs = forms.copy()
    forms.clear()
    for url in (f"{bench.url}/oidc/accounts/{bench.settings.account_id}", f"{workspace_host(bench, seeded)}/oidc"):
        assert WebIdentityTokens(f"{url}/v1/token", bench.settings.client_id, lambda: token).token()
    assert forms == theirs
    assert len(forms) == 2


def recorded_forms(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, list[str]], str | None]]:
    """(url, form, Authorization) of each request to a token endpoint from now on."""
    forms: list[tuple[str, dict[str, list[str]], str | None]] = []
    send = requests.adapters.HTTPAdapter.send

    def record(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if (request.url or "").endswith("/v1/token"):
            form = parse_qs(str(request.body))
            forms.append((str(request.url), form, request.headers.get("Authorization")))
        return send(self, request, *args, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", record)
    return forms


def test_our_client_explains_a_refusal(bench: Bench) -> None:
    trust(bench, subject="arn:aws:iam::123456789012:role/other")
    token = tokens.signed(said(bench))
    url = f"{bench.url}/oidc/accounts/{bench.settings.account_id}/v1/token"
    with pytest.raises(Unauthenticated) as refused:
        WebIdentityTokens(url, bench.settings.client_id, lambda: token).token()
    assert f"issuer {tokens.ISSUER}, audience {bench.settings.account_id} and subject {tokens.SUBJECT}" in str(
        refused.value
    )
