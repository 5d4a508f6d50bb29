"""Commands that are imported when they are run: help and completion of words show their names and need none of them."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class Command:
    """Where a command is: "cli.plan:plan" is a function, or a Typer application with commands of its own."""

    place: str
    help: str
    """The first line of its description; a test holds the two together."""

    def load(self, name: str) -> Any:
        module, _, attribute = self.place.partition(":")
        found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            loaded = typer.main.get_command(found)
        else:
            app = typer.Typer(add_completion=False)
            app.command(name=name)(found)
            loaded = typer.main.get_command(app)
        loaded.name = name
        return loaded


class LazyGroup(TyperGroup):
    """A group whose commands are `lazy`, in order."""

    lazy: ClassVar[Mapping[str, Command]] = {}

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(self.lazy)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:  # noqa: ARG002
        """As much of it as a list of commands shows."""
        found = self.lazy.get(cmd_name)
        return TyperCommand(cmd_name, help=found.help, short_help=found.help) if found else None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, shown, rest = super().resolve_command(ctx, args)
        return name, self.lazy[name].load(name) if name else shown, rest
