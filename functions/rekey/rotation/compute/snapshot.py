"""Compute as it was: written once, before anything is stopped, and never overwritten."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel

from rekey.aws import bucket as kept
from rekey.base import clock
from rekey.rotation.compute.kind import AnyKind, Json
from rekey.rotation.compute.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ran, and how every pool was set; or every trigger that was on. What was off is not in it, and stays off."""

    taken_at: str
    pieces: Mapping[str, Sequence[Any]]
    """By Kind.field, each as the kind's model; those of a file are of STOPPED or of PAUSED."""

    @classmethod
    def of(cls, found: Mapping[str, Sequence[Json]], kinds: Sequence[AnyKind]) -> Self:
        """`found` is by Kind.field."""
        written = {kind.field: [kind.write_down(each) for each in found[kind.field]] for kind in kinds}
        pieces = {field: tuple(each for each in those if each is not None) for field, those in written.items()}
        return cls(clock.stamp(), pieces)

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Also what earlier versions wrote: a field that they did not know is empty."""
        raw = json.loads(text)
        kinds = [kind for kind in KINDS if kind.field in raw]
        pieces = {kind.field: tuple(kind.model.model_validate(each) for each in raw[kind.field]) for kind in kinds}
        return cls(raw["taken_at"], pieces)

    def as_json(self) -> dict[str, Any]:
        rows = {field: [_plain(each) for each in those] for field, those in self.pieces.items()}
        return {"taken_at": self.taken_at, **rows}

    def of_kind(self, kind: AnyKind) -> Sequence[Any]:
        return self.pieces.get(kind.field, ())

    def ids(self, kind: AnyKind) -> set[str]:
        return {kind.id_of(each) for each in self.of_kind(kind)}


def snapshot_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/snapshot.json"


def triggers_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/triggers.json"


def write_once(bucket: str, key: str, snapshot: Snapshot) -> None:
    kept.write_once(bucket, key, json.dumps(snapshot.as_json(), indent=2).encode())


def read(bucket: str, key: str) -> Snapshot:
    return Snapshot.parse(kept.read(bucket, key))


def read_both(bucket: str, snapshot: str | None, triggers: str | None) -> Snapshot:
    """All that a rotation wrote down, as one; empty where it has written nothing yet."""
    files = [read(bucket, key) for key in (snapshot, triggers) if key]
    taken_at = files[0].taken_at if files else ""
    return Snapshot(taken_at, {field: those for each in files for field, those in each.pieces.items()})


def with_late(written: Snapshot, late: Mapping[str, Sequence[Any]]) -> Snapshot:
    """With what was switched on, and off again, after the snapshot (Notes.late)."""
    pieces = {field: tuple(those) for field, those in written.pieces.items()}
    for kind in KINDS:
        if rows := late.get(kind.field):
            added = tuple(kind.model.model_validate(each) for each in rows)
            pieces[kind.field] = (*pieces.get(kind.field, ()), *added)
    return Snapshot(written.taken_at, pieces)


def _plain(was: BaseModel) -> Any:
    return was.model_dump(mode="json")
