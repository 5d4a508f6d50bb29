"""What the steps around compute have in common: one call's crew, look and notes, and findings that stay few."""

from collections.abc import Iterable, Sequence
from typing import Any

from rekey.rotation.compute import notes as remembered
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.engine import Pass
from rekey.rotation.compute.look import Look
from rekey.rotation.compute.snapshot import Snapshot
from rekey.rotation.step import Progress, Result, Step

MOST_NAMES, MOST_FINDINGS = 1000, 50
"""In the ledger, whose items are small; the notes in the bucket have all."""


class Call:
    """One call of a step."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.look = Look(Crew(step.workspace, step.time_left()))
        self.bucket = step.settings.evidence_bucket
        self.notes = remembered.read(self.bucket, step.rotation.rotation_id)
        self._before = self.notes.model_dump_json()

    def save(self) -> None:
        """Write the notes if there is anything new in them."""
        if (now := self.notes.model_dump_json()) != self._before:
            remembered.write(self.bucket, self.step.rotation.rotation_id, self.notes)
            self._before = now

    def findings(self, phrases: Iterable[str]) -> tuple[str, ...]:
        """The rotation's findings and these, each once; of many the first, and where the others are."""
        known = self.step.rotation.findings
        new = [each for each in dict.fromkeys(phrases) if each not in known]
        if len(new) > MOST_FINDINGS:
            where = remembered.notes_key(self.step.rotation.rotation_id)
            more = f"And {len(new) - MOST_FINDINGS} more of that kind: the evidence has each, and so has {where}."
            new = [*new[:MOST_FINDINGS], more]
        return (*known, *new)

    def find(self, phrases: Iterable[str]) -> None:
        """Remember findings that belong to no side effect."""
        findings = self.findings(phrases)
        if findings != self.step.rotation.findings:
            self.step.rotation = self.step.ledger.note(self.step.rotation, findings=findings)


def progress(pass_: Pass, more: Sequence[str] = ()) -> Result:
    """Done when nothing is awaited."""
    waiting = [*pass_.waiting(), *more]
    return (Progress.waiting(waiting) if waiting else Progress(done=True)).result()


def some(names: Sequence[Any]) -> list[Any]:
    """As many as an entry of the trail may hold; then how many more."""
    return [*names[:MOST_NAMES], *([f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else [])]


def unsure(snapshot: Snapshot, kinds: Iterable[Any]) -> list[str]:
    """What counts as running classic compute although that cannot be told."""
    pieces = [(kind, each) for kind in kinds for each in snapshot.of_kind(kind) if getattr(each, "unsure", "")]
    return [
        f"Treated as classic compute that runs, since that cannot be told: {kind.name_of(each)}: {each.unsure}."
        for kind, each in pieces
    ]
