"""What the demo knows of its two workspaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why, for a person."""


@dataclass(frozen=True)
class Subject:
    """A seeded workspace and the rotation that it gets. `lower_bound_seconds` is in simulated seconds."""

    name: str
    workspace_id: int
    operation: str
    use_cases: tuple[str, ...]
    old_key_arn: str | None
    request: Mapping[str, Any]
    before: Mapping[str, Any]
    """The workspace as the simulator showed it after seeding."""
    lower_bound_seconds: float

    @property
    def rotation_id(self) -> str:
        """Name of its execution."""
        return f"{self.name}-{self.operation}"


@dataclass(frozen=True)
class OldKey:
    """What became of the key that was replaced. Times are seconds since the epoch."""

    key_arn: str
    state: str
    """KMS' word: Enabled, Disabled."""
    swept: bool = False
    """Whether the ledger says that the key check disabled it."""
    why: str = ""
    since: float | None = None
    """The verified switch."""
    disabled_at: float | None = None
