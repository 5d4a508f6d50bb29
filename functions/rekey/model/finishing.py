"""How far the finisher is with a rotation whose execution has ended before it, and what a person lets be."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from rekey.model.steps import StepName

Left = Literal["compute", "keys"]
"""What a rotation can leave undone, and a person may let be."""


class Finishing(BaseModel):
    """Set once the finisher has taken a rotation up. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    since: str
    """When it was taken up."""
    next_at: str
    """When it is looked at next; while the finisher is at work: when that is surely over."""
    at_work: bool = False
    """Whether a round works on it, until `next_at` at the latest."""
    step: StepName | None = None
    """The step that was called last and is not done."""
    waits_since: str | None = None
    """From when on that step answered that it is not done; None while it gave no answer."""
    tries: int = 0
    """Rounds on end that got nowhere."""
    trouble_since: str | None = None
    """From when on rounds got nowhere; None while it goes on."""
    said: str = ""
    """What keeps it from being done, in words."""
    told_at: str | None = None
    """When the world was last told of that."""


class LetBe(BaseModel):
    """A person's decision that something stays undone."""

    model_config = ConfigDict(frozen=True)

    what: tuple[Left, ...]
    by: str
    at: str
    reason: str | None = None
