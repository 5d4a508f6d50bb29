"""What `rekey doctor` finds: one line each, with what to do."""

from pydantic import BaseModel, ConfigDict

from rekey.model.answers import Answer


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    ok: bool | None
    """None where it cannot be told."""
    said: str
    """What was seen, or what is wrong; without the full stop, as is `fix`."""
    fix: str = ""


class Examined(Answer):
    """Doctor: all of it, in the order in which it is read."""

    checks: tuple[Check, ...]
