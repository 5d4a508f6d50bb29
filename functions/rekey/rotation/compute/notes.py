"""What a rotation remembers of each piece of compute from call to call, in the evidence bucket: tries and last words.

Losing the newest of it does no harm: every step looks at the world first.
"""

from typing import Any, Literal

from pydantic import BaseModel

from rekey.aws import bucket as kept
from rekey.rotation.compute.pace import Learnt

Over = Literal["", "back", "lost", "given up"]


class Tried(BaseModel):
    """One piece that was asked to stop, or to start."""

    asked: int = 0
    """How often Databricks accepted that."""
    refused: int = 0
    """How often in a row it refused for good."""
    seen: int = 0
    """How often the piece was seen waiting for something that may never come."""
    said: str = ""
    """Databricks' last words about it."""
    over: Over = ""
    """What became of it, once nothing is left to do."""

    @property
    def is_open(self) -> bool:
        """Whether nothing has come of it yet, good or bad."""
        return not (self.asked or self.refused or self.seen or self.over)

    def accepted(self) -> None:
        self.asked, self.refused, self.said = self.asked + 1, 0, ""

    def end(self, over: Over, said: str = "") -> None:
        self.over, self.said = over, said


class Notes(BaseModel):
    """By the piece's name."""

    stops: dict[str, Tried] = {}
    starts: dict[str, Tried] = {}
    late: dict[str, list[dict[str, Any]]] = {}
    """By Kind.field: what was switched on, and off again by rekey, after the snapshot; it comes back with it."""
    paces: dict[str, Learnt] = {}
    """Requests a second by family of endpoints, as the last call had learnt them."""
    specs: dict[str, dict[str, Any]] = {}
    """What the list of pipelines does not say of them, by id: it is asked for once."""
    cut_short: Literal["", "stop", "start"] = ""
    """What the last call had no time left to do with all that it had found."""
    asked_at: str = ""
    """When Databricks last accepted that a piece stops or starts."""

    def stop_of(self, name: str) -> Tried:
        return self.stops.setdefault(name, Tried())

    def start_of(self, name: str) -> Tried:
        return self.starts.setdefault(name, Tried())


def notes_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/compute.json"


def read(bucket: str, rotation_id: str) -> Notes:
    """Makes them where there are none: a role without s3:ListBucket cannot tell "missing" from "denied"."""
    key = notes_key(rotation_id)
    kept.write_once(bucket, key, Notes().model_dump_json().encode())
    return kept.read_model(bucket, key, Notes)


def write(bucket: str, rotation_id: str, notes: Notes) -> None:
    kept.put(bucket, notes_key(rotation_id), notes.model_dump_json(exclude_defaults=True).encode())
