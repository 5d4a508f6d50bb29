"""Job runs. They are ended by their own API: a job whose cluster is terminated under it may try again."""

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.kind import BACK, Json, Kind, Verdict, Was
from rekey.rotation.compute.look import Look

_ENDING = "TERMINATING"


class RunWas(Was):
    """A job run that was active: it is cut short, and its job's owner should know."""

    run_id: int
    job_id: int | None
    name: str
    state: str


class Runs(Kind[RunWas]):
    noun, field, listing, id_field = "run", "runs", "runs", "run_id"
    needs = ("warehouses",)
    model = RunWas
    owner = True
    stop_order = 1

    def find(self, look: Look) -> list[Json]:
        """Active ones that use classic compute, with why where that cannot be told."""
        active = look.listed(self.listing)
        uses = look.uses_of_runs(active)
        return [{**each, "unsure": use.unsure} for each, use in zip(active, uses, strict=True) if use.classic]

    def state(self, piece: Json) -> str:
        state = piece.get("state")
        return str(state.get("life_cycle_state", "")) if isinstance(state, dict) else ""

    def alive(self, piece: Json) -> bool:
        return True

    def stoppable(self, piece: Json) -> bool:
        return self.state(piece) != _ENDING

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        api.cancel_run(piece["run_id"])

    def write_down(self, piece: Json) -> RunWas | None:
        return RunWas(
            run_id=piece["run_id"],
            job_id=piece.get("job_id"),
            name=str(piece.get("run_name", "")),
            state=self.state(piece),
            unsure=piece["unsure"],
        )

    def piece(self, was: RunWas) -> Json:
        return {"run_id": was.run_id, "job_id": was.job_id, "state": {"life_cycle_state": was.state}}

    def id_of(self, was: RunWas) -> str:
        return str(was.run_id)

    def stays_away(self, was: RunWas) -> str:
        return "cut short; its job starts the next one"

    def judge(self, was: RunWas, now: Json | None) -> Verdict:
        return BACK

    def start(self, api: WorkspaceApi, was: RunWas, now: Json | None) -> None:
        raise NotImplementedError("a run that was cut short does not come back")

    def before(self, was: RunWas) -> str:
        return was.state

    def title(self, was: RunWas) -> str:
        return was.name

    def after(self, was: RunWas, now: Json | None) -> str | None:
        return None
