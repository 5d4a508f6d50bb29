"""The summary that a person reads at the end."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.wording import counted, duration, short_key
from local.demo import compute
from local.demo.evidence import shown
from local.demo.outcome import Outcome, Result
from local.demo.rotations import describe


def summary(result: Result) -> RenderableType:
    """Keys, compute, downtime, what held, and where the evidence is."""
    return Group(*_parts(result))


def _parts(result: Result) -> Iterator[RenderableType]:
    yield from _section("Keys", _keys(result))
    yield from _section("Compute", _compute(result))
    yield from _section("Downtime", _downtime(result))
    yield from _section("Checks", _checks(result))
    if files := [each.evidence_file for each in result.outcomes if each.evidence_file]:
        yield from _section("Evidence", Group(*(Text(shown(each)) for each in files)))
    yield Text()
    if result.held:
        yield Text("Both rotations succeeded, and all held.", style="bold green")
    else:
        failed = [check.what for check in result.checks if not check.held]
        yield Text(f"Not all held: {'; '.join(failed)}", style="bold red")


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
        alone = [f"{off} that were off"] * bool(off) + [f"{serverless} serverless"] * bool(serverless)
        back = _counts(outcome.interrupted)
        missing = compute.differences(outcome.subject.before, outcome.after)
        table.add_row(outcome.subject.name, f"{back}; not all back" if missing else back, ", ".join(alone) or "nothing")
    return table


def _counts(interrupted: Mapping[str, int]) -> str:
    named = [counted(count, kind.removesuffix("s")) for kind, count in interrupted.items() if count]
    return ", ".join(named) or "nothing"


def _downtime(result: Result) -> RenderableType:
    numbers = ("downtime", "lower bound", "above it", "of that, calls")
    table = _grid("", *numbers, right=numbers)
    for outcome in result.outcomes:
        table.add_row(outcome.subject.name, *_figures(outcome))
    return Group(
        table,
        Text(
            f"In the story's time: {describe(result.scales)}. The calls are the Lambdas' own work: it takes the time it "
            "takes on this machine, and only looks long in the story.",
            style="dim",
        ),
    )


def _figures(outcome: Outcome) -> list[str]:
    bound = outcome.subject.lower_bound_seconds
    if outcome.downtime_seconds is None:
        return ["–", duration(bound), "–", "–"]
    above = outcome.downtime_seconds - bound
    return [duration(outcome.downtime_seconds), duration(bound), duration(above), duration(outcome.calls_seconds)]


def _checks(result: Result) -> RenderableType:
    table = _grid("", "")
    table.show_header = False
    for check in result.checks:
        mark = Text("✓", style="green") if check.held else Text("✗", style="bold red")
        table.add_row(mark, check.what)
    return table
