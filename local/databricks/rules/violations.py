"""The record of broken rules: what a careful rotation never makes the simulator see."""

from dataclasses import asdict, dataclass
from typing import Literal

Rule = Literal[
    "compute_started_during_update",
    "compute_started_in_blackout",
    "dbfs_in_blackout",
    "storage_key_replacement",
    "cluster_permanently_deleted",
    "pool_deleted",
    "serverless_warehouse_stopped",
    "serverless_run_cancelled",
    "workspace_deleted",
    "key_disabled_too_early",
]


@dataclass(frozen=True)
class Violation:
    """One broken rule. `at` is seconds since the epoch."""

    rule: Rule
    at: float
    workspace_id: int
    detail: str


class Violations:
    """Every violation since the start or the last reset, in order."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def record(self, rule: Rule, at: float, workspace_id: int, detail: str) -> None:
        self._found.append(Violation(rule, at, workspace_id, detail))

    def record_once(self, rule: Rule, at: float, workspace_id: int, detail: str) -> None:
        """Record what is found by looking, not by a request: each finding counts once."""
        if not any(v.rule == rule and v.workspace_id == workspace_id and v.detail == detail for v in self._found):
            self.record(rule, at, workspace_id, detail)

    def as_list(self) -> list[dict[str, object]]:
        return [asdict(violation) for violation in self._found]
