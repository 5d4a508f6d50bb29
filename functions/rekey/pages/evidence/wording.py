"""How moments, durations, counts and values read on the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from rekey.base import clock, durations
from rekey.pages.evidence.html import Child, Markup, tag

OPERATIONS = {
    "add": ("Keys added", "Adding keys"),
    "rotate": ("Key rotated", "Key rotation"),
    "rotate_material": ("Key material renewed", "Renewing key material"),
    "revoke": ("Access to keys revoked", "Revoking access to keys"),
    "restore": ("Access to keys restored", "Restoring access to keys"),
    "create_workspace": ("Workspace created with its keys", "Creating a workspace with its keys"),
}
"""What was done, and how the trial is called when it failed."""

NOTHING = "—"

duration = durations.measured


def moment(written: str | None) -> Markup | str:
    """2026-11-21 20:07:31 UTC."""
    if not written:
        return NOTHING
    return tag("time", f"{_text(written)[:10]} {_text(written)[11:19]} UTC", datetime=written)


def time_of_day(written: str) -> str:
    """20:07:31"""
    return _text(written)[11:19]


def _text(written: str) -> str:
    return clock.text(clock.moment(written))


def code(value: str | None) -> Markup | str:
    """An id or an ARN, that may break anywhere."""
    return tag("code", value) if value else NOTHING


def name(value: str | None) -> Markup | str:
    """Something that people named: its own writing direction, nobody else's."""
    return tag("bdi", value) if value else NOTHING


def listed(items: Sequence[Child], **attributes: str) -> Markup:
    return tag("ul", [tag("li", each) for each in items], **attributes)


def facts(pairs: Sequence[tuple[str, Child]], **attributes: str) -> Markup:
    """A list of terms and what they are."""
    return tag("dl", [tag("div", tag("dt", term), tag("dd", what)) for term, what in pairs], **attributes)


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Child]], *, class_: str = "") -> Markup:
    """A table whose cells carry their column's name, so that a narrow screen can stack them."""
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in columns]))
    body = [
        tag(
            "tr",
            [
                tag("th", cell, scope="row", data_column=column) if n == 0 else tag("td", cell, data_column=column)
                for n, (column, cell) in enumerate(zip(columns, row, strict=True))
            ],
        )
        for row in rows
    ]
    return tag("table", tag("caption", caption), head, tag("tbody", body), class_=class_ or None)


def plain(value: Any) -> str:
    """A JSON value as a person reads it; long lists by their first items."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain(each)}" for key, each in value.items() if each is not None) or "nothing"
    if isinstance(value, list | tuple):
        shown = ", ".join(plain(each) for each in value[:8])
        return f"{shown} and {len(value) - 8:,} more" if len(value) > 8 else shown or "nothing"
    return str(value)
