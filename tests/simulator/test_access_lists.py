"""IP access lists and PrivateLink: who is kept out of which door, and how it is told."""

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import PermissionDenied
from databricks.sdk.errors.private_link import PrivateLinkValidationError

from tests.simulator.bench import Bench, Json

ME = "/api/2.0/preview/scim/v2/Me"
BLOCKED = "Source IP address: 198.51.100.7 is blocked by Databricks IP ACL for "


def keep_out(bench: Bench, *doors: str, **more: object) -> None:
    bench.side("POST", "/access-lists", {"at": list(doors), **more})


def token(bench: Bench, base: str) -> requests.Response:
    secret = (bench.settings.client_id, bench.settings.client_secret)
    form = {"grant_type": "client_credentials", "scope": "all-apis"}
    return requests.post(f"{base}/v1/token", data=form, auth=secret, timeout=10)


def doors(bench: Bench, workspace: Json) -> dict[str, requests.Response]:
    return {
        "account": bench.account("GET", "/workspaces"),
        "workspace": bench.workspace(workspace, "GET", ME),
        "account token": token(bench, f"{bench.url}/oidc/accounts/{bench.settings.account_id}"),
        "workspace token": token(bench, f"{bench.url}/w/{workspace['deployment_name']}/oidc"),
    }


@pytest.mark.parametrize("door", ["account", "workspace", "token"])
def test_each_door_by_itself(bench: Bench, door: str) -> None:
    workspace = bench.seed()
    keep_out(bench, door)
    for name, answer in doors(bench, workspace).items():
        assert answer.status_code == (403 if name.endswith(door) else 200)
        if answer.status_code == 403:
            where = f"account: {bench.settings.account_id}"
            if name.startswith("workspace"):
                where = f"workspace: {workspace['workspace_id']}"
            assert answer.json()["error_code"] == 403
            assert answer.json()["message"].startswith(BLOCKED + where)
    requests.delete(f"{bench.url}/_sim/access-lists", timeout=10)
    assert {answer.status_code for answer in doors(bench, workspace).values()} == {200}


def test_one_workspace_of_two(bench: Bench) -> None:
    first, second = bench.seed(workspace_name="a"), bench.seed(workspace_name="b")
    keep_out(bench, "workspace", "token", workspace_id=first["workspace_id"], address="203.0.113.9")
    assert "203.0.113.9" in bench.workspace(first, "GET", ME).text
    assert bench.workspace(second, "GET", ME).status_code == 200
    assert [answer.status_code for answer in doors(bench, first).values()] == [200, 403, 200, 403]


def test_nothing_is_done_for_who_is_kept_out(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    (cluster,) = bench.clusters(workspace)
    keep_out(bench, "workspace")
    assert bench.terminate(workspace, cluster["cluster_id"]).status_code == 403
    requests.delete(f"{bench.url}/_sim/access-lists", timeout=10)
    assert bench.clusters(workspace)[0]["state"] == "RUNNING"


@pytest.mark.parametrize(("reading", "code"), [("number", 403), ("text", "PERMISSION_DENIED")])
def test_the_code_is_a_switch(bench: Bench, reading: str, code: object) -> None:
    bench.side("POST", "/switches", {"access_list_code": reading})
    workspace = bench.seed()
    keep_out(bench, "account", "workspace", "token")
    assert {answer.json()["error_code"] for answer in doors(bench, workspace).values()} == {code}


def test_private_link_sends_to_a_login_page(bench: Bench) -> None:
    workspace = bench.seed()
    keep_out(bench, "workspace", kind="private_link")
    shown = bench.workspace(workspace, "GET", ME)
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f"/login.html?error=private-link-validation-error:{workspace['workspace_id']}" in shown.url
    assert shown.history[0].status_code == 302


@pytest.mark.parametrize("kind", ["ip_acl", "private_link"])
def test_the_sdk_knows_both(bench: Bench, kind: str) -> None:
    workspace = bench.seed()
    settings = bench.settings
    host = f"{bench.url}/w/{workspace['deployment_name']}"
    sdk = WorkspaceClient(config=Config(host=host, client_id=settings.client_id, client_secret=settings.client_secret))
    sdk.current_user.me()
    keep_out(bench, "workspace", kind=kind)
    kept_out = PermissionDenied if kind == "ip_acl" else PrivateLinkValidationError
    with pytest.raises(kept_out, match="IP ACL" if kind == "ip_acl" else "Link"):
        sdk.current_user.me()
