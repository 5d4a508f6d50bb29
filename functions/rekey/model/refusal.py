"""Why something is refused: the field, what is wrong with it, and what to do. Joined to text only at the edge."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

FIX = "Fix"
"""The word before what to do."""

_KIND = "refusal"
"""pydantic's type of a fault that carries a Refusal."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason against a request. `field` is empty where no field of it is wrong, but the whole."""

    field: str
    problem: str
    """Without the full stop, as is `fix`."""
    fix: str

    def __str__(self) -> str:
        return f"{self.field}: {self._rest}" if self.field else self._rest

    @property
    def _rest(self) -> str:
        return f"{_ended(self.problem)} {FIX}: {_ended(self.fix)}"

    def as_fault(self) -> PydanticCustomError:
        """For a validator to raise: pydantic's faults carry it, to be taken out by `carried`."""
        return PydanticCustomError(_KIND, "{refusal}", {"refusal": self})


def carried(fault: dict[str, object]) -> Refusal | None:
    """The Refusal that one of pydantic's faults carries."""
    context = fault.get("ctx")
    refusal = context.get("refusal") if isinstance(context, dict) else None
    return refusal if isinstance(refusal, Refusal) else None


def joined(refusals: Iterable[Refusal]) -> str:
    """One line each."""
    return "\n".join(map(str, refusals))


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
