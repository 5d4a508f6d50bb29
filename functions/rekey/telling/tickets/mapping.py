"""Which of the ticket's fields feeds which field of the request: JMESPath, over the ticket as it was read back."""

from collections.abc import Mapping
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError

from rekey.base.errors import InvalidRequest
from rekey.model.fleet_request import FleetRequest, parse_fleet_request
from rekey.model.request import Request, parse_request
from rekey.telling.tickets.errors import Unusable

MAPPABLE = frozenset(Request.model_fields) - {"request_id", "ticket", "dry_run", "alone"}
"""The first two come from the ticket itself; of a dry run a ticket would hear nothing; it breaks no glass."""

_NOTHING: tuple[object, ...] = (None, "", [], {})


class AmbiguousName(Exception):
    """Several fields of a ticket have this name, and different values; its text names their ids."""


class _Named(dict[str, Any]):
    """Fields by name; only a name that is asked for can be ambiguous."""

    def __init__(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__({name: next(iter(of.values()), None) for name, of in values.items()})
        self._values = values

    def get(self, name: Any, default: Any = None) -> Any:
        """As JMESPath looks a field up. Raises AmbiguousName."""
        of = self._values.get(name, {})
        if any(value != self[name] for value in of.values()):
            raise AmbiguousName(f'the fields {" and ".join(of)} are all named "{name}" and say different things')
        return super().get(name, default)


def by_name(fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A ticket's fields under the names that people see: `fields` by id, `names` of ids.

    A system may have several fields of one name (Jira does): those that are filled in count.
    """
    filled: dict[str, dict[str, Any]] = {names[each]: {} for each in fields if each in names}
    for each, value in fields.items():
        if each in names and not _is_nothing(value):
            filled[names[each]][each] = value
    return _Named(filled)


def _is_nothing(value: Any) -> bool:
    return any(value is nothing or value == nothing for nothing in _NOTHING)


class _Functions(functions.Functions):
    """What ticket systems' fields need beyond JMESPath's own functions."""

    @functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_split(self, text: str | None, separator: str) -> list[str]:
        """split(u_key_use_cases.value, ','): a list from a list field's text."""
        return [each.strip() for each in (text or "").split(separator) if each.strip()]

    @functions.signature({"types": ["string", "null"]})
    def _func_utc(self, text: str | None) -> str | None:
        """utc(start_date.value): ServiceNow's "2026-11-30 21:00:00", which is in UTC, as ISO 8601."""
        return f"{text.strip().replace(' ', 'T')}Z" if text and text.strip() else None

    @functions.signature({"types": ["string", "number", "null"]})
    def _func_whole(self, value: str | float | None) -> str | float | int | None:
        """whole(field): a number from text, or from a number field, which Jira keeps as a double.

        Doubles are exact up to 2^53 only: what is beyond is left as it is, and refused as no whole number.
        """
        if isinstance(value, str):
            return int(value) if value.strip().isascii() and value.strip().isdigit() and len(value) < 25 else value
        exact = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
        return int(value) if exact and value is not None else value


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def make_request(
    document: Mapping[str, Any], mapping: Mapping[str, str], provider: str, key: str
) -> tuple[dict[str, Any], Request | FleetRequest]:
    """The request as JSON, and checked. Raises Unusable with a line for each fault: field, problem, fix."""
    found = {name: _look(document, name, path) for name, path in mapping.items() if path}
    if isinstance(fleet := found.get("fleet"), dict):
        # An expression that makes an object makes one of every ticket: without any selector it is no fleet's.
        found["fleet"] = {name: value for name, value in fleet.items() if not _is_nothing(value)}
    asked = {
        **{name: value for name, value in found.items() if not _is_nothing(value)},
        "request_id": f"{provider}:{key}",
        "ticket": {"provider": provider, "key": key},
    }
    try:
        return asked, parse_fleet_request(asked) if "fleet" in asked else parse_request(asked)
    except InvalidRequest as error:
        raise Unusable(str(error)) from None


def _look(document: Mapping[str, Any], name: str, path: str) -> Any:
    try:
        return jmespath.search(path, document, options=_OPTIONS)
    except AmbiguousName as error:
        raise Unusable(
            f"{name}: {error}. Fix: empty all but one of them, or map {name} to one by its id in rekey:tickets."
        ) from None
    except JMESPathError:
        raise Unusable(
            f"{name}: its mapping does not fit this ticket. Fix: fill in the ticket's field, "
            f"or have the mapping in rekey:tickets fixed."
        ) from None
