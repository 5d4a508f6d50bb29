"""The compute that runs in a workspace now: plain reading for the plan, no changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.engine import find
from rekey.rotation.compute.kind import AnyKind
from rekey.rotation.compute.kinds import KINDS, STOPPED
from rekey.rotation.compute.look import Look

Json = dict[str, Any]

SECONDS = 120.0
"""What the plan's Lambda has at least."""


@dataclass(frozen=True, slots=True)
class Compute:
    """Classic compute that is alive or would start by itself, as Databricks' own objects by Kind.field."""

    found: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    jobs: int = 0
    """All of the workspace's: which of them start classic compute is found out when they are paused."""

    @property
    def runs(self) -> Sequence[Json]:
        """Active job runs that use classic compute."""
        return self.found.get("runs", ())

    def counts(self) -> dict[str, int]:
        return {kind.field: sum(map(kind.alive, self.found.get(kind.field, ()))) for kind in STOPPED}

    def objects(self) -> int:
        """At the most so many are to be stopped, paused and brought back."""
        return sum(self.counts().values()) + self.jobs

    def names(self) -> list[str]:
        """One phrase a piece: by its own name, where it has one."""
        alive = [(kind, each) for kind in STOPPED for each in self.found.get(kind.field, ()) if kind.alive(each)]
        return [f"{_called(kind, each)} {kind.state(each)}" for kind, each in alive]


def look(api: WorkspaceApi, seconds: float = SECONDS) -> Compute:
    """Everything classic that runs, or would start instances by itself. Raises what kept a list from being read."""
    seen = Look(Crew(api, seconds))
    seen.read([*(kind.listing for kind in KINDS)])
    found, failed = find(STOPPED, seen)
    for error in failed.values():
        raise error
    return Compute(found, len(seen.listed("jobs")))


def _called(kind: AnyKind, piece: Json) -> str:
    own = next((piece[name] for name in ("cluster_name", "instance_pool_name", "name") if piece.get(name)), None)
    return f"{kind.noun} {own}" if own else kind.name(piece)
