"""All-purpose clusters, and those that runs, pipelines and warehouses make for themselves."""

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.kind import BACK, DOWN, UNSHOWN, Json, Kind, Verdict, Was, told

_UP = frozenset({"RUNNING", "RESIZING"})
_OFF = frozenset({"TERMINATED"})
_ENDING = "TERMINATING"
_ERROR, _UNKNOWN = "ERROR", "UNKNOWN"

_GOES_WITH = {
    "JOB": "made by a job, and comes back with its next run",
    "PIPELINE": "made by a pipeline, and comes back with its next run",
    "PIPELINE_MAINTENANCE": "made by a pipeline, and comes back with its next run",
    "SQL": "made by a SQL warehouse, and comes back with it",
}
"""By source. "Clusters launched to run a job cannot be started" (clusters/start)."""


class ClusterWas(Was):
    id: str
    name: str
    state: str
    source: str
    pool: str = ""
    """The pool that its instances are of."""


class Clusters(Kind[ClusterWas]):
    noun, field, listing, id_field = "cluster", "clusters", "clusters", "cluster_id"
    model = ClusterWas
    stop_order, start_order = 2, 1

    def size(self, piece: Json) -> int:
        """Workers, and the driver."""
        scale = piece.get("autoscale")
        most = scale.get("max_workers") if isinstance(scale, dict) else piece.get("num_workers")
        return int(most or 0) + 1

    def alive(self, piece: Json) -> bool:
        return piece["state"] not in _OFF

    def undecided(self, piece: Json) -> bool:
        return piece["state"] in (_ERROR, _UNKNOWN)

    def stoppable(self, piece: Json) -> bool:
        return self.alive(piece) and piece["state"] != _ENDING

    def slow(self, piece: Json) -> bool:
        """Its pool lets its instances go after it."""
        return bool(piece.get("instance_pool_id"))

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        api.terminate_cluster(piece["cluster_id"])

    def owned(self, piece: Json) -> bool:
        return piece.get("cluster_source") in _GOES_WITH

    def write_down(self, piece: Json) -> ClusterWas | None:
        if not self.stoppable(piece) or piece["state"] == _ERROR:
            return None  # "ERROR: the cluster could not be created": it ran nothing.
        return ClusterWas(
            id=piece["cluster_id"],
            name=str(piece.get("cluster_name", "")),
            state=piece["state"],
            source=str(piece.get("cluster_source", "UI")),
            pool=str(piece.get("instance_pool_id", "")),
            size=self.size(piece),
            unsure=UNSHOWN if piece["state"] == _UNKNOWN else "",
        )

    def piece(self, was: ClusterWas) -> Json:
        return {**super().piece(was), "cluster_source": was.source, "instance_pool_id": was.pool}

    def id_of(self, was: ClusterWas) -> str:
        return was.id

    def stays_away(self, was: ClusterWas) -> str:
        return _GOES_WITH.get(was.source, "")

    def judge(self, was: ClusterWas, now: Json | None) -> Verdict:
        state = now["state"] if now else "TERMINATED"
        if state in _UP:
            return BACK
        if state in _OFF or state == _ERROR:
            return DOWN
        return Verdict("stuck" if state == _UNKNOWN else "coming", state)

    def start(self, api: WorkspaceApi, was: ClusterWas, now: Json | None) -> None:
        api.start_cluster(was.id)

    def look_again(self, api: WorkspaceApi, was: ClusterWas, now: Json | None) -> Json | None:
        return api.get_cluster(was.id)

    def why_down(self, now: Json | None) -> str:
        piece = now or {}
        return told(piece.get("termination_reason")) or str(piece.get("state_message") or self.state(piece))

    def before(self, was: ClusterWas) -> str:
        return was.state

    def title(self, was: ClusterWas) -> str:
        return was.name

    def after(self, was: ClusterWas, now: Json | None) -> str | None:
        return self.state(now) if now else "TERMINATED"
