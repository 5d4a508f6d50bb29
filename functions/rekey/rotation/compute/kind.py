"""The one face that every kind of compute has: what is alive, how it stops, what is written down, how it comes back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.look import Look

Json = dict[str, Any]


class Was(BaseModel):
    """One piece as it was, in the snapshot. Old snapshots lack what has a default."""

    model_config = ConfigDict(frozen=True)

    size: int = 0
    """What was busiest comes back first."""
    unsure: str = ""
    """Why it counts as classic although that cannot be told."""


W = TypeVar("W", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a piece that is to come back.

    `stuck` waits for something that may never come: the engine counts how often it sees that.
    """

    is_: Literal["back", "down", "coming", "stuck", "lost"]
    words: str = ""


BACK, DOWN = Verdict("back"), Verdict("down")

UNSHOWN = "Databricks showed no state of it"


class Kind(ABC, Generic[W]):
    """One kind. Its methods take Databricks' own objects ("pieces") or what the snapshot has of them ("was")."""

    noun: ClassVar[str]
    field: ClassVar[str]
    """Where the snapshot has them."""
    listing: ClassVar[str]
    """Which list shows them; see LISTS in look.py."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Further lists without which it cannot be told what is classic."""
    id_field: ClassVar[str]
    model: type[W]
    stop_order, start_order = 0, 0
    """What takes longest goes first. Pools are before all: others' instances go back to them, and come from them."""
    beforehand = False
    """Whether it stops before the downtime, and only because of what it would start in it."""
    owner = False
    """Whether it makes clusters for itself, which go with it."""
    unseen = True
    """Whether one that was seen down a moment ago may be started without another look: a start changes nothing else."""
    at_once = False
    """Whether it is back as soon as Databricks has accepted that."""

    # --- as it is now ---

    def find(self, look: Look) -> list[Json]:
        """Those on classic compute that are alive, or would come alive by themselves."""
        return [each for each in look.listed(self.listing) if self.alive(each)]

    def shown(self, look: Look) -> dict[str, Json]:
        """What the list shows now, by id."""
        return {str(each[self.id_field]): each for each in look.listed(self.listing)}

    def name(self, piece: Json) -> str:
        """For the person who waits, for the trail, and for what is remembered of it: "cluster 0412-…"."""
        return f"{self.noun} {piece[self.id_field]}"

    def state(self, piece: Json) -> str:
        return str(piece.get("state", ""))

    def size(self, piece: Json) -> int:
        return 0

    @abstractmethod
    def alive(self, piece: Json) -> bool: ...

    def undecided(self, piece: Json) -> bool:
        """Whether its state does not tell if it is alive: then it is asked to stop, and waited for only for a while."""
        return False

    # --- how it stops ---

    @abstractmethod
    def stoppable(self, piece: Json) -> bool:
        """Whether it is alive and not on its way down."""

    def slow(self, piece: Json) -> bool:
        """Whether it takes longer to stop than others of its kind."""
        return False

    @abstractmethod
    def stop(self, api: WorkspaceApi, piece: Json) -> None: ...

    def owned(self, piece: Json) -> bool:
        """Whether it was made by a run, a pipeline or a warehouse, and goes and comes with it."""
        return False

    def newcomer(self, piece: Json) -> bool:
        """Whether, unknown to the snapshot, it must have been started by somebody else since."""
        return self.alive(piece) and not self.owned(piece)

    # --- what is written down ---

    @abstractmethod
    def write_down(self, piece: Json) -> W | None:
        """None for what is not to be remembered: it is on its way down already."""

    @abstractmethod
    def id_of(self, was: W) -> str: ...

    def name_of(self, was: W) -> str:
        return f"{self.noun} {self.id_of(was)}"

    def piece(self, was: W) -> Json:
        """As Databricks showed it, as far as stopping it needs that."""
        return {**was.model_dump(), self.id_field: self.id_of(was)}

    # --- how it comes back ---

    def stays_away(self, was: W) -> str:
        """Why it is not for rekey to bring back, "" where it is."""
        return ""

    @abstractmethod
    def judge(self, was: W, now: Json | None) -> Verdict:
        """`now` is None where the list does not show it. Gone for good is only what says NotFound when it is asked."""

    @abstractmethod
    def start(self, api: WorkspaceApi, was: W, now: Json | None) -> None:
        """Raises NotFound when that very piece is gone for good."""

    def look_again(self, api: WorkspaceApi, was: W, now: Json | None) -> Json | None:
        """One that is down after it was started, with what its list does not say. Raises NotFound."""
        return now

    def why_down(self, now: Json | None) -> str:
        """Databricks' own words for why such a one is down."""
        return self.state(now) if now else ""

    # --- what the evidence says ---

    @abstractmethod
    def before(self, was: W) -> str: ...

    @abstractmethod
    def title(self, was: W) -> str:
        """The name that its owner gave it."""

    def is_back(self, was: W, now: Json | None) -> bool:
        return now is not None and self.judge(was, now).is_ == "back"

    def after(self, was: W, now: Json | None) -> str | None:
        return self.state(now) if now else None

    def note(self, was: W, now: Json | None) -> str:
        return self.stays_away(was)


AnyKind = Kind[Any]


def told(reason: Any) -> str:
    """Databricks' {"code", "type", "parameters"} of why something ended, in one line; "" where there is none."""
    if not isinstance(reason, dict):
        return ""
    what = reason.get("code") or "no code"
    kind = f" ({reason['type']})" if reason.get("type") else ""
    parameters = reason.get("parameters")
    words = "; ".join(str(each) for each in parameters.values()) if isinstance(parameters, dict) else ""
    return f"{what}{kind}{': ' if words else ''}{words}"
