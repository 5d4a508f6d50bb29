"""Triggers of jobs, which would start compute in the downtime: paused before it, and resumed exactly as they were."""

from typing import Any, Literal

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.kind import BACK, DOWN, Json, Kind, Verdict, Was
from rekey.rotation.compute.look import Look

PAUSED, UNPAUSED = "PAUSED", "UNPAUSED"
TriggerKind = Literal["schedule", "continuous", "trigger"]
KINDS: tuple[TriggerKind, ...] = ("schedule", "continuous", "trigger")


class TriggerWas(Was):
    """The trigger of one job, as Databricks has it under `kind`."""

    job_id: int
    name: str
    kind: TriggerKind
    value: dict[str, Any]


class Triggers(Kind[TriggerWas]):
    """Its pieces are jobs, each with the `kind` of the trigger that is not paused."""

    noun, field, listing, id_field = "trigger", "jobs", "jobs", "job_id"
    needs = ("warehouses",)
    model = TriggerWas
    beforehand, at_once, unseen = True, True, False
    start_order = 4

    def find(self, look: Look) -> list[Json]:
        """Triggers that are on and would start classic compute, with why where that cannot be told."""
        on = [{**job, "kind": kind} for job in look.listed(self.listing) for kind in KINDS if _is_on(job, kind)]
        uses = look.uses_of_jobs(on)
        return [{**each, "unsure": use.unsure} for each, use in zip(on, uses, strict=True) if use.classic]

    def name(self, piece: Json) -> str:
        return _name(piece["kind"], piece["job_id"], str(piece["settings"].get("name", "")))

    def name_of(self, was: TriggerWas) -> str:
        return _name(was.kind, was.job_id, was.name)

    def state(self, piece: Json) -> str:
        return UNPAUSED

    def alive(self, piece: Json) -> bool:
        return _is_on(piece, piece["kind"])

    def stoppable(self, piece: Json) -> bool:
        return self.alive(piece)

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        kind = piece["kind"]
        api.update_job(piece["job_id"], {kind: {**piece["settings"][kind], "pause_status": PAUSED}})

    def write_down(self, piece: Json) -> TriggerWas | None:
        return TriggerWas(
            job_id=piece["job_id"],
            name=str(piece["settings"].get("name", "")),
            kind=piece["kind"],
            value=piece["settings"][piece["kind"]],
            unsure=piece["unsure"],
        )

    def id_of(self, was: TriggerWas) -> str:
        return str(was.job_id)

    def judge(self, was: TriggerWas, now: Json | None) -> Verdict:
        if now is None:
            return DOWN
        trigger = now["settings"].get(was.kind)
        if not trigger:
            return Verdict("lost", "was taken away by somebody else")
        return DOWN if trigger.get("pause_status") == PAUSED else BACK

    def start(self, api: WorkspaceApi, was: TriggerWas, now: Json | None) -> None:
        value = now["settings"][was.kind] if now else was.value
        api.update_job(was.job_id, {was.kind: {**value, "pause_status": UNPAUSED}})

    def before(self, was: TriggerWas) -> str:
        return UNPAUSED

    def title(self, was: TriggerWas) -> str:
        return was.name

    def after(self, was: TriggerWas, now: Json | None) -> str | None:
        trigger = now["settings"].get(was.kind) if now else None
        return str(trigger.get("pause_status", UNPAUSED)) if trigger else None


def _is_on(job: Json, kind: str) -> bool:
    trigger = job["settings"].get(kind)
    return isinstance(trigger, dict) and trigger.get("pause_status", UNPAUSED) != PAUSED


def _name(kind: str, job_id: int, title: str) -> str:
    return f"{kind} of job {job_id}" + (f" ({title})" if title else "")
