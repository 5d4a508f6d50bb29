"""What people see on a terminal: snapshots of the screens at three widths and piped, and what holds of all of them.

`make snapshots` writes them anew; look at the difference before it is committed.
"""

import json
import os
import re
from pathlib import Path

import pytest
from rich.console import Console

from cli.table import Column, Output, give_rows, show
from tests.terminal_samples import IDS, KEYS, ROWS, SCREENS, drawn

SNAPSHOTS = Path(__file__).with_name("snapshots")
WIDTHS = (60, 80, 120)
ESCAPES = re.compile("\x1b\\[[0-9;]*m")
COLOURS = re.compile("\x1b\\[(?:[0-9;]*;)?(?:3[0-7]|9[0-7]|38|4[0-7])(?:;[0-9;]*)?m")
BEYOND = {"status-wide", "keys-wide", "workspaces-wide"}
"""Whole lines, whatever the width: a terminal folds them."""


def seen(screen: str, width: int | None) -> str:
    return ESCAPES.sub("", drawn(screen, width=width))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_the_screen_is_as_it_was_looked_at(screen: str, width: int | None) -> None:
    snapshot = SNAPSHOTS / f"{screen}-{width or 'piped'}.txt"
    if os.environ.get("REKEY_SNAPSHOTS") == "write":
        snapshot.write_text(seen(screen, width), encoding="utf-8")
    assert seen(screen, width) == snapshot.read_text(encoding="utf-8"), "look at it, then run `make snapshots`"


@pytest.mark.parametrize("screen", sorted({*SCREENS} - BEYOND))
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_longer_than_the_terminal(screen: str, width: int) -> None:
    assert max(map(len, seen(screen, width).splitlines())) <= width


@pytest.mark.parametrize("width", [*WIDTHS, None])
def test_an_id_is_never_cut_nor_wrapped(width: int | None) -> None:
    keys, status = seen("keys", width), seen("status", width)
    assert all(each in keys for each in (*IDS, IDS[0][::-1]))
    assert all(str(row["rotation_id"]) in status for row in ROWS)


def test_off_a_terminal_nothing_is_cut() -> None:
    piped = seen("status", None)
    assert "a-workspace-with-a-rather-long-name-of-its-own" in piped
    assert "…" not in piped


@pytest.mark.parametrize("screen", SCREENS)
def test_no_colour_where_none_is_wanted(screen: str) -> None:
    assert COLOURS.search(drawn(screen, width=120)) or screen in ("keys-wide", "plan")
    assert not COLOURS.search(drawn(screen, width=120, NO_COLOR="1"))
    assert "\x1b" not in drawn(screen, width=120, TERM="dumb")
    assert "\x1b" not in drawn(screen, width=None)


def test_what_forbids_a_plan_comes_first_and_is_red_and_there_is_no_next_command() -> None:
    lines = seen("plan-blocked", 120).splitlines()
    assert lines[2] == "Not possible now: 2 reasons"
    assert "\x1b[31m  ✗ use_cases" in drawn("plan-blocked", width=120)
    assert not any(each.startswith("Next:") for each in lines)
    assert seen("plan", 120).splitlines()[-1] == "Next: rekey rotate 1234567890123456"


def test_programs_get_numbers_and_moments_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    give_rows("rotations", ROWS, Output.JSON)
    (row, *_) = json.loads(capsys.readouterr().out)["rotations"]
    assert (row["workspace_id"], row["since"]) == (1234567890123456, "2026-11-21T20:24:00Z")
    give_rows("keys", KEYS["keys"], Output.CSV)
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.split(",")[:2] == ["key_arn", "state"]
    assert first.startswith(f"{KEYS['keys'][0]['key_arn']},current,")
    give_rows("rotations", [], Output.CSV)


def test_columns_go_in_their_order_and_an_id_outgrows_the_terminal_rather_than_be_cut() -> None:
    columns = [
        Column("id", lambda row: str(row["id"]), keeps=True),
        Column("first to go", lambda _: "x" * 20, keeps=True, goes=2),
        Column("then", lambda _: "y" * 20, keeps=True, goes=1),
    ]
    rows = [{"id": "z" * 30}]
    for width, left in ((80, "zxy"), (55, "zy"), (40, "z"), (20, "z")):
        console = Console(width=width, force_terminal=True, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
        show(rows, columns, Output.TEXT, console)
        line = console.export_text().splitlines()[1]
        assert "".join(sorted({*line} - {" "}, reverse=True)) == "".join(sorted(left, reverse=True))
        assert line.count("z") == 30
