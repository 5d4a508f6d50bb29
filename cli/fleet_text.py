"""How a fleet reads on a terminal: its plan, where it is, who failed and why, and what to do next. 80 columns."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.text import Text

from cli.table import Column, Output, Row, lines, show, tell
from cli.wording import ago, counted, roughly
from rekey.base.clock import in_words
from rekey.model.fleet import FLEET_ENDS, FleetLook, FleetPlan, FleetReport, Member, Standing
from rekey.pages.fleet.rows import WORDS

SHOWN = 10
"""Of those that failed; `rekey fleet report` has all."""

_STYLES = {
    "succeeded": "green",
    **dict.fromkeys(("incomplete", "stopped", "failed"), "bold red"),
    **dict.fromkeys(("cancelled", "declined", "planned", "running"), "yellow"),
}


def show_status(report: FleetReport, to: Console, now: datetime, typed: str = "") -> None:
    """Where the fleet is. The first two lines say it all."""
    begun = ago(datetime.fromisoformat(report.created_at), now)
    head = Text(f"Fleet {report.name}: ").append(report.status, style=_STYLES[report.status]).append(f", asked {begun}")
    tell([head, Text(report.said), Text()], to)
    show(_waves(report), WAVES, Output.TEXT, to)
    tell(_lists(report), to)
    tell([Text(), Text(_next(report, typed))], to)


def waves(look: FleetLook, room: int) -> list[Text]:
    """The table of its waves: those that have begun, and the one that comes next."""
    begun = [row for row in _waves(look) if row["wave"] <= look.wave + 1]
    return lines(begun, WAVES, room=room)


def show_plan(plan: FleetPlan, to: Console, next_command: str = "") -> None:
    """What forbids a rotation first, then the waves."""
    counts, wish = plan.counts(), plan.request.fleet
    forbidden = [each for each in plan.members if each.forbidden]
    said = [Text(f"{counted(len(forbidden), 'rotation')} left out:", style="bold red")] if forbidden else []
    for each in forbidden[:SHOWN]:
        said += [
            Text(f"  {each.workspace_name} ({each.workspace_id})"),
            Text(f"    {each.forbidden[0].splitlines()[0]}"),
        ]
    if len(forbidden) > SHOWN:
        said.append(Text(f"  and {len(forbidden) - SHOWN} more"))
    going = f"{counted(counts['rotations'], 'rotation')} in {counted(plan.waves, 'wave')}"
    said += (
        [Text(), Text(f"Fleet {plan.request.name}: {going}")] if said else [Text(f"Fleet {plan.request.name}: {going}")]
    )
    tell([*said, Text()], to)
    show([_planned(number, plan.wave(number)) for number in range(1, plan.waves + 1)], PLANNED, Output.TEXT, to)
    tell([Text(), *map(Text, _rules(plan, wish.concurrency, wish.max_failed_percent, wish.ask))], to)
    if next_command:
        tell([Text(), Text(f"To start it: {next_command}")], to)


def _planned(number: int, members: Sequence[Member]) -> Row:
    names = [each.workspace_name for each in members]
    down = [each.expected_downtime_seconds for each in members if each.expected_downtime_seconds]
    took = [each.expected_seconds for each in members if each.expected_seconds]
    return {
        "wave": number,
        "rotations": len(members),
        "longest": roughly(max(took)) if took else "-",
        "downtime": roughly(max(down)) if down else "none",
        "workspaces": ", ".join(dict.fromkeys(names)),
    }


def _rules(plan: FleetPlan, at_once: int, most: int, ask: str) -> Iterator[str]:
    yield f"{at_once} at once. A wave of which more than {most} % fail is the last one."
    if ask != "never":
        yield f"A person is asked after {'every wave' if ask == 'always' else 'the first wave'}."
    if shared := sum(each.takes_key_of is not None for each in plan.members):
        yield f"{counted(shared, 'workspace')} will share the new key of another, as they share one now."
    if renewed := plan.counts()["renewed_with_another"]:
        yield f"{counted(renewed, 'workspace')} on a key that another one's rotation renews."
    if held := sum(each.held_by is not None for each in plan.members):
        yield f"{counted(held, 'workspace')} held by another rotation now, and put last."
    if plan.inventory_of:
        yield f"Ages are those of the inventory of {in_words(plan.inventory_of)}."


def _waves(look: FleetReport | FleetLook) -> list[Row]:
    return [_wave(look, each.number, each.outcomes) for each in look.waves]


def _wave(look: FleetReport | FleetLook, number: int, outcomes: Mapping[str, int]) -> Row:
    at = "now" if number == look.wave and look.status not in FLEET_ENDS else ""
    return {"wave": number, "at": at, "all": sum(outcomes.values()), **{each: outcomes.get(each, 0) for each in WORDS}}


def _number(*names: str) -> Column:
    return Column(names[0], lambda row: _shown(sum(row[each.replace(" ", "_")] for each in names)), keeps=True)


def _shown(number: int) -> str:
    return str(number) if number else "-"


WAVES = (
    Column("wave", lambda row: f"{row['wave']} {row['at']}".strip(), keeps=True),
    Column("of", lambda row: str(row["all"]), keeps=True),
    _number("succeeded", "needs attention"),
    Column(
        "failed",
        lambda row: _shown(sum(row[each] for each in ("failed", "refused", "skipped", "cancelled"))),
        keeps=True,
        style=lambda row: "red" if row["failed"] or row["refused"] else "",
    ),
    Column("goes on", lambda row: _shown(row["running"]), keeps=True),
    Column("not begun", lambda row: _shown(row["waiting"]), keeps=True),
)
PLANNED = (
    Column("wave", lambda row: str(row["wave"]), keeps=True),
    Column("of", lambda row: str(row["rotations"]), keeps=True),
    Column("longest", lambda row: str(row["longest"]), keeps=True),
    Column("downtime", lambda row: str(row["downtime"]), keeps=True),
    Column("workspaces", lambda row: str(row["workspaces"])),
)


def _lists(report: FleetReport) -> Iterator[Text]:
    worst = [each for each in report.rotations if each.outcome in ("failed", "refused", "skipped", "cancelled")]
    yield from _list("Did not succeed:", worst, "red")
    yield from _list("Needs attention:", [e for e in report.rotations if e.outcome == "needs_attention"], "yellow")
    left_out = sum(each.outcome == "forbidden" for each in report.rotations)
    if left_out:
        yield Text()
        yield Text(f"{counted(left_out, 'rotation')} left out as forbidden.")


def _list(title: str, found: Sequence[Standing], style: str) -> Iterator[Text]:
    if not found:
        return
    yield Text()
    yield Text(title, style=f"bold {style}")
    for each in found[:SHOWN]:
        yield Text(f"  {each.workspace_name} ({each.workspace_id}): {WORDS[each.outcome]}")
        yield Text(f"    {each.why}" if each.why else f"    rekey status {each.rotation_id}")
    if len(found) > SHOWN:
        yield Text(f"  and {len(found) - SHOWN} more")


def _next(report: FleetReport, typed: str) -> str:
    if report.waits_for:
        return f"Next: rekey fleet approve {report.name}{typed}"
    if report.bad:
        return f"Next: rekey status {report.bad[0].rotation_id}{typed}"
    if report.status in FLEET_ENDS:
        return f"All of it: rekey fleet report {report.name}{typed}"
    return f"Next: rekey fleet status {report.name}{typed} again; rekey fleet cancel {report.name}{typed} ends it"
