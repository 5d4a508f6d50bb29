"""Options that several commands share, as dataclasses: a command takes `where: Where`, a person types --profile."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each parameter that is a dataclass spread out: one option for each of its fields.

    Fields are `Annotated[..., typer.Option(...)]` and have defaults.
    """
    signature, hints = inspect.signature(command), get_type_hints(command, include_extras=True)
    groups = {name: hints[name] for name in signature.parameters if is_dataclass(hints[name])}
    plain = [each.replace(annotation=hints[name]) for name, each in signature.parameters.items() if name not in groups]
    spread = [option for group in groups.values() for option in _options(group)]

    @wraps(command)
    def run(**given: Any) -> None:
        objects = {
            name: group(**{each.name: given.pop(each.name) for each in fields(group)}) for name, group in groups.items()
        }
        command(**given, **objects)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*plain, *spread)]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(group)
    ]
