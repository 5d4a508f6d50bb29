"""The Databricks simulator's side door: seeding, and looking at everything."""

from typing import Any

import requests

from local.cloud.model import CloudError

SECONDS = 30

Json = dict[str, Any]


class SideDoor:
    """GET and POST under /_sim. Raises CloudError when it refuses or does not answer."""

    def __init__(self, simulator_url: str) -> None:
        self._root = f"{simulator_url}/_sim"

    def seed(self, **wish: Any) -> Json:
        """Make a workspace; the workspace as GET shows it."""
        return self._object("POST", "workspaces", json=wish)

    def fill(self, workspace_id: int, **stock: Any) -> Json:
        """More contents for a workspace that is there, under the keys that it has now."""
        return self._object("POST", f"workspaces/{workspace_id}/contents", json=stock)

    def workspace(self, workspace_id: int) -> Json:
        """One workspace of /_sim/state, with the ARNs of its key configurations under "keys"."""
        state = self._object("GET", "state")
        arns = {each["customer_managed_key_id"]: each["aws_key_info"]["key_arn"] for each in state["configurations"]}
        [found] = [each for each in state["workspaces"] if each["workspace_id"] == workspace_id]
        ids = {
            "MANAGED_SERVICES": found.get("managed_services_customer_managed_key_id"),
            "STORAGE": found.get("storage_customer_managed_key_id"),
        }
        return {**found, "keys": {use_case: arns.get(found_id) for use_case, found_id in ids.items()}}

    def health(self, workspace_id: int | None = None) -> Json:
        """{"objects", "unreadable"}, of one workspace or of all."""
        return self._object("GET", "health", params={"workspace_id": workspace_id} if workspace_id else None)

    def turn(self, **switches: Any) -> Json:
        """Set switches by name; all of them."""
        return self._object("POST", "switches", json=switches)

    def violations(self) -> list[Json]:
        """The rules that were broken."""
        answer: list[Json] = self._ask("GET", "violations")
        return answer

    def lower_bound(self, workspace_id: int, operation: str, *, storage: bool) -> float:
        """How short the downtime could be, in simulated seconds."""
        wanted = {"workspace_id": workspace_id, "operation": operation, "storage": str(storage).lower()}
        return float(self._object("GET", "lower_bound", params=wanted)["seconds"])

    def _object(self, method: str, path: str, **options: Any) -> Json:
        answer: Json = self._ask(method, path, **options)
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = requests.request(method, f"{self._root}/{path}", timeout=SECONDS, **options)
        except requests.RequestException as error:
            raise CloudError(f"the Databricks simulator did not answer {method} {path}: {error}") from error
        if not answer.ok:
            raise CloudError(f"the Databricks simulator refused {method} {path}: {answer.text}")
        return answer.json()
