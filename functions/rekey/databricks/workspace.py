"""One workspace's own API: compute and notebooks."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from rekey.databricks.transport import Transport

Json = dict[str, Any]

_PAGE = 100
_RUNS_PAGE = 25
"""The most that the runs list gives at once."""


class WorkspaceApi:
    """API of one workspace. Answers are Databricks' own objects; methods raise the classes of rekey.errors."""

    def __init__(self, transport: Transport) -> None:
        self._call = transport.call

    # --- clusters (API 2.1) ---

    def list_clusters(self, states: Sequence[str]) -> list[Json]:
        """All clusters in any of the states."""
        query = {"page_size": _PAGE, "filter_by.cluster_states": list(states)}
        return list(self._pages("/api/2.1/clusters/list", "clusters", query))

    def get_cluster(self, cluster_id: str) -> Json:
        cluster: Json = self._call("GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id})
        return cluster

    def terminate_cluster(self, cluster_id: str) -> None:
        """Databricks calls it "delete"; the configuration stays. Harmless on a cluster that is terminated."""
        self._call("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})

    def start_cluster(self, cluster_id: str) -> None:
        """Raises InvalidState when the cluster is not TERMINATED (databricks/cli#1372)."""
        self._call("POST", "/api/2.1/clusters/start", body={"cluster_id": cluster_id})

    # --- instance pools (API 2.0) ---

    def list_pools(self) -> list[Json]:
        answer = self._call("GET", "/api/2.0/instance-pools/list")
        return list(answer.get("instance_pools", []))

    def edit_pool(self, settings: Json) -> None:
        """Overwrites every editable setting: what is left out is reset, so always send them all."""
        self._call("POST", "/api/2.0/instance-pools/edit", body=settings)

    # --- SQL warehouses (API 2.0) ---

    def list_warehouses(self) -> list[Json]:
        return list(self._pages("/api/2.0/sql/warehouses", "warehouses", {"page_size": _PAGE}))

    def stop_warehouse(self, warehouse_id: str) -> None:
        self._call("POST", f"/api/2.0/sql/warehouses/{warehouse_id}/stop", body={})

    def start_warehouse(self, warehouse_id: str) -> None:
        self._call("POST", f"/api/2.0/sql/warehouses/{warehouse_id}/start", body={})

    # --- job runs (API 2.2) ---

    def list_active_runs(self) -> list[Json]:
        """Runs that are queued, pending, running or about to be repeated."""
        return list(self._pages("/api/2.2/jobs/runs/list", "runs", {"active_only": "true", "limit": _RUNS_PAGE}))

    # --- who calls ---

    def is_admin(self) -> bool:
        """Whether the service principal is in the workspace's group of admins (SCIM, "Get current user")."""
        me = self._call("GET", "/api/2.0/preview/scim/v2/Me")
        return any(each.get("display") == "admins" for each in me.get("groups", []))

    # --- notebooks (API 2.0) ---

    def import_notebook(self, path: str, source: str) -> None:
        """Write a Python notebook, over what is there."""
        content = base64.b64encode(source.encode()).decode()
        body = {"path": path, "format": "SOURCE", "language": "PYTHON", "content": content, "overwrite": True}
        self._call("POST", "/api/2.0/workspace/import", body=body)

    def export_notebook(self, path: str) -> str:
        answer = self._call("GET", "/api/2.0/workspace/export", query={"path": path, "format": "SOURCE"})
        return base64.b64decode(answer["content"]).decode()

    def delete_notebook(self, path: str) -> None:
        self._call("POST", "/api/2.0/workspace/delete", body={"path": path, "recursive": False})

    def _pages(self, path: str, name: str, query: Json) -> Iterator[Json]:
        """Every object of a paged list. Databricks leaves `name` out when there is none; an empty token ends."""
        token = ""
        while True:
            answer = self._call("GET", path, query={**query, "page_token": token} if token else query)
            yield from answer.get(name, [])
            token = answer.get("next_page_token", "")
            if not token:
                return
