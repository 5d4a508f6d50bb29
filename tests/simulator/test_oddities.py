"""Odd answers: of the token endpoint, of what stands before Databricks, and errors that pass."""

from typing import Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from local.databricks.oddities import ODDITIES, TRANSIENT
from tests.simulator.bench import Bench, Json

CLUSTERS = "/api/2.1/clusters/list"


def order(bench: Bench, fault: str, **more: object) -> None:
    bench.side("POST", "/faults", {"fault": fault, **more})


def token(bench: Bench) -> requests.Response:
    return requests.post(
        f"{bench.url}/oidc/accounts/{bench.settings.account_id}/v1/token",
        data={"grant_type": "client_credentials", "scope": "all-apis"},
        auth=(bench.settings.client_id, bench.settings.client_secret),
        timeout=10,
    )


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("token_without_expiry", "expires_in", "absent"),
        ("token_null_expiry", "expires_in", None),
        ("token_text_expiry", "expires_in", "3599"),
        ("token_fractional_expiry", "expires_in", "3599.5"),
        ("token_missing", "access_token", "absent"),
    ],
)
def test_tokens_with_odd_fields(bench: Bench, name: str, field: str, value: object) -> None:
    workspace = bench.seed()
    order(bench, name)
    answer: Json = token(bench).json()
    assert answer.get(field, "absent") == value
    if field == "expires_in":
        bench.headers = {"Authorization": f"Bearer {answer['access_token']}"}
        assert bench.workspace(workspace, "GET", CLUSTERS).status_code == 200
    assert token(bench).json()["expires_in"] == 3600


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("token_html", 200, "<!doctype html>"),
        ("token_html_error", 403, "<pre>"),
        ("token_empty", 200, ""),
        ("token_null", 200, "null"),
    ],
)
def test_token_answers_that_are_none(bench: Bench, name: str, status: int, body: str) -> None:
    order(bench, name)
    answer = token(bench)
    assert (answer.status_code, answer.text.startswith(body)) == (status, True)
    assert ("html" in answer.headers.get("Content-Type", "")) == ("html" in name)


def test_an_answer_that_cannot_be_decoded_is_of_a_request_that_is_done(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    (cluster,) = bench.clusters(workspace)
    order(bench, "garbled", match={"path": "/clusters/delete"})
    with pytest.raises(requests.exceptions.ContentDecodingError):
        bench.terminate(workspace, cluster["cluster_id"])
    assert bench.clusters(workspace)[0]["state"] == "TERMINATING"
    order(bench, "token_garbled")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        token(bench)


def test_a_loop_of_redirects(bench: Bench) -> None:
    workspace = bench.seed()
    order(bench, "redirect_loop", match={"path": CLUSTERS}, times=None)
    with pytest.raises(requests.TooManyRedirects):
        bench.workspace(workspace, "GET", CLUSTERS)


@pytest.mark.parametrize("name", ["permanent_redirect", "not_modified"])
def test_a_patch_that_is_redirected_is_not_done(bench: Bench, name: str) -> None:
    workspace = bench.seed()
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    path = f"/workspaces/{workspace['workspace_id']}"
    order(bench, name, match={"method": "PATCH", "path": path}, location="/elsewhere")
    body = {"managed_services_customer_managed_key_id": managed}
    answer = bench.account("PATCH", path, body, allow_redirects=False)
    assert answer.status_code == ODDITIES[name]["status"]
    assert answer.headers.get("Location") == ("/elsewhere" if name == "permanent_redirect" else None)
    bench.clock.advance(300)
    assert "managed_services_customer_managed_key_id" not in bench.get(workspace)


def test_not_implemented(bench: Bench) -> None:
    workspace = bench.seed()
    order(bench, "not_implemented", match={"path": CLUSTERS})
    assert bench.workspace(workspace, "GET", CLUSTERS).status_code == 501


@pytest.mark.parametrize("name", TRANSIENT)
def test_errors_that_the_sdk_tries_again(bench: Bench, name: str) -> None:
    workspace = bench.seed(clusters=1)
    settings: dict[str, Any] = {
        "host": f"{bench.url}/w/{workspace['deployment_name']}",
        "client_id": bench.settings.client_id,
        "client_secret": bench.settings.client_secret,
    }
    sdk = WorkspaceClient(config=Config(**settings))
    clock = type("Hasty", (), {"time": bench.clock.now, "sleep": staticmethod(lambda _: None)})()
    sdk.api_client._api_client._clock = clock
    order(bench, name, match={"path": CLUSTERS})
    assert len(list(sdk.clusters.list())) == 1
    assert [each["status"] for each in bench.side("GET", "/requests") if each["path"].endswith("/list")] == [400, 200]


def test_what_is_given_beside_a_name_counts(bench: Bench) -> None:
    order(bench, "token_html", status=502, times=3)
    (shown,) = bench.side("GET", "/state")["faults"]
    assert (shown["fault"], shown["status"], shown["times"]) == ("status", 502, 3)
