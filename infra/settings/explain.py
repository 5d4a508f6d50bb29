"""A wrong setting, said so that whoever reads it knows what to give instead."""

from collections.abc import Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

PREFIX = "rekey:"

Fields = Mapping[str, FieldInfo]


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names it and says how to fix it."""


def explained(fields: Fields, invalid: ValidationError) -> SettingsError:
    """Every fault of the settings that have these fields, each in a line with its fix."""
    lines = []
    for error in invalid.errors(include_url=False):
        path = [str(part) for part in error["loc"]]
        field = _field(fields, path)
        name = ".".join(path)
        problem = error["msg"].removeprefix("Value error, ")
        if not name:
            lines.append(problem)
        elif field is None:
            lines.append(f"{PREFIX}{name}: there is no such setting; {_known(fields, path)}")
        elif error["type"] == "missing":
            default = "cdk.json has the default" if len(path) == 1 else "docs/tickets.md"
            lines.append(f"{PREFIX}{name}: missing; give {field.description} ({default})")
        else:
            lines.append(f"{PREFIX}{name}: {problem}; give {field.description}")
    return SettingsError("rekey's settings are wrong:\n  " + "\n  ".join(dict.fromkeys(lines)))


def _field(fields: Fields, path: Sequence[str]) -> FieldInfo | None:
    """The field that a fault is in: the innermost that has a description. None for one that there is not."""
    found = None
    for part in path:
        if part not in fields:
            return found if not fields else None
        found = fields[part]
        fields = _inside(found)
    return found


def _inside(field: FieldInfo) -> Fields:
    """The fields of a model inside a model; none of anything else."""
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind.model_fields
    return {}


def _known(fields: Fields, path: Sequence[str]) -> str:
    if len(path) == 1:
        return "docs/settings.md has them all"
    inside = _field(fields, path[:-1])
    return f"there are {', '.join(_inside(inside))}" if inside else "see docs/tickets.md"
