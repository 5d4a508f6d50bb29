"""How a rotation ended: in words, as JSON, and as an exit status. Plain functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.exits import DONE, FAILED, GOES_ON, NEEDS_ATTENTION
from cli.follow import Execution
from cli.output import give, say
from cli.wording import duration, short_key
from rekey.model.attention import down_now

CANCELLED = "Cancelled"
"""The error's name when a person cancelled; see functions/rekey/base/errors.py and rekey/control/cancel.py."""

REFUSAL = "Record refusal"
"""The state that ends what the first one refused."""

_WORDS = {"RUNNING": "running", "SUCCEEDED": "succeeded", "TIMED_OUT": "timed out"}


@dataclass(frozen=True)
class Ending:
    """How it stands with an execution, or how it ended."""

    status: str
    """running, succeeded, needs attention, failed, refused, cancelled, aborted or timed out."""
    lines: list[str]
    """For a person."""
    facts: dict[str, Any]
    """For --json. Seconds and times in it are real."""

    @property
    def exit_code(self) -> int:
        """For whoever waited for it to succeed."""
        return {"succeeded": DONE, "needs attention": NEEDS_ATTENTION, "running": GOES_ON}.get(self.status, FAILED)

    @property
    def cancel_exit_code(self) -> int:
        """For whoever wanted it to end: put back or finished, both are safe."""
        return DONE if self.status == "cancelled" else self.exit_code

    def tell(self, *, as_json: bool) -> None:
        """On standard output."""
        if as_json:
            give(self.facts)
        else:
            for line in self.lines:
                say(line)


def status_of(execution: Execution) -> str:
    """running, succeeded, needs attention, failed, refused (nothing was touched), cancelled, aborted or timed out."""
    if execution.step(REFUSAL):
        return "refused"
    if execution.error == CANCELLED:
        return "cancelled"
    if execution.succeeded and execution.output.get("outcome") == "needs_attention":
        return "needs attention"
    return _WORDS.get(execution.status, execution.status.lower())


def ending_of(
    execution: Execution, rotation_id: str, story: Callable[[float], float] = float, left_open: str = ""
) -> Ending:
    """How it stands or ended. `story` turns real seconds into those to show a person; `left_open` says, where that is
    so, that nobody works on it although it is not over (cli.standing)."""
    status = status_of(execution)
    facts = {
        "rotation_id": rotation_id,
        "execution_arn": execution.arn,
        "status": status,
        "step": execution.current,
        "waiting_for": list(execution.waiting_for),
        "failed_in": execution.failed_in,
        "error": execution.error or None,
        "cause": execution.cause or None,
        "result": dict(execution.output),
        "left_open": left_open or None,
    }
    lines = [*_lines(execution, rotation_id, status, story), *([left_open] if left_open else [])]
    return Ending(status, lines, facts)


def _lines(execution: Execution, rotation_id: str, status: str, story: Callable[[float], float]) -> Iterator[str]:
    result = execution.output
    took = duration(story(execution.elapsed(execution.ended or 0.0)))
    if result.get("decision") == "report":
        yield f"{rotation_id} only planned: nothing was touched."
    elif status == "succeeded":
        yield f"Rotation {rotation_id} succeeded in {took}."
    elif status == "needs attention":
        yield f"Rotation {rotation_id} succeeded in {took}, and needs attention:"
        yield from (f"  {each}" for each in result.get("attention") or ())
    elif status != "running":
        yield f"Rotation {rotation_id} {_past(status)} after {took}."
        yield from (f"  {line}" for line in execution.cause.splitlines())
    if down := down_now(result.get("still_down") or {}):
        yield f"Downtime: not over: {down}"
    elif result.get("downtime_seconds") is not None:
        yield f"Downtime: {duration(story(float(result['downtime_seconds'])))}"
    if result.get("key_arn") and execution.succeeded:
        yield f"Key: {result['key_arn']}"
    yield from _old_key(result)
    told = result.get("attention") or () if status == "needs attention" else ()
    yield from (f"Finding: {each}" for each in result.get("findings") or () if each not in told)
    if result.get("evidence"):
        yield f"Evidence: {result['evidence']}"


def _past(status: str) -> str:
    return f"was {status}" if status in ("refused", "cancelled", "aborted") else status


def _old_key(result: Any) -> Iterator[str]:
    old_key = result.get("old_key")
    if not old_key or result.get("status") != "succeeded":
        return
    name = short_key(old_key["key_arn"])
    if old_key["fate"] == "disable":
        due = result.get("old_key_due_at") or "a day after the switch was verified"
        yield f"Old {name}: disabled at the earliest {due}, once nothing uses it"
    else:
        yield f"Old {name}: retained, because {old_key['why']}"
