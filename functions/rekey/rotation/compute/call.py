"""What the steps around compute have in common: one call's crew, look and notes, and findings that stay few."""

from collections.abc import Iterable, Sequence
from typing import Any

from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.model.answers import Progress
from rekey.model.findings import Finding, FindingCode
from rekey.rotation import polls
from rekey.rotation.compute import notes as remembered
from rekey.rotation.compute import pace
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.engine import Pass
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
        self.bucket = step.settings.evidence_bucket
        self.notes = remembered.read(self.bucket, step.rotation.rotation_id)
        self._host = step.workspace.host
        pace.recall(self._host, self.notes.paces)
        self.look = Look(Crew(step.workspace, step.time_left()), self.notes.specs)
        self._before = self.notes.model_dump_json()

    def save(self) -> None:
        """Write the notes if there is anything new in them."""
        if (now := self.notes.model_dump_json()) != self._before:
            remembered.write(self.bucket, self.step.rotation.rotation_id, self.notes)
            self._before = now

    def end(self, pass_: Pass, more: Sequence[str] = ()) -> Progress:
        """Write the notes, and say how far it is: done when nothing is awaited.

        Who looks again lets go by at least as long as the look took: what is many is not listed all the time.
        """
        self.notes.paces, self.notes.specs = pace.learnt(self._host), self.look.known()
        self.notes.cut_short = pass_.work if pass_.cut_short else ""
        if pass_.done or not self.notes.asked_at:
            self.notes.asked_at = clock.stamp()
        self.save()
        waiting = [*pass_.waiting(), *more]
        if not waiting:
            return Progress(done=True)
        poll = pass_.poll_seconds(self.step.elapsed(self.notes.asked_at))
        return Progress.waiting(waiting, poll_seconds=max(poll, round(self.look.seconds)) if poll else 0)

    def findings(self, found: Iterable[Finding]) -> tuple[Finding, ...]:
        """The rotation's findings and these, each once; of many the first, and where the others are."""
        known = self.step.rotation.findings
        new = [each for each in dict.fromkeys(found) if each not in known]
        if len(new) > MOST_FINDINGS:
            where = remembered.notes_key(self.step.rotation.rotation_id)
            more = f"And {len(new) - MOST_FINDINGS} more of that kind: the evidence has each, and so has {where}."
            new = [*new[:MOST_FINDINGS], Finding(code=new[MOST_FINDINGS].code, text=more)]
        return (*known, *new)

    def unseen(self) -> Progress | None:
        """That lists which were read may not have all is waited for: a workspace shows only admins everything."""
        try:
            self.look.believe()
        except RekeyError as error:
            return Progress.waiting([str(error)], poll_seconds=polls.TROUBLED_SECONDS)
        return None

    def down(self, kinds: Iterable[AnyKind], was: Snapshot, pass_: Pass) -> tuple[str, ...]:
        """What is down, with what this pass stopped of what was written down and does not come back by itself."""
        stopped = set(pass_.done)
        due = [
            kind.name_of(each)
            for kind in kinds
            for each in was.of_kind(kind)
            if kind.name_of(each) in stopped and not kind.stays_away(each)
        ]
        return tuple(some([*dict.fromkeys([*self.step.rotation.down, *due])]))

    def find(self, found: Iterable[Finding]) -> None:
        """Remember findings that belong to no side effect."""
        findings = self.findings(found)
        if findings != self.step.rotation.findings:
            self.step.note(findings=findings)


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
