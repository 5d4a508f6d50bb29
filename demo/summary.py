"""The summary that a person reads at the end."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.wording import counted, duration, short_key
from demo import compute
from demo.checks import Check
from demo.estate import Estate
from demo.evidence import shown
from demo.outcome import Outcome
from demo.result import Result

NOTHING = "-"


def summary(result: Result) -> RenderableType:
    """Keys, compute, downtime, what held, and where the evidence is."""
    return Group(*_parts(result))


def _parts(result: Result) -> Iterator[RenderableType]:
    yield from _section("Keys", _keys(result))
    yield from _section("Compute", _compute(result))
    yield from _section("Downtime", _downtime(result))
    yield from _section("Checks", _checks(result))
    if files := [file for each in result.outcomes for file in each.evidence_files]:
        yield from _section("Evidence", Group(*(Text(shown(each)) for each in files)))
    if result.estate:
        yield from _section("Estate", _estate(result.estate))
    yield Text()
    if result.held:
        yield Text("Both rotations succeeded, and all held.", style="bold green")
    else:
        yield Text("Not all held.", style="bold red")


def _estate(estate: Estate) -> RenderableType:
    lines = [Text(estate.told)]
    return Group(*lines, Text(shown(estate.page))) if estate.page else Group(*lines)


def _section(title: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Text(f"\n{title}", style="bold")
    yield Padding(body, (0, 0, 0, 2), expand=False)


def _grid(*headers: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="dim")
    for header in headers:
        table.add_column(header, justify="right" if header in right else "left")
    return table


def _keys(result: Result) -> RenderableType:
    table = _grid("", "", "before", "after")
    for outcome in result.outcomes:
        before, after = outcome.subject.before["keys"], outcome.after["keys"]
        for row, use_case in enumerate(before):
            title = outcome.subject.name if row == 0 else ""
            table.add_row(title, use_case, short_key(before[use_case]), short_key(after[use_case]))
    if not result.key:
        return table
    fate = f"The old {short_key(result.key.key_arn)} is {result.key.state}"
    return Group(table, Text(f"{fate}: {result.key.why}." if result.key.why else f"{fate}.", style="dim"))


def _compute(result: Result) -> RenderableType:
    table = _grid("", "stopped, and back", "left alone")
    for outcome in result.outcomes:
        off, serverless = compute.left_alone(outcome.subject.before)
        alone = [f"{off} off"] * bool(off) + [f"{serverless} serverless"] * bool(serverless)
        back = _counts(outcome.interrupted)
        missing = compute.differences(outcome.subject.before, outcome.after)
        table.add_row(outcome.subject.name, f"{back}; not all back" if missing else back, ", ".join(alone) or "nothing")
    return table


def _counts(interrupted: Mapping[str, int]) -> str:
    named = [counted(count, kind.removesuffix("s")) for kind, count in interrupted.items() if count]
    return ", ".join(named) or "nothing"


def _downtime(result: Result) -> RenderableType:
    numbers = ("downtime", "lower bound", "above it")
    table = _grid("", *numbers, right=numbers)
    for outcome in result.outcomes:
        table.add_row(outcome.subject.name, *_figures(outcome))
    times = f"{1 / result.scales.minute:g}"
    note = f"Simulated time, {times} times the real one: a Lambda's second of work on this machine counts as {times} s."
    return Group(table, Text(note, style="dim"))


def _figures(outcome: Outcome) -> list[str]:
    down, bound = outcome.downtime_seconds, outcome.subject.lower_bound_seconds
    above = down - bound if down is not None and outcome.status == "succeeded" else None
    return [
        NOTHING if down is None else duration(down),
        duration(bound),
        NOTHING if above is None else duration(above),
    ]


def _checks(result: Result) -> RenderableType:
    names = [each.subject.name for each in result.outcomes]
    table = _grid("", *names)
    for what in dict.fromkeys(check.what for check in result.checks):
        same = {check.workspace: check for check in result.checks if check.what == what}
        table.add_row(what, *(_mark(same.get(name) or same.get("")) for name in names))
    troubles = [_trouble(each) for each in result.checks if not each.held]
    return Group(table, *(Text(each, style="red") for each in troubles))


def _trouble(check: Check) -> str:
    whose = f"{check.workspace}: " if check.workspace else ""
    return f'{whose}"{check.what}" is not so: {check.trouble}'


def _mark(check: Check | None) -> Text:
    if check is None:
        return Text()
    return Text("✓", style="green") if check.held else Text("✗", style="bold red")
