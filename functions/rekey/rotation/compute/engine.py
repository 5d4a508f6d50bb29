"""Drives every kind of compute through its one face, down and back: each piece by itself, whatever the answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from rekey.base.errors import (
    DatabricksThrottled,
    NetworkRefused,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RekeyError,
    Transient,
    Unauthenticated,
)
from rekey.databricks import WorkspaceApi
from rekey.rotation import polls
from rekey.rotation.compute.kind import AnyKind, Json
from rekey.rotation.compute.look import Look
from rekey.rotation.compute.notes import Notes, Tried
from rekey.rotation.compute.pace import OutOfTime
from rekey.rotation.compute.snapshot import Snapshot

TRIES = 3
"""A piece that failed this often, or was refused this often in a row, holds nobody up any longer."""

SIGHTINGS = 10
"""So often a piece may be seen waiting for something that may never come: minutes, since nobody looks again at once."""

RATE_LIMIT = "waiting for Databricks' rate limit"

Found = Mapping[str, Sequence[Json]]
"""Pieces by Kind.field."""


@dataclass
class Pass:
    """One pass over the pieces: what was asked for, what is awaited, and what a person has to know."""

    work: Literal["stop", "start"] = "stop"
    done: list[str] = field(default_factory=list)
    """Names of what Databricks accepted now."""
    troubled: list[str] = field(default_factory=list)
    """Phrases, one for each piece or list that is awaited and that Databricks refused; what is awaited comes after."""
    awaited: list[str] = field(default_factory=list)
    about: set[str] = field(default_factory=set)
    """Names of the pieces that are to come back which those phrases are about."""
    failed: list[str] = field(default_factory=list)
    """Phrases, one for each piece that holds nobody up although it is not as it should be."""
    limited: bool = False
    """Whether Databricks' rate limit kept some of it from being asked for."""
    cut_short: bool = False
    """Whether there was no time left for some of it."""
    moved: bool = False
    """Whether it came any further, though nothing was asked for."""
    undecided: bool = False
    """Whether something was asked to stop whose state does not tell if it is alive."""

    @classmethod
    def for_lists(cls, failed: Mapping[str, RekeyError], unread: int) -> Self:
        """Nothing was asked for: first it must be known what there is."""
        waits = cls()
        waits.wait_for_lists(failed)
        waits.wait_for_specs(unread)
        return waits

    def waiting(self) -> list[str]:
        """Every phrase for what is not there yet; what a person may have to see to comes first."""
        open_ = [*self.troubled, *self.awaited]
        return [RATE_LIMIT, *open_] if self.limited and open_ else open_

    def wait_for_lists(self, failed: Mapping[str, RekeyError]) -> None:
        for name, error in failed.items():
            self.note(error)
            self.troubled.append(f"the list of {name}: {_words(error)}")

    def and_more(self, asked: int) -> Self:
        """There is more than what this pass was about: `asked` pieces, at which only the next call looks.

        What came to nothing is not gone on with: then the next call looks at everything.
        """
        self.cut_short = bool(self.done)
        self.awaited.append(f"the {asked} that Databricks accepted so far, which are looked at next")
        return self

    def wait_for_specs(self, unread: int) -> None:
        if unread:
            self.cut_short = self.moved = True
            self.awaited.append(f"what {unread} more pipelines are")

    def note(self, error: RekeyError) -> None:
        self.limited |= isinstance(error, DatabricksThrottled)
        self.cut_short |= isinstance(error, OutOfTime)

    def poll_seconds(self, elapsed: float) -> int:
        """When to look again, `elapsed` seconds after something was last accepted."""
        if (self.done or self.moved) and (self.cut_short or self.limited):
            return 0
        return polls.seconds(elapsed, troubled=bool(self.troubled) or self.undecided)


def find(kinds: Iterable[AnyKind], look: Look) -> tuple[dict[str, Sequence[Json]], dict[str, RekeyError]]:
    """What is alive, by Kind.field, and the lists that could not be read. What needs one of those is left out."""
    kinds = list(kinds)
    look.read(name for kind in kinds for name in (kind.listing, *kind.needs))
    failed = look.failed(name for kind in kinds for name in (kind.listing, *kind.needs))
    return {kind.field: kind.find(look) for kind in kinds if kind.listing not in failed}, failed


def not_asked(kinds: Iterable[AnyKind], was: Snapshot, tried: Callable[[str], Tried]) -> dict[AnyKind, list[Any]]:
    """What was written down and had no turn yet: neither accepted nor refused."""
    left = {kind: [each for each in was.of_kind(kind) if tried(kind.name_of(each)).is_open] for kind in kinds}
    return {kind: those for kind, those in left.items() if those}


class Stopping:
    """Asks everything that is alive to stop."""

    def __init__(self, kinds: Sequence[AnyKind], look: Look, notes: Notes) -> None:
        self._kinds = kinds
        self._look = look
        self._notes = notes
        self._new_work = False
        """Whether a run, a pipeline or a warehouse was asked for the first time: clusters of its own go with it."""
        self._gone: set[str] = set()
        self.pass_ = Pass()

    def run(self, found: Found) -> Pass:
        stoppable = {
            kind: [each for each in found.get(kind.field, ()) if kind.stoppable(each)]
            for kind in sorted(self._kinds, key=lambda kind: kind.stop_order)
        }
        for kind, those in stoppable.items():
            self._ask(kind, [each for each in those if not kind.owned(each)])
        if not self._new_work:
            for kind, those in stoppable.items():
                self._ask(kind, [each for each in those if kind.owned(each)])
        for kind in self._kinds:
            for piece in found.get(kind.field, ()):
                self._wait_for(kind, piece)
        return self.pass_

    def go_on(self, was: Snapshot) -> Pass | None:
        """What the last call had found and had no time for, without another look; None where nothing is left of it."""
        left = not_asked(self._kinds, was, self._notes.stop_of) if self._notes.cut_short == "stop" else {}
        found = {kind.field: [kind.piece(each) for each in those] for kind, those in left.items()}
        mine = {kind.field: [each for each in found[kind.field] if not kind.owned(each)] for kind in left}
        if not any(mine.values()):
            return None
        return self.run(mine).and_more(sum(each.asked > 0 for each in self._notes.stops.values()))

    def _ask(self, kind: AnyKind, pieces: Sequence[Json]) -> None:
        """One kind after the other: a limit that is for all of them is not fought for."""
        in_order = sorted(pieces, key=lambda each: (kind.slow(each), kind.size(each)), reverse=True)
        answers = self._look.crew.run({kind.name(each): _stop(kind, each) for each in in_order})
        for name, answer in answers.items():
            self._take(name, kind, answer)

    def _take(self, name: str, kind: AnyKind, answer: RekeyError | None) -> None:
        tried = self._notes.stop_of(name)
        if answer is None:
            self._new_work |= kind.owner and not tried.asked
            tried.accepted()
            self._notes.starts.pop(name, None)
            self.pass_.done.append(name)
        elif isinstance(answer, NotFound):
            self._gone.add(name)
        else:
            self.pass_.note(answer)
            tried.refused += _is_final(answer)
            tried.seen += isinstance(answer, OutcomeUnknown)
            tried.said = _words(answer)

    def _wait_for(self, kind: AnyKind, piece: Json) -> None:
        name = kind.name(piece)
        if not kind.alive(piece) or name in self._gone:
            return
        tried = self._notes.stops.get(name) or Tried()
        if kind.beforehand and tried.asked and not tried.said:
            return
        self.pass_.undecided |= kind.undecided(piece)
        phrase = f"{name} {kind.state(piece)}" + (f": {tried.said}" if tried.said else "")
        if kind.undecided(piece) and tried.asked >= TRIES:
            self.pass_.failed.append(f"{phrase}, also after it was asked to stop {tried.asked} times")
        elif kind.beforehand and (tried.refused >= TRIES or tried.seen >= SIGHTINGS):
            self.pass_.failed.append(phrase)
        else:
            (self.pass_.troubled if tried.said else self.pass_.awaited).append(phrase)


class Restoring:
    """Brings back what the snapshot has and the workspace has not."""

    def __init__(self, look: Look, notes: Notes) -> None:
        self._look = look
        self._notes = notes
        self.pass_ = Pass("start")

    def go_on(self, kinds: Sequence[AnyKind], was: Snapshot) -> Pass | None:
        """As Stopping.go_on, for those kinds of which nothing but being down matters."""
        kinds = [kind for kind in kinds if kind.unseen]
        left = not_asked(kinds, was, self._notes.start_of) if self._notes.cut_short == "start" else {}
        mine = {kind: [each for each in those if not kind.stays_away(each)] for kind, those in left.items()}
        if not any(mine.values()):
            return None
        for kind in sorted(mine, key=lambda kind: kind.start_order):
            self._serve([self._piece(kind, each, None) for each in _busiest_first(mine[kind])])
        return self.pass_.and_more(sum(each.asked > 0 for each in self._notes.starts.values()))

    def not_back(self, kinds: Sequence[AnyKind], was: Snapshot) -> list[str]:
        """A phrase for all that is not back, also for what this pass was not about, or whose list could not be read."""
        pieces = [self._piece(kind, each, None) for kind in kinds for each in was.of_kind(kind)]
        due = [each for each in pieces if not each.kind.stays_away(each.was) and each.name not in self.pass_.about]
        others = [each for each in due if not each.tried.over and each.tried.refused < TRIES]
        told = [each.name + (f": {each.tried.said}" if each.tried.said else "") for each in others]
        return [*self.pass_.troubled, *self.pass_.awaited, *told]

    def run(self, kinds: Sequence[AnyKind], was: Snapshot) -> Pass:
        due = {kind: [each for each in was.of_kind(kind) if not kind.stays_away(each)] for kind in kinds}
        due = {kind: those for kind, those in due.items() if self._open(kind, those)}
        failed = self._look.failed(kind.listing for kind in due)
        self.pass_.wait_for_lists(failed)
        served = [kind for kind in due if kind.listing not in failed]
        shown = {kind.field: kind.shown(self._look) for kind in served}
        for kind in sorted(served, key=lambda kind: kind.start_order):
            now = shown[kind.field]
            pieces = [self._piece(kind, each, now.get(kind.id_of(each))) for each in _busiest_first(due[kind])]
            self._serve([each for each in pieces if not each.tried.over])
        for kind, those in due.items():
            self._tell(kind, those)
        return self.pass_

    def _piece(self, kind: AnyKind, was: Any, now: Json | None) -> "_Piece":
        return _Piece(kind, was, now, self._notes.start_of(kind.name_of(was)))

    def _open(self, kind: AnyKind, those: Sequence[Any]) -> bool:
        """Whether anything of a kind is still to be looked at. What is over is told all the same."""
        still = [each for each in those if not self._notes.start_of(kind.name_of(each)).over]
        if not still:
            self._tell(kind, those)
        return bool(still)

    def _tell(self, kind: AnyKind, those: Sequence[Any]) -> None:
        for each in those:
            tried = self._notes.start_of(kind.name_of(each))
            if tried.over in ("lost", "given up") or (not tried.over and tried.refused >= TRIES):
                self.pass_.failed.append(f"{kind.name_of(each)} {tried.said}")

    def _serve(self, pieces: Sequence["_Piece"]) -> None:
        down = [each for each in pieces if self._is_down(each)]
        again = {each.name: each for each in down if each.tried.asked}
        answers = self._look.crew.run({name: _look_again(each) for name, each in again.items()})
        for name, answer in answers.items():
            if isinstance(answer, RekeyError):
                self._take_refusal(again[name], answer)
            else:
                again[name].now = answer
        ready = [each for each in down if each.name not in again]
        ready += [each for name, each in again.items() if self._may_start_again(each, answers[name])]
        started = self._look.crew.run({each.name: _start(each) for each in ready})
        for each in ready:
            self._take(each, started[each.name])

    def _is_down(self, piece: "_Piece") -> bool:
        """Whether it is to be started now; if not, what it is instead is noted."""
        verdict = piece.kind.judge(piece.was, piece.now)
        tried = piece.tried
        if verdict.is_ == "down":
            return True
        if verdict.is_ == "back":
            tried.end("back")
        elif verdict.is_ == "lost":
            tried.end("lost", verdict.words)
        else:
            tried.seen += verdict.is_ == "stuck"
            if tried.seen >= SIGHTINGS:
                tried.end("given up", f"is {verdict.words}")
            else:
                stuck = self.pass_.troubled if verdict.is_ == "stuck" else self.pass_.awaited
                stuck.append(f"{piece.name} {verdict.words}")
                self.pass_.about.add(piece.name)
        return False

    def _may_start_again(self, piece: "_Piece", answer: Json | RekeyError | None) -> bool:
        if isinstance(answer, RekeyError) or not self._is_down(piece):
            return False
        why = piece.kind.why_down(piece.now)
        piece.tried.said = f"went down again: {why}"
        if piece.tried.asked < TRIES:
            return True
        piece.tried.end("given up", f"was started {piece.tried.asked} times, and went down each time: {why}")
        return False

    def _take(self, piece: "_Piece", answer: RekeyError | None) -> None:
        if answer is not None:
            self._take_refusal(piece, answer)
            return
        why = f"; it {piece.tried.said}" if piece.tried.said else ""
        piece.tried.accepted()
        self.pass_.done.append(piece.name)
        if piece.kind.at_once:
            piece.tried.end("back")
        else:
            (self.pass_.troubled if why else self.pass_.awaited).append(f"{piece.name} was asked to start{why}")
            self.pass_.about.add(piece.name)

    def _take_refusal(self, piece: "_Piece", answer: RekeyError) -> None:
        tried, words = piece.tried, _words(answer)
        self.pass_.note(answer)
        believed = not isinstance(answer, (NotFound, PermissionDenied)) or self._look.is_admin()
        if isinstance(answer, NotFound) and believed:
            tried.end("lost", "no longer exists")
            return
        if not believed:
            words = f"the service principal is no admin of this workspace now, so nothing is certain: {words}"
        elif _is_final(answer):
            tried.refused += 1
        tried.said = words
        if tried.refused < TRIES:
            self.pass_.troubled.append(f"{piece.name}: {words}")
            self.pass_.about.add(piece.name)


@dataclass
class _Piece:
    """One piece that is to come back: as it was, as the list shows it, and what was tried."""

    kind: AnyKind
    was: Any
    now: Json | None
    tried: Tried

    @property
    def name(self) -> str:
        return self.kind.name_of(self.was)


def _busiest_first(those: Iterable[Any]) -> list[Any]:
    return sorted(those, key=lambda each: getattr(each, "size", 0), reverse=True)


def _is_final(error: RekeyError) -> bool:
    """Whether to ask again soon is of no use. The network and the credential are everybody's: they count for nobody."""
    return not isinstance(error, (Transient, NetworkRefused, Unauthenticated))


def _words(error: RekeyError) -> str:
    return "is asked in the next call" if isinstance(error, OutOfTime) else str(error)


def _stop(kind: AnyKind, piece: Json) -> Callable[[WorkspaceApi], None]:
    return lambda api: kind.stop(api, piece)


def _start(piece: _Piece) -> Callable[[WorkspaceApi], None]:
    return lambda api: piece.kind.start(api, piece.was, piece.now)


def _look_again(piece: _Piece) -> Callable[[WorkspaceApi], Json | None]:
    return lambda api: piece.kind.look_again(api, piece.was, piece.now)
