"""Tables for people and for programs: an id is never cut or wrapped, and off a terminal nothing is."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

GAP = 2
SHORT, SHORTEST = 12, 8
"""Characters that a column which gives way keeps while others can go, and in the end."""

Row = Mapping[str, Any]


class Output(StrEnum):
    """How a table is printed."""

    TEXT = "text"
    WIDE = "wide"
    JSON = "json"
    CSV = "csv"


As = Annotated[
    Output,
    typer.Option("--output", "-o", help="text, wide (every column, whole), json or csv.", metavar="FORM"),
]


@dataclass(frozen=True)
class Column:
    """One column. `shown` makes the cell of a row."""

    title: str
    shown: Callable[[Row], str]
    keeps: bool = False
    """Never cut: an id, or a number."""
    firm: bool = False
    """Cut only when nothing else can be."""
    wide: bool = False
    """Only in the wide form."""
    goes: int = 0
    """Which columns go first where a terminal is too narrow: the highest; 0 never goes."""
    style: Callable[[Row], str] = lambda _: ""


def console() -> Console:
    """Standard output. No colours where it is no terminal, where NO_COLOR is set or the terminal is dumb."""
    return Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


def show(rows: Sequence[Row], columns: Sequence[Column], output: Output, to: Console) -> None:
    """A table as text. One line a row; a terminal that is too narrow loses columns and ends of names, never of ids."""
    wide = output == Output.WIDE
    for line in lines(rows, columns, wide=wide, room=to.width if to.is_terminal and not wide else None):
        to.print(line, soft_wrap=True)


def lines(rows: Sequence[Row], columns: Sequence[Column], *, wide: bool = False, room: int | None = None) -> list[Text]:
    """The table's lines, its head first, in so many characters; None is as many as it takes."""
    shown = [each for each in columns if wide or not each.wide]
    cells = [[each.shown(row) for each in shown] for row in rows]
    widths = [max(len(each.title), *(len(line[n]) for line in cells)) for n, each in enumerate(shown)]
    if room is not None:
        widths = _fitted(shown, widths, room)
    made = [_line([Text(each.title.upper(), style="bold") for each in shown], widths)]
    for row, line in zip(rows, cells, strict=True):
        texts = [Text(cell, style=each.style(row)) for cell, each in zip(line, shown, strict=True)]
        made.append(_line(texts, widths))
    return made


def tell(prose: Iterable[Text], to: Console) -> None:
    """Lines of prose: on a terminal folded, elsewhere whole."""
    for line in folded(prose, to, to.width) if to.is_terminal else prose:
        to.print(line, soft_wrap=True)


def folded(prose: Iterable[Text], to: Console, room: int) -> Iterator[Text]:
    """Folded between words, what follows a little to the right."""
    for line in prose:
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        if len(line.plain) <= room:
            yield line
            continue
        hanging = " " * (indent + 2)
        first, *others = line.wrap(to, room - len(hanging))
        first.rstrip()
        yield first
        for other in others:
            other.rstrip()
            yield Text(hanging).append_text(other)


def give_rows(name: str, rows: Sequence[Row], output: Output, **more: Any) -> None:
    """For programs: {name: [...]} as one line of JSON, or the rows as CSV, whose lists are joined by blanks."""
    if output == Output.JSON:
        typer.echo(json.dumps({name: list(rows), **more}))
        return
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _flat(value) for key, value in row.items()} for row in rows)
    typer.echo(written.getvalue(), nl=False)


def _fitted(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Widths that fit; 0 for a column that goes. Ids keep theirs even where the line is longer than the terminal."""
    fitted = list(widths)
    going = sorted((each.goes, n) for n, each in enumerate(columns) if each.goes)
    while _length(_shrunk(columns, fitted, room, SHORT)) > room and going:
        fitted[going.pop()[1]] = 0
    return _shrunk(columns, _shrunk(columns, fitted, room, SHORT), room, SHORTEST)


def _shrunk(columns: Sequence[Column], widths: Sequence[int], room: int, least: int) -> list[int]:
    """The widest of what may be cut gives way first."""
    shrunk = list(widths)
    while _length(shrunk) > room:
        soft = [n for n, each in enumerate(columns) if not each.keeps and shrunk[n] > max(least, len(each.title))]
        softest = [n for n in soft if not columns[n].firm] or (soft if least == SHORTEST else [])
        if not softest:
            break
        shrunk[max(softest, key=lambda n: shrunk[n])] -= 1
    return shrunk


def _length(widths: Sequence[int]) -> int:
    there = [each for each in widths if each]
    return sum(there) + GAP * (len(there) - 1)


def _line(texts: Sequence[Text], widths: Sequence[int]) -> Text:
    cells = [(text, width) for text, width in zip(texts, widths, strict=True) if width]
    for text, width in cells:
        text.truncate(width, overflow="ellipsis")
    line = Text()
    for n, (text, width) in enumerate(cells):
        line.append_text(text)
        if n < len(cells) - 1:
            line.append(" " * (width - len(text.plain) + GAP))
    return line


def _flat(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else value
