"""`rekey doctor`: whether a deployed stack can do its work, checked from here and by a Lambda of its own."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from cli import examine
from cli.exits import FAILED
from cli.options import grouped
from cli.output import give
from cli.stack import Where
from cli.table import As, Output, console, tell
from cli.wording import counted
from rekey.model.checks import Check

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}


@grouped
def doctor(
    where: Where,
    output: As = Output.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Check a deployed stack, and say of all that is wrong how to fix it.

    What the network lets through, and whether the login is accepted, a Lambda of the stack tells. Nothing is changed.
    A question mark is what these credentials, or this cloud, cannot tell. The exit status is 0 when nothing is wrong.
    """
    checks = examine.all_of(where)
    wrong = [each for each in checks if each.ok is False]
    if as_json or output == Output.JSON:
        give({"ok": not wrong, "checks": [each.model_dump() for each in checks]})
    else:
        tell(as_lines(checks), console())
    if wrong:
        raise typer.Exit(FAILED)


def as_lines(checks: Sequence[Check]) -> list[Text]:
    """One line each, and below what is wrong what to do about it; the sum last."""
    lines = []
    for each in checks:
        mark, style = _MARKS[each.ok]
        lines.append(Text(f"{mark} {each.name}: {each.said}", style="" if each.ok else style))
        if each.fix:
            lines.append(Text(f"  Fix: {each.fix}"))
    return [*lines, Text(""), Text(_sum(checks), style="bold")]


def _sum(checks: Sequence[Check]) -> str:
    wrong = sum(each.ok is False for each in checks)
    unknown = sum(each.ok is None for each in checks)
    told = f"{counted(wrong, 'thing')} to fix" if wrong else "Nothing is wrong"
    return f"{told}; {unknown} cannot be told from here." if unknown else f"{told}."
