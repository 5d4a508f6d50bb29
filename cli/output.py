"""What commands print: results on standard output, troubles on standard error, no traceback for what is expected."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer

FAILED = 1


def say(line: str = "") -> None:
    """One line for a person."""
    typer.echo(line)


def note(line: str) -> None:
    """Progress and troubles; on standard error, so that standard output can be piped."""
    typer.echo(line, err=True)


def give(result: Mapping[str, Any]) -> None:
    """One JSON object on one line, for --json."""
    typer.echo(json.dumps(result))


@contextlib.contextmanager
def told(*expected: type[Exception], as_json: bool) -> Iterator[None]:
    """Turn an expected error into its message and exit status 1; with `as_json` into {"status", "error"} too."""
    try:
        yield
    except expected as error:
        note(f"rekey: {error}")
        if as_json:
            give({"status": "failed", "error": str(error)})
        raise typer.Exit(FAILED) from None
