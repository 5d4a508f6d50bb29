"""A service principal that may not: no workspace admin, no account admin, another account's workspace."""

import pytest

from tests.simulator.bench import Bench, Json

LISTS = (
    "/api/2.1/clusters/list",
    "/api/2.0/instance-pools/list",
    "/api/2.0/sql/warehouses",
    "/api/2.2/jobs/list",
    "/api/2.2/jobs/runs/list?active_only=true",
    "/api/2.0/pipelines",
    "/api/2.0/workspace/list?path=/",
)
KEYS_OF_ITEMS = {"clusters", "instance_pools", "warehouses", "jobs", "runs", "statuses", "objects"}


def groups(bench: Bench, workspace: Json) -> list[str]:
    shown = bench.workspace(workspace, "GET", "/api/2.0/preview/scim/v2/Me").json()
    return [group["display"] for group in shown["groups"]]


@pytest.mark.rule("workspace-admin")
@pytest.mark.parametrize("path", LISTS)
def test_without_workspace_admin_lists_are_empty_or_refused(bench: Bench, path: str) -> None:
    some = {"clusters": 1, "pools": 1, "warehouses": 1, "jobs": 1, "runs": 1, "pipelines": 1, "notebooks": 1}
    workspace, other = bench.seed(**some, workspace_admin=False), bench.seed(**some)
    assert (groups(bench, workspace), groups(bench, other)) == (["users"], ["admins", "users"])
    empty = bench.workspace(workspace, "GET", path)
    assert (empty.status_code, [empty.json().get(name) or [] for name in KEYS_OF_ITEMS]) == (200, [[]] * 7)
    assert any(bench.workspace(other, "GET", path).json().get(name) for name in KEYS_OF_ITEMS)
    bench.side("POST", "/switches", {"without_workspace_admin": "refuse"})
    refused = bench.workspace(workspace, "GET", path)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_without_workspace_admin_nothing_can_be_done(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, workspace_admin=False)
    (cluster_id,) = bench.sim(workspace)["clusters"]
    assert bench.terminate(workspace, cluster_id).status_code == 403
    assert bench.workspace(workspace, "GET", f"/api/2.1/clusters/get?cluster_id={cluster_id}").status_code == 403
    assert bench.sim(workspace)["clusters"][cluster_id]["state"] == "RUNNING"


@pytest.mark.rule("account-admin")
def test_without_account_admin_the_account_api_refuses(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    bench.side("POST", "/switches", {"account_admin": False})
    for path in ("/workspaces", f"/workspaces/{workspace['workspace_id']}", "/customer-managed-keys"):
        refused = bench.account("GET", path)
        assert (refused.status_code, refused.json()["message"][:18]) == (403, "PERMISSION_DENIED:")
    assert len(bench.clusters(workspace)) == 1


def test_another_accounts_workspace_is_not_there(bench: Bench) -> None:
    workspace = bench.seed(account_id="11111111-2222-3333-4444-555555555555")
    path = f"/workspaces/{workspace['workspace_id']}"
    for method in ("GET", "PATCH", "DELETE"):
        assert bench.account(method, path, {"custom_tags": {"a": "b"}}).status_code == 404
    assert bench.account("GET", "/workspaces").json() == []
    assert bench.workspace(workspace, "GET", "/api/2.1/clusters/list").status_code == 403


def test_the_right_can_be_taken_away_and_given_back_meanwhile(bench: Bench) -> None:
    workspace = bench.seed(clusters=2)
    for admin, shown in ((False, 0), (True, 2)):
        bench.side("POST", "/admin", {"workspace_id": workspace["workspace_id"], "admin": admin})
        assert len(bench.clusters(workspace)) == shown
        assert ("admins" in groups(bench, workspace)) is admin
