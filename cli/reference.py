"""`python -m cli.reference docs/commands.md`: every command with its options, from the commands themselves."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from cli.exits import EXIT_CODES
from cli.lazy import LazyGroup
from cli.main import app

HEAD = """# Commands

Written by `make commands` from the commands themselves; a test holds the two together. `rekey COMMAND --help` says
the same. Every command that changes something shows first what it would do and asks, unless `--yes` is given.
"""

COMPLETION = """## Completion

`rekey --install-completion` sets it up for the shell it is typed in (bash, zsh, fish, PowerShell);
`--show-completion` prints it.
"""


def page() -> str:
    """The whole page, in Markdown."""
    commands = list(_commands("rekey", typer.main.get_command(app)))
    lines = [HEAD, "| command | what it does |", "|---|---|"]
    lines += [f"| [`{name}`](#{_anchor(name)}) | {_first_line(command)} |" for name, command in commands]
    lines += ["", "## Exit status", "", "| status | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    lines += ["", COMPLETION]
    for name, command in commands:
        lines += _section(name, command)
    shared = {each.name: each for _, command in commands for each in command.params if _panel(each)}
    for panel in dict.fromkeys(map(_panel, shared.values())):
        lines += [f"## {panel}", "", *_table(each for each in shared.values() if _panel(each) == panel)]
    return "\n".join(lines).rstrip() + "\n"


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(command, LazyGroup):
        children = {child: lazy.load(child) for child, lazy in command.lazy.items()}
    else:
        children = getattr(command, "commands", {})
        if not children or command.invoke_without_command:
            yield name, command
    for child, below in children.items():
        yield from _commands(f"{name} {child}", below)


def _section(name: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([name, *(each.metavar if each.required else f"[{each.metavar}]" for each in arguments)])
    yield from (f"## {name}", "", f"    {usage} [OPTIONS]", "", _first_line(command), "")
    yield from _table(each for each in command.params if not _panel(each))
    if panels := list(dict.fromkeys(filter(None, map(_panel, command.params)))):
        yield from ("Also: " + ", ".join(f"[{panel}](#{_anchor(panel)})" for panel in panels) + ".", "")


def _panel(parameter: Any) -> str:
    """Options that several commands share stand in a panel of their own; empty for the others."""
    return parameter.rich_help_panel or ""


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def _table(parameters: Iterable[Any]) -> list[str]:
    return ["| | |", "|---|---|", *map(_row, parameters), ""]


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"| `{parameter.metavar}` | {parameter.help} |"
    typed = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
    metavar = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    shown = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    default = f" Default: `{shown}`." if shown and not parameter.is_flag and not callable(shown) else ""
    return f"| {typed}{metavar} | {parameter.help}{default} |"


def _first_line(command: Any) -> str:
    return " ".join((command.help or "").split())


if __name__ == "__main__":
    for written in sys.argv[1:]:
        Path(written).write_text(page(), encoding="utf-8")
