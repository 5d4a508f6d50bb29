"""Why a rotation failed, and what Lambda's report of an error says of it."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict

NO_CAUSE = "No cause was given."

_REPORT = '{"error'
"""How a report begins: Lambda's Python runtime writes errorMessage first, Lambda itself, of a time-out, errorType."""

_decoder = json.JSONDecoder()


class Failure(BaseModel):
    """The state in which it failed, the error's name and its cause."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: str
    error: str
    cause: str


def readable(cause: str) -> str:
    """The cause with every report of Lambda's in it replaced by its message; one that was cut stays as it is."""
    parts, at = [], 0
    while (begins := cause.find(_REPORT, at)) >= 0:
        message, ends = _report(cause, begins)
        parts += [cause[at:begins], message]
        at = ends
    return "".join([*parts, cause[at:]]) or NO_CAUSE


def _report(cause: str, begins: int) -> tuple[str, int]:
    """(message, where the report ends); what is none is passed over as text."""
    report: Any
    try:
        report, ends = _decoder.raw_decode(cause, begins)
    except (ValueError, RecursionError):
        return _REPORT, begins + len(_REPORT)
    message = report.get("errorMessage")
    return (message, ends) if isinstance(message, str) else (cause[begins:ends], ends)


def _read(failure: Failure) -> Failure:
    return failure.model_copy(update={"cause": readable(failure.cause)})


Caught = Annotated[Failure, AfterValidator(_read)]
"""A failure as the state machine's Catch has it: the cause is whatever the service said."""
