"""The matrix: which troubles befall which states of which operations, and one of them from beginning to end."""

import random
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.matrix.afterwards import PUBLISHED, REFUSED_USE
from tests.matrix.cloud import Cloud
from tests.matrix.columns import COLUMNS, FEW, TICKET_COLUMNS, WAITED_OUT, Column, at_calls, named
from tests.matrix.invariants import broken
from tests.matrix.run import KEY_CHECK, Run, Trouble, function_of, hearing
from tests.matrix.scenarios import SCENARIOS, Scenario
from tests.matrix.tickets import COMMENTS, LAMBDAS, SYSTEMS, TicketRun, broken_of

FULL = ("rotate", "add-managed-network", "rotate-reverted", "add-refused")
"""Scenarios whose states meet every column; the others' meet the few."""

BESIDES: Mapping[str, tuple[str, ...]] = {
    "rotate": (KEY_CHECK, PUBLISHED),
    "shared": (KEY_CHECK,),
    "needed": (KEY_CHECK, REFUSED_USE),
    "rotate-reverted": (PUBLISHED,),
}
"""What is at work beside executions and meets trouble too, by scenario."""

_OVER = ("Rotation failed", "Rotation not started")
_AFTER_AN_END = ("other.is-redriven", "other.is-redriven-twice", "other.asks-again", "other.asks-other")
_WITHOUT_DATABRICKS = (PUBLISHED, REFUSED_USE)

OWN = {
    "create": ("Create workspace", "Verify", "Complete rotation", "Roll back"),
    "material": ("Rotate key material", "Complete rotation"),
    "needed": (),
    "notebooks": ("List notebooks", "Renew batch"),
    "revoke": ("Revoke access", "Wait for cached data keys", "Complete rotation"),
    "restore": ("Restore access", "Complete rotation"),
    "approval": ("Wait for approval", "Wait for window"),
    "window": ("Wait for window", "Create key"),
    "drain": ("Pause triggers", "Wait for job runs to end"),
    "brought": ("Create key", "Set key policy", "Register key configuration", "Switch workspace key"),
}
"""Where these differ from the others."""

_AT_CALL = re.compile(r"(killed-before|killed-after|lost|refused|twice)-\d+")
_WAITS = ("Settle wait", "Settle wait after failure", "Wait for window", "Wait for approval")


@dataclass(frozen=True)
class Cell:
    """One trouble, at one state, of one scenario: "rotate/Verify/stale"."""

    scenario: str
    state: str
    column: str

    def __str__(self) -> str:
        return f"{self.scenario}/{self.state}/{self.column}"

    @property
    def passes(self) -> bool:
        """Whether the rotation must get over it, or the ticket without a person."""
        if self.scenario in SYSTEMS:
            waited_out = self.column.endswith(".10m") and not (
                self.scenario == "ticket-servicenow" and self.state != COMMENTS
            )
            return waited_out or self.column.endswith(".once") or bool(_AT_CALL.fullmatch(self.column))
        proven = self.state == "Complete rotation" and WAITED_OUT.fullmatch(self.column)
        return named(self.column).passes or bool(proven)

    @classmethod
    def parse(cls, text: str) -> "Cell":
        scenario, state, column = text.split("/", 2)
        cell = cls(scenario, state, column)
        cell.trouble  # noqa: B018, raises KeyError
        if scenario not in SCENARIOS and not (scenario in SYSTEMS and state in LAMBDAS):
            raise KeyError(f"{scenario}/{state}")
        return cell

    @property
    def trouble(self) -> Column:
        """Raises KeyError."""
        of_tickets = TICKET_COLUMNS.get(self.column) if self.scenario in SYSTEMS else None
        return of_tickets or named(self.column)


@dataclass(frozen=True)
class Result:
    """What came of a cell. `broken` has (invariant, what is wrong)."""

    cell: str
    broken: list[tuple[str, str]]
    seconds: float
    end: str
    applied: bool = True
    states: list[str] = field(default_factory=list)


def baseline(cloud: Cloud, scenario: Scenario) -> Run:
    """The scenario with no trouble but its own."""
    with hearing() as ears:
        run = Run(cloud, scenario, 0, ears=ears)
        run.to_rest()
        return run


def rows(run: Run) -> Iterator[str]:
    """The states of a baseline that troubles may begin in; on a way back those from Roll back on."""
    seen = list(dict.fromkeys(run.executions[0].states))
    if run.scenario.fails and "Roll back" in seen:
        seen = seen[seen.index("Roll back") :]
    own = OWN.get(run.scenario.name)
    for state in seen:
        if (own is None or state in own) and (function_of(state) or state in (*_WAITS, *_OVER)):
            yield state
    yield from BESIDES.get(run.scenario.name, ())


def columns(run: Run, state: str) -> Iterator[Column]:
    """Those that a row meets."""
    if state in _OVER:
        yield from (COLUMNS[each] for each in _AFTER_AN_END)
        return
    calls = run.calls.get(state, [])
    if state in _WITHOUT_DATABRICKS:
        yield from at_calls(calls)
        yield from (each for each in COLUMNS.values() if each.name.startswith(("aws.", "lambda.", "clock.")))
        return
    full = run.scenario.name in FULL
    yield from at_calls(calls if full else calls[:2])
    if full:
        yield from (each for each in COLUMNS.values() if ".events." not in each.name)
    else:
        yield from (COLUMNS[each] for each in FEW)


def all_cells(cloud: Cloud) -> Iterator[Cell]:
    """Every cell that applies, scenario by scenario."""
    for scenario in SCENARIOS.values():
        run = baseline(cloud, scenario)
        for state in rows(run):
            for column in columns(run, state):
                if function_of(state) or not column.name.startswith(("killed", "lost", "refused", "twice", "lambda")):
                    yield Cell(scenario.name, state, column.name)
    yield from _ticket_cells(cloud)


def _ticket_cells(cloud: Cloud) -> Iterator[Cell]:
    for name, provider in SYSTEMS.items():
        for state in LAMBDAS:
            with hearing() as ears:
                quiet = TicketRun(cloud, provider, state, ears=ears)
                quiet.to_rest()
            for column in (*at_calls(quiet.calls), *TICKET_COLUMNS.values()):
                yield Cell(name, state, column.name)


def _run_ticket_cell(cloud: Cloud, cell: Cell) -> Result:
    began = time.process_time()
    with hearing() as ears:
        run = TicketRun(cloud, SYSTEMS[cell.scenario], cell.state, cell.trouble.begin, ears=ears)
        run.to_rest()
        found = broken_of(run, passes=cell.passes)
    answers = ", ".join(str(status) for status, _ in [*run.answers, *run.later])
    end = f"answered {answers}" if answers else f"{len(run.ticket.comments)} comments, {len(run.untold)} set aside"
    return Result(str(cell), found, time.process_time() - began, end)


def run_cell(cloud: Cloud, cell: Cell, seed: int = 0) -> Result:
    if cell.scenario in SYSTEMS:
        return _run_ticket_cell(cloud, cell)
    began = time.process_time()
    with hearing() as ears:
        trouble = Trouble(cell.state, cell.trouble.begin, cell.passes)
        run = Run(cloud, SCENARIOS[cell.scenario], seed, [trouble], ears=ears)
        run.to_rest()
        found = broken(run)
    return result_of(str(cell), run, found, time.process_time() - began)


def result_of(name: str, run: Run, found: list[tuple[str, str]], seconds: float) -> Result:
    execution = run.executions[0]
    end = f"{execution.status} {execution.error or ''}".strip()
    return Result(name, found, seconds, end, bool(run.begun), execution.states)


def sample(cells: list[Cell], number: int, seed: int) -> list[Cell]:
    """So many of them, in their order: a row's cells run together."""
    chosen = random.Random(seed).sample(range(len(cells)), min(number, len(cells)))
    return [cells[each] for each in sorted(chosen)]
