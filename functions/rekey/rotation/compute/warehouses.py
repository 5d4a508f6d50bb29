"""SQL warehouses, classic and pro; serverless ones run in Databricks' own network and are left alone."""

from rekey.databricks import WorkspaceApi
from rekey.databricks.answers import UNKNOWN
from rekey.rotation.compute.kind import BACK, DOWN, UNSHOWN, Json, Kind, Verdict, Was, told

_OFF = frozenset({"STOPPED", "DELETING", "DELETED"})
_GONE = frozenset({"DELETING", "DELETED"})
_ENDING = "STOPPING"


class WarehouseWas(Was):
    id: str
    name: str
    state: str
    type: str


class Warehouses(Kind[WarehouseWas]):
    noun, field, listing, id_field = "warehouse", "warehouses", "warehouses", "id"
    model = WarehouseWas
    owner = True
    stop_order, start_order = 3, 3

    def size(self, piece: Json) -> int:
        """Sessions, and clusters under them."""
        return int(piece.get("num_active_sessions") or 0) + int(piece.get("num_clusters") or 0)

    def alive(self, piece: Json) -> bool:
        return piece["state"] not in _OFF and not piece.get("enable_serverless_compute")

    def undecided(self, piece: Json) -> bool:
        return bool(piece["state"] == UNKNOWN)

    def stoppable(self, piece: Json) -> bool:
        return self.alive(piece) and piece["state"] != _ENDING

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        api.stop_warehouse(piece["id"])

    def write_down(self, piece: Json) -> WarehouseWas | None:
        if not self.stoppable(piece):
            return None
        return WarehouseWas(
            id=piece["id"],
            name=str(piece.get("name", "")),
            state=piece["state"],
            type=str(piece.get("warehouse_type", "CLASSIC")),
            size=self.size(piece),
            unsure=UNSHOWN if piece["state"] == UNKNOWN else "",
        )

    def id_of(self, was: WarehouseWas) -> str:
        return was.id

    def judge(self, was: WarehouseWas, now: Json | None) -> Verdict:
        state = now["state"] if now else "STOPPED"
        if state == "RUNNING":
            return BACK
        if state in _GONE:
            return Verdict("lost", f"is {state}")
        if state in ("STOPPED", UNKNOWN):
            return DOWN  # To start one that runs does nothing.
        reason = _failure(now)
        return Verdict("stuck", f"{state}, and cannot start: {reason}") if reason else Verdict("coming", state)

    def start(self, api: WorkspaceApi, was: WarehouseWas, now: Json | None) -> None:
        api.start_warehouse(was.id)

    def why_down(self, now: Json | None) -> str:
        return _failure(now) or self.state(now or {})

    def before(self, was: WarehouseWas) -> str:
        return was.state

    def title(self, was: WarehouseWas) -> str:
        return was.name


def _failure(piece: Json | None) -> str:
    health = (piece or {}).get("health")
    if not isinstance(health, dict):
        return ""
    reason = told(health.get("failure_reason"))
    return reason or (str(health.get("summary") or health) if health.get("status") == "FAILED" else "")
