"""OAuth: discovery, tokens for the account and for one workspace, expiry."""

from typing import Any

import pytest
import requests

from tests.simulator.bench import Bench, Json

FORM = {"grant_type": "client_credentials", "scope": "all-apis"}


def ask(bench: Bench, path: str, form: dict[str, str] = FORM, secret: str | None = None) -> requests.Response:
    auth = (bench.settings.client_id, secret or bench.settings.client_secret)
    return requests.post(bench.url + path, data=form, auth=auth, timeout=10)


def document(url: str) -> Any:
    return requests.get(url, timeout=10).json()


def account_token(bench: Bench) -> str:
    return f"/oidc/accounts/{bench.settings.account_id}/v1/token"


def test_discovery_leads_from_the_host_to_the_token_endpoint(bench: Bench) -> None:
    workspace = bench.seed()
    account = document(f"{bench.url}/.well-known/databricks-config")
    assert account["account_id"] == bench.settings.account_id
    assert "workspace_id" not in account
    host = f"{bench.url}/w/{workspace['deployment_name']}"
    own = document(f"{host}/.well-known/databricks-config")
    assert own["workspace_id"] == str(workspace["workspace_id"])
    for config, endpoint in (
        (account, bench.url + account_token(bench)),
        (own, f"{host}/oidc/v1/token"),
    ):
        found = document(f"{config['oidc_endpoint']}/.well-known/oauth-authorization-server")
        assert found["token_endpoint"] == endpoint


def test_a_token_lasts_an_hour(bench: Bench) -> None:
    answer = ask(bench, account_token(bench)).json()
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 3600, "all-apis")
    bench.headers = {"Authorization": f"Bearer {answer['access_token']}"}
    bench.clock.advance(3599)
    assert bench.account("GET", "/workspaces").status_code == 200
    bench.clock.advance(1)
    expired = bench.account("GET", "/workspaces")
    assert expired.status_code == 401
    assert list(expired.json()) == ["message"]


@pytest.mark.parametrize(
    ("form", "secret", "status", "error"),
    [
        (FORM, "wrong", 401, "invalid_client"),
        ({**FORM, "grant_type": "password"}, None, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, None, 400, "invalid_scope"),
    ],
)
def test_refusals(bench: Bench, form: dict[str, str], secret: str | None, status: int, error: str) -> None:
    refused = ask(bench, account_token(bench), form, secret)
    assert (refused.status_code, refused.json()["error"]) == (status, error)
    assert "error_description" in refused.json()


def test_the_secret_has_to_come_by_basic_authentication(bench: Bench) -> None:
    form = {**FORM, "client_id": bench.settings.client_id, "client_secret": bench.settings.client_secret}
    refused = requests.post(bench.url + account_token(bench), data=form, timeout=10)
    assert refused.status_code == 401


def test_a_workspace_token_is_good_for_that_workspace_only(bench: Bench) -> None:
    one, two = bench.seed(), bench.seed()
    token = ask(bench, f"/w/{one['deployment_name']}/oidc/v1/token").json()["access_token"]
    bench.headers = {"Authorization": f"Bearer {token}"}

    def me(workspace: Json) -> requests.Response:
        return bench.workspace(workspace, "GET", "/api/2.0/preview/scim/v2/Me")

    assert me(one).json()["groups"][0]["display"] == "admins"
    assert me(two).status_code == 403
    assert bench.account("GET", "/workspaces").status_code == 403


def test_without_a_token(bench: Bench) -> None:
    workspace = bench.seed()
    bench.headers = {}
    account = bench.account("GET", "/workspaces")
    assert (account.status_code, list(account.json())) == (401, ["message"])
    own = bench.workspace(workspace, "GET", "/api/2.1/clusters/list")
    assert (own.status_code, own.json()["error_code"]) == (401, "401")


def test_workspace_by_header(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    headers = {**bench.headers, "X-Databricks-Workspace-Id": str(workspace["workspace_id"])}
    url = f"{bench.url}/api/2.1/clusters/list"
    assert len(requests.get(url, headers=headers, timeout=10).json()["clusters"]) == 1
    assert requests.get(url, headers=bench.headers, timeout=10).status_code == 404
