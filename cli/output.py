"""What commands print: results on standard output, troubles on standard error, no traceback for what is expected."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from cli.exits import FAILED, INTERRUPTED
from cli.troubles import AWS_ERRORS, explain


def say(line: str = "") -> None:
    """One line for a person."""
    typer.echo(line)


def note(line: str) -> None:
    """Progress and troubles; on standard error, so that standard output can be piped."""
    typer.echo(line, err=True)


def give(result: Mapping[str, Any]) -> None:
    """One JSON object on one line, for --json."""
    typer.echo(json.dumps(result))


def refuse(message: str) -> typer.BadParameter:
    """The error for a command that was typed wrongly: exit status 2."""
    return typer.BadParameter(message)


def ask(question: str, *, otherwise: str = "nothing was done") -> None:
    """Ends the command unless a person at the terminal says yes."""
    try:
        agreed = typer.confirm(question, default=False)
    except typer.Abort:
        note(f"\nrekey: {otherwise}")
        raise typer.Exit(INTERRUPTED) from None
    if not agreed:
        note(f"rekey: {otherwise}")
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def told(*expected: type[Exception], as_json: bool) -> Iterator[None]:
    """Turn an expected error, or one of AWS', into its message and exit status 1; Ctrl-C into 130.

    With `as_json` the message is also given as {"status", "error"}.
    """
    try:
        yield
    except KeyboardInterrupt:
        note("\nrekey: interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except (*expected, *AWS_ERRORS) as error:
        message = explain(error) if isinstance(error, AWS_ERRORS) else str(error)
        note(f"rekey: {message}")
        if as_json:
            give({"status": "failed", "error": message})
        raise typer.Exit(FAILED) from None
