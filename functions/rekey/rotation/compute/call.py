"""What the steps around compute have in common: one call's crew, look and notes, and findings that stay few."""

from collections.abc import Iterable, Sequence
from typing import Any

from rekey.base.errors import RekeyError
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.rotation.compute import notes as remembered
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.engine import Found, Pass
from rekey.rotation.compute.kind import AnyKind
from rekey.rotation.compute.look import Look
from rekey.rotation.compute.snapshot import Snapshot
from rekey.rotation.step import Step

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

    def findings(self, found: Iterable[Finding]) -> tuple[Finding, ...]:
        """The rotation's findings and these, each once; of many the first, and where the others are."""
        known = self.step.rotation.findings
        new = [each for each in dict.fromkeys(found) if each not in known]
        if len(new) > MOST_FINDINGS:
            where = remembered.notes_key(self.step.rotation.rotation_id)
            more = f"And {len(new) - MOST_FINDINGS} more of that kind: the evidence has each, and so has {where}."
            new = [*new[:MOST_FINDINGS], Finding(code=new[MOST_FINDINGS].code, text=more)]
        return (*known, *new)

    def unseen(self) -> str:
        """Why lists that were read may not have all, "" where they do: a workspace shows only admins everything."""
        try:
            self.look.believe()
        except RekeyError as error:
            return str(error)
        return ""

    def down(self, kinds: Iterable[AnyKind], found: Found, pass_: Pass) -> tuple[str, ...]:
        """What is down, with what this pass stopped. What comes back by itself, or is nobody's to start, is not."""
        stopped, newcomers = set(pass_.done), set(self.step.rotation.newcomers)
        due = [
            kind.name(each)
            for kind in kinds
            for each in found.get(kind.field, ())
            if kind.name(each) in stopped and str(each[kind.id_field]) not in newcomers
            if (was := kind.write_down(each)) is not None and not kind.stays_away(was)
        ]
        return tuple(some([*dict.fromkeys([*self.step.rotation.down, *due])]))

    def find(self, found: Iterable[Finding]) -> None:
        """Remember findings that belong to no side effect."""
        findings = self.findings(found)
        if findings != self.step.rotation.findings:
            self.step.note(findings=findings)


def progress(pass_: Pass, more: Sequence[str] = ()) -> Progress:
    """Done when nothing is awaited."""
    waiting = [*pass_.waiting(), *more]
    return Progress.waiting(waiting) if waiting else Progress(done=True)


def some(names: Sequence[Any]) -> list[Any]:
    """As many as an entry of the trail may hold; then how many more."""
    return [*names[:MOST_NAMES], *([f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else [])]


def unsure(snapshot: Snapshot, kinds: Iterable[AnyKind]) -> list[Finding]:
    """What counts as running classic compute although that cannot be told."""
    pieces = [(kind, each) for kind in kinds for each in snapshot.of_kind(kind) if getattr(each, "unsure", "")]
    why = "Treated as classic compute that runs, since that cannot be told"
    return [
        Finding(code=FindingCode.UNSURE, text=f"{why}: {kind.name_of(each)}: {each.unsure}.") for kind, each in pieces
    ]
