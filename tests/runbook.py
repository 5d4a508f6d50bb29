"""docs/runbook.md, made from the errors' own descriptions and from what causes tell a person to do.

python -m tests.runbook docs/runbook.md      writes it (`make runbook`)
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rekey.base import errors
from rekey.model.causes import DO, LIKE, OTHERWISE

MACHINE = Path(__file__).resolve().parents[1] / "stepfunctions" / "rotate_key.asl.json"

HEAD = """# Runbook

One section for each error name: the `Error` of a failed execution, which its cause links to. The cause has four lines:
what happened, which keys the workspace is on now and whether its compute is back, what to do, and the command that
shows the evidence. A failed rotation has put back what it did: [A rotation failed](operations.md#a-rotation-failed).
Written by `make runbook` from the words that the causes have; a test holds the two together.
"""

BASES = ("Transient",)
"""Classes that nothing raises by themselves."""

OTHERS = ("KeyNotTagged",)
"""What no step raises: `rekey keys adopt` alone is answered so."""


def page() -> str:
    rows = [f"| [{name}](#{name.lower().replace('.', '').replace(' ', '-')}) | {what} |" for name, what in _meanings()]
    sections = [f"## {name}\n\n{what}\n\nDo: {_sentence(DO[name])}\n" for name, what in _meanings()]
    return "\n".join([HEAD, "| error | meaning |", "|---|---|", *rows, "", *sections]).rstrip() + "\n"


def reaching() -> set[str]:
    """Every error name that can be the error of a failed execution, as far as anybody can name them."""
    ours = {
        name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, errors.RekeyError)
    }
    return {
        *ours - {*BASES, *OTHERS},
        *_named(json.loads(MACHINE.read_text(encoding="utf-8"))),
        "ApprovalDeclined",
        "Cancelled",
    }


def _named(state: Any) -> Iterator[str]:
    """Names that the definition matches, or gives to a budget that is over."""
    if isinstance(state, dict):
        for key, value in state.items():
            if key == "ErrorEquals":
                yield from (each for each in value if each != "States.ALL")
            elif key == "error" and isinstance(value, str) and "{%" not in value:
                yield value
            yield from _named(value)
    elif isinstance(state, list):
        for each in state:
            yield from _named(each)


_ELSEWHERE = {
    "ApprovalDeclined": "An approver declined the plan.",
    "ApprovalTimedOut": "Nobody approved the plan within three days.",
    "WorkspaceDidNotComeUp": "A new workspace did not run within the step's budget.",
    "TriggersNotPaused": "What starts compute could not be seen or paused within the step's budget; nothing is down.",
    "ComputeDidNotStop": "Compute still ran when the step's budget was over.",
    "WorkspaceDidNotSwitch": "The workspace did not show the new key configuration within the step's budget.",
    "SwitchNotProven": "The switch could not be proven within the step's budget.",
    "RotationNotEnded": "The change is proven, and its compute or its end still waits after the step's budget.",
    "MaterialWasNotRotated": "KMS did not list the new rotations within the step's budget.",
    "States.Timeout": "A step took longer than its state allows.",
    "Lambda.Unknown": "AWS Lambda failed, or ended a function before it answered.",
    "Lambda.TooManyRequestsException": "AWS Lambda had no room for one more call.",
    "Sandbox.Timedout": "A function ran out of its time.",
    "Runtime.ExitError": "A function's process ended.",
    OTHERWISE: "Something that nobody foresaw, such as one of Python's own errors.",
}


def _meanings() -> Iterator[tuple[str, str]]:
    for name in DO:
        known = getattr(errors, name, None)
        what = _ELSEWHERE.get(name) or " ".join((known.__doc__ or "").split("\n\n")[0].split())
        also = [other for other, same in LIKE.items() if same == name]
        yield name, f"{what} So are {', '.join(also)}." if also else what


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
