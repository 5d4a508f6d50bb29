"""One rotation and its workspace, afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.follow import Execution
from demo.model import Json, Subject


@dataclass(frozen=True)
class Outcome:
    """One rotation and its workspace, afterwards. Seconds are simulated ones."""

    subject: Subject
    execution: Execution
    after: Mapping[str, Any]
    evidence: Json
    evidence_files: Sequence[Path]
    downtime_seconds: float | None

    @property
    def status(self) -> str:
        return str(self.execution.output.get("status", "failed")) if self.execution.succeeded else "failed"

    @property
    def interrupted(self) -> dict[str, int]:
        """How many compute resources of each kind were stopped, as the evidence has it."""
        stopped = (self.evidence.get("compute") or {}).get("interrupted") or {}
        return {kind: len(stopped.get(kind, ())) for kind in ("clusters", "pools", "warehouses")}
