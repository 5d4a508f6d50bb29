"""The columns: every kind of trouble by name, and how it begins in the moment in which a state is entered."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.databricks.faults import Match, Order
from tests.matrix.boundary import Call
from tests.matrix.execution import TaskError
from tests.matrix.faults import (
    ANSWERS,
    AWS_SERVICES,
    DURATIONS,
    FOR_GOOD,
    SCOPES,
    TICKET_SERVICES,
    Answering,
    AtCall,
    AwsTrouble,
    Hanging,
    Twice,
    answering,
    kill,
    lose,
    refuse_once,
)
from tests.matrix.others import OTHERS
from tests.matrix.run import Run

WAITED_OUT = re.compile(
    r"databricks\.(401|403|429|500|503|reset|html)\.\w+\.(30s|5m|10m|2h)|databricks\.hangs\.\w+|aws\.\w+\.\w+\.(10m|2h)"
    r"|lambda\.[\w.]+\.(5m|1h)"
)
"""What also keeps no rotation from ending well whose change is proven already."""

Begin = Callable[[Any, str], None]
"""Begins a trouble when a run, of a rotation or of a ticket, enters a state, whose Lambda is named."""


@dataclass(frozen=True)
class Column:
    """`passes` says that a rotation gets over it: slow is not failed, and a single call proves nothing."""

    name: str
    begin: Begin

    @property
    def passes(self) -> bool:
        return bool(_PASSES.fullmatch(self.name))


_PASSES = re.compile(
    r"databricks\.(429|500|503|reset)\.(once|all\.(30s|5m|10m))|databricks\.hangs\.10m"
    r"|aws\.(throttled|away)\.\w+\.once|(killed-before|killed-after|lost|refused|twice)-\d+|stale|clock\.\w+"
    r"|other\.(deletes-\w+|starts-cluster|asks-\w+|keeps-it-busy)"
)


def _until(run: Run, duration: str) -> float:
    return run.cloud.clock.now() + DURATIONS[duration]


def _databricks(kind: str, scope: str, duration: str, run: Run, _: str) -> None:
    answering(run.cloud, kind, SCOPES[scope], _until(run, duration))


def _databricks_once(kind: str, run: Run, _: str) -> None:
    answering(run.cloud, kind, ("*/api/*",), float("inf"), times=1)


def _one_object(kind: str, run: Run, _: str) -> None:
    """Everything that is asked of one cluster, for as long as anybody asks."""
    cluster = run.one_cluster()
    for match in (Match(body=cluster), Match(query=cluster)):
        order = Order(match=match, times=None, **ANSWERS[kind])
        at = run.cloud.simulator.faults
        run.cloud.boundary.faults.append(Answering(run.cloud.clock, at, [order], _until(run, "good")))


def _hangs(duration: str, run: Run, _: str) -> None:
    run.cloud.boundary.faults.append(Hanging(run.cloud.clock, _until(run, duration)))


def _aws(kind: str, service: str, duration: str, run: Run, _: str) -> None:
    trouble = AwsTrouble(run.cloud.clock, kind, AWS_SERVICES[service], _until(run, duration))
    run.cloud.boundary.faults.append(trouble)


def _aws_once(kind: str, service: str, run: Run, _: str) -> None:
    trouble = AwsTrouble(run.cloud.clock, kind, AWS_SERVICES[service], float("inf"), times=1)
    run.cloud.boundary.faults.append(trouble)


def _never_starts(error: str, duration: str, run: Run, function: str) -> None:
    run.cloud.lambdas.refused[function] = TaskError(error, "")
    run.cloud.timeline.at(_until(run, duration), lambda: run.cloud.lambdas.refused.pop(function, None))


def _stale(run: Run, _: str) -> None:
    run.cloud.simulator.faults.add(Order(match=Match(method="GET", path="/workspaces/"), fault="stale", times=3))


def _reverts(run: Run, _: str) -> None:
    order = Order(match=Match(method="PATCH"), fault="silent_revert", visible_seconds=60, times=1)
    run.cloud.simulator.faults.add(order)


def _skewed(seconds: float, run: Run, _: str) -> None:
    run.cloud.skew = seconds


def _other(name: str, run: Run, _: str) -> None:
    OTHERS[name](run)


def _twice(number: int, run: Run, function: str) -> None:
    fault = Twice(run.cloud, function, number)
    run.cloud.boundary.faults.append(fault)
    run.cloud.lambdas.before = lambda name, payload: (
        setattr(fault, "payload", payload) if name == function and not fault.busy else None
    )


_AT_CALL: Mapping[str, tuple[str, Callable[[Call], None]]] = {
    "killed-before": ("before", kill),
    "killed-after": ("after", kill),
    "lost": ("after", lose),
    "refused": ("before", refuse_once),
}


def _at_call(what: str, number: int, run: Run, function: str) -> None:
    when, happens = _AT_CALL[what]
    run.cloud.boundary.faults.append(AtCall(function, number, when, happens))


def at_calls(numbers: list[int]) -> Iterator[Column]:
    """Those of one state, by the numbers of its Lambda's calls that change something."""
    for number in numbers:
        for what in _AT_CALL:
            yield Column(f"{what}-{number}", partial(_at_call, what, number))
    for number in sorted({0, numbers[len(numbers) // 2], numbers[-1]}) if numbers else [0]:
        yield Column(f"twice-{number}", partial(_twice, number))


def named(name: str) -> Column:
    """A column by its name, also one that is made for a state. Raises KeyError."""
    if match := re.fullmatch(r"(.+)-(\d+)", name):
        what, number = match[1], int(match[2])
        return Column(name, partial(_twice, number) if what == "twice" else partial(_at_call, what, number))
    return COLUMNS.get(name) or TICKET_COLUMNS[name]


def _all() -> Iterator[Column]:
    for kind in ANSWERS:
        yield Column(f"databricks.{kind}.once", partial(_databricks_once, kind))
        for duration in ("30s", "5m", "10m", "2h", "6h"):
            yield Column(f"databricks.{kind}.all.{duration}", partial(_databricks, kind, "all", duration))
    for kind in ("401", "403", "503"):
        for scope in ("account", "token", "workspace", "compute"):
            for duration in ("10m", "2h"):
                yield Column(f"databricks.{kind}.{scope}.{duration}", partial(_databricks, kind, scope, duration))
    for kind in ("403", "503"):
        yield Column(f"databricks.{kind}.all.good", partial(_databricks, kind, "all", "good"))
    for kind in ("403", "429", "500"):
        yield Column(f"databricks.{kind}.one-cluster.good", partial(_one_object, kind))
    for duration in ("10m", "2h"):
        yield Column(f"databricks.hangs.{duration}", partial(_hangs, duration))
    for kind in ("throttled", "denied", "away"):
        for service in AWS_SERVICES:
            yield Column(f"aws.{kind}.{service}.once", partial(_aws_once, kind, service))
            for duration in ("10m", "2h", "6h"):
                yield Column(f"aws.{kind}.{service}.{duration}", partial(_aws, kind, service, duration))
    for error in ("Runtime.ExitError", "Lambda.TooManyRequestsException"):
        for duration in ("5m", "1h", "good"):
            yield Column(f"lambda.{error}.{duration}", partial(_never_starts, error, duration))
    yield Column("stale", _stale)
    yield Column("reverts", _reverts)
    yield Column("clock.fast", partial(_skewed, 300.0))
    yield Column("clock.slow", partial(_skewed, -300.0))
    for name in OTHERS:  # What comes after an end has a row of its own.
        yield Column(f"other.{name}", partial(_other, name))


COLUMNS = {each.name: each for each in _all()}


def _ticket_system(kind: str, duration: str, run: Any, _: str) -> None:
    """The ticket system answers so; where it is asked by its side door nobody is disturbed."""
    once = duration == "once"
    order = Order(match=Match(path="*"), times=1 if once else None, **ANSWERS[kind])
    until = float("inf") if once else _until(run, duration)
    run.cloud.boundary.faults.append(Answering(run.cloud.clock, run.cloud.tickets.faults, [order], until))


def _aws_of_tickets(kind: str, service: str, duration: str, run: Any, _: str) -> None:
    until, times = (float("inf"), 1) if duration == "once" else (_until(run, duration), None)
    trouble = AwsTrouble(run.cloud.clock, kind, TICKET_SERVICES[service], until, times=times)
    run.cloud.boundary.faults.append(trouble)


def _of_tickets() -> Iterator[Column]:
    for kind in ANSWERS:
        for duration in ("once", "10m", "2h", "6h", "good"):
            yield Column(f"tickets.{kind}.{duration}", partial(_ticket_system, kind, duration))
    for duration in ("10m", "2h"):
        yield Column(f"tickets.hangs.{duration}", partial(_hangs, duration))
    for kind in ("throttled", "denied", "away"):
        for service in TICKET_SERVICES:
            for duration in ("once", "10m", "2h", "6h"):
                yield Column(f"aws.{kind}.{service}.{duration}", partial(_aws_of_tickets, kind, service, duration))
    yield from (each for each in COLUMNS.values() if each.name.startswith(("lambda.", "clock.")))


TICKET_COLUMNS = {each.name: each for each in _of_tickets()}
"""What befalls tickets. `named` takes those of a rotation first: a name in both means the same services there."""

FEW = (
    *("databricks.401.token.10m", "databricks.503.all.2h", "databricks.403.all.10m", "databricks.429.all.5m"),
    *("aws.away.dynamodb.10m", "aws.denied.s3.2h", "aws.throttled.kms.10m", "lambda.Runtime.ExitError.good"),
    *(
        "other.aborts",
        "other.aborts-and-redrives",
        "other.cancels",
        "other.asks-again",
        "other.takes-admin-right",
        "stale",
        "clock.fast",
    ),
)
"""For the rows that share their states with another scenario's."""

assert max(DURATIONS[each] for each in ("6h", "2h")) < FOR_GOOD
