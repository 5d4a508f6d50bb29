"""Pipelines: what makes and ends clusters by itself. Continuous ones start again; others were cut short."""

from typing import Any

from rekey.base.errors import NotFound
from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.kind import BACK, DOWN, Json, Kind, Verdict, Was
from rekey.rotation.compute.look import Look

_OFF = frozenset({"IDLE", "FAILED", "DELETED"})
_ENDING = "STOPPING"
_UNREAD = "whether it is serverless or continuous could not be read, so it is stopped and started again"


class PipelineWas(Was):
    id: str
    name: str
    state: str
    continuous: bool


class Pipelines(Kind[PipelineWas]):
    noun, field, listing, id_field = "pipeline", "pipelines", "pipelines", "pipeline_id"
    model = PipelineWas
    owner = True
    stop_order, start_order = 1, 2

    def find(self, look: Look) -> list[Json]:
        """Each with its `spec`, None where that could not be read; what is gone meanwhile is passed over."""
        active = [each for each in look.listed(self.listing) if self.alive(each)]
        look.specs(each["pipeline_id"] for each in active)
        found = [{**each, "spec": _spec(look, each)} for each in active]
        return [each for each in found if each["spec"] is None or not each["spec"].get("serverless")]

    def alive(self, piece: Json) -> bool:
        return piece["state"] not in _OFF

    def undecided(self, piece: Json) -> bool:
        return bool(piece["state"] == "UNKNOWN")

    def stoppable(self, piece: Json) -> bool:
        return self.alive(piece) and piece["state"] != _ENDING

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        api.stop_pipeline(piece["pipeline_id"])

    def write_down(self, piece: Json) -> PipelineWas | None:
        if not self.stoppable(piece):
            return None
        return PipelineWas(
            id=piece["pipeline_id"],
            name=str(piece.get("name", "")),
            state=piece["state"],
            continuous=piece["spec"] is None or bool(piece["spec"].get("continuous")),
            unsure=_UNREAD if piece["spec"] is None else "",
        )

    def id_of(self, was: PipelineWas) -> str:
        return was.id

    def stays_away(self, was: PipelineWas) -> str:
        return "" if was.continuous else "its update was cut short; only continuous pipelines start again"

    def judge(self, was: PipelineWas, now: Json | None) -> Verdict:
        state = now["state"] if now else "IDLE"
        if state == "RUNNING":
            return BACK
        if state in ("IDLE", "FAILED"):
            return DOWN
        if state == "DELETED":
            return Verdict("lost", "is DELETED")
        return Verdict("stuck" if state == "UNKNOWN" else "coming", state)

    def start(self, api: WorkspaceApi, was: PipelineWas, now: Json | None) -> None:
        api.start_pipeline(was.id)

    def before(self, was: PipelineWas) -> str:
        return was.state

    def title(self, was: PipelineWas) -> str:
        return was.name


def _spec(look: Look, piece: Json) -> dict[str, Any] | None:
    try:
        return look.spec(piece["pipeline_id"])
    except NotFound:
        return {"serverless": True}  # Nothing is left of it to stop.
