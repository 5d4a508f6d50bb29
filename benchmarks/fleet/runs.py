"""One fleet, from its request to its report, and what it is held against."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from benchmarks import prices
from benchmarks.fleet import bound
from benchmarks.fleet.account import AccountRequests, counted, turned_away
from benchmarks.fleet.estate import KINDS, Kind, kind_of
from benchmarks.fleet.overlap import Containers, SideBySide, side_by_side
from benchmarks.rotations import MEMORY_MB
from infra.memory import memory_mb
from local.databricks.settings import Latencies, Limits, RateLimit
from rekey.model.fleet import FleetPlan, Member, plan_key
from rekey.model.fleet_request import MOST_AT_ONCE
from tests.matrix.execution import Execution
from tests.matrix.fleets import Fleets
from tests.matrix.quotas import Quotas

NAME = "bench"
WAVES = (1, 5, 25, 100)

KEYS_MADE = "CreateKey"


@dataclass(frozen=True)
class Measured:
    """One fleet. Seconds are virtual, but for the last ones."""

    workspaces: int
    rotations: int
    concurrency: int
    waves: int
    outcomes: dict[str, int]
    alone_seconds: dict[str, float]
    """A workspace's rotations alone, by kind."""
    bound_seconds: float
    planning_seconds: float
    rotating_seconds: float
    """From the first wave's opening to the last one's verdict."""
    seconds: float
    """From the request to the report."""
    times_the_bound: float
    """The whole of it."""
    account_requests: int
    account_requests_a_rotation: float
    account_by_endpoint: dict[str, int]
    account_by_lambda: dict[str, int]
    account_lists: int
    account_tokens: int
    account_most_in_1_second: int
    account_a_second_in_10: float
    """The busiest ten seconds."""
    account_busiest: dict[str, int]
    """What they were asked for, by endpoint."""
    account_busiest_at: float
    """Seconds from the request until they began."""
    account_busiest_turned_away: int
    account_a_second: float
    account_limit: float | None
    account_turned_away: int
    kms_requests: int
    turned_away: dict[str, int]
    """By AWS, by operation."""
    retries: int
    transitions: int
    invocations: int
    lambda_seconds: float
    lambda_gb_seconds: float
    lambdas_at_once: int
    containers: int
    dollars: float
    dollars_a_workspace: float
    unreadable: int
    violations: int
    real_seconds: float
    wave_seconds: list[float] = field(default_factory=list)
    wave_bounds: list[float] = field(default_factory=list)
    not_well: list[str] = field(default_factory=list)
    """Of what did not succeed: which, how it stands, and why."""


def measure(workspaces: int, concurrency: int = MOST_AT_ONCE, account_limit: float | None = None) -> Measured:
    """Raises RuntimeError where a rotation alone does not succeed."""
    began = time.monotonic()
    with side_by_side() as fleets:
        cloud = fleets.cloud
        cloud.simulator.latencies = Latencies()
        if account_limit:
            families = {"account": RateLimit(account_limit, max(1, round(account_limit)))}
            cloud.simulator.limit(Limits(families))  # type: ignore[arg-type]
        numbers = {_add(fleets, kind_of(i), f"prod-{i:04d}"): kind_of(i) for i in range(workspaces)}
        quotas = Quotas(cloud.clock)
        cloud.boundary.faults.append(quotas)
        alone = {kind.name: _alone(fleets, kind) for kind in KINDS}
        return _fleet(fleets, numbers, quotas, alone, concurrency, account_limit, began)


def _add(fleets: Fleets, kind: Kind, name: str) -> int:
    return kind.add(fleets, name)


def _alone(fleets: Fleets, kind: Kind) -> float:
    """With nothing else going on. The second of two, whose Lambdas are warm."""
    return [_one_alone(fleets, kind, f"alone-{number}-{kind.name}") for number in range(2)][-1]


def _one_alone(fleets: Fleets, kind: Kind, name: str) -> float:
    workspace_id, took = _add(fleets, kind, name), 0.0
    for operation, use_case in kind.tasks:
        asked = {"workspace_id": workspace_id, "operation": operation, "use_cases": [use_case]}
        child = fleets.run(fleets.child(f"alone-{workspace_id}-{operation}", asked))
        if child.status != "SUCCEEDED":
            raise RuntimeError(f"{operation} of a workspace of kind {kind.name!r}: {child.error} {child.cause}")
        took += _ended(child) - child.began
    return took


def _fleet(
    fleets: Fleets,
    numbers: dict[int, Kind],
    quotas: Quotas,
    alone: dict[str, float],
    concurrency: int,
    account_limit: float | None,
    began: float,
) -> Measured:
    cloud = fleets.cloud
    lambdas, boundary = cloud.lambdas, cloud.boundary
    assert isinstance(boundary, SideBySide)
    assert isinstance(lambdas, Containers)
    lambdas.begin()
    boundary.log.clear()
    fleets.children.clear()
    quotas.turned_away.clear()
    account = AccountRequests()
    account.begin(cloud.simulator)
    asked = {"name": NAME, "named": "prod-*", "waves": list(WAVES), "concurrency": concurrency}
    fleet = fleets.rotate(name=NAME, fleet=asked, requested_by="bench")
    requests = account.entries
    plan = FleetPlan.model_validate_json(cloud.aws.objects[plan_key(NAME)])
    report = fleets.report(NAME)
    outcomes = dict(report.outcomes)
    not_well = [each for each in report.rotations if each.outcome not in ("succeeded", "needs_attention")]
    bounds = _bounds(plan, numbers, alone, concurrency)
    spans = _waves(plan, fleets)
    executions: list[Execution] = [fleet, *fleets.children.values()]
    worked = lambdas.worked.values()
    transitions = sum(len(each.states) + each.retries for each in executions)
    gb = sum(each.seconds * memory_mb(name, MEMORY_MB) / 1024 for name, each in lambdas.worked.items())
    kms = Counter({what: count for (service, what), count in boundary.calls.counted.items() if service == "kms"})
    invocations = sum(each.invocations for each in worked)
    dollars = prices.fleet(transitions, invocations, gb, kms.total())
    seconds = _ended(fleet) - fleet.began
    rotations, busiest = len(fleets.children), account.most_in(10)
    return Measured(
        workspaces=len(numbers),
        rotations=rotations,
        concurrency=concurrency,
        waves=plan.waves,
        outcomes=outcomes,
        not_well=[f"{each.rotation_id}: {each.outcome}. {each.why}" for each in not_well],
        alone_seconds={name: round(took, 1) for name, took in alone.items()},
        bound_seconds=round(sum(bounds)),
        planning_seconds=round(spans[0][0] - fleet.began),
        rotating_seconds=round(spans[-1][1] - spans[0][0]),
        seconds=round(seconds),
        times_the_bound=round(seconds / sum(bounds), 3),
        account_requests=len(requests),
        account_requests_a_rotation=round(len(requests) / rotations, 1),
        account_by_endpoint=dict(account.by_endpoint().most_common()),
        account_by_lambda=dict(boundary.calls.of_account.most_common()),
        account_lists=account.lists,
        account_tokens=account.tokens,
        account_most_in_1_second=len(account.most_in(1)),
        account_a_second_in_10=len(busiest) / 10,
        account_busiest=dict(counted(busiest).most_common()),
        account_busiest_at=round(busiest[0]["at"] - fleet.began),
        account_busiest_turned_away=turned_away(busiest),
        account_a_second=round(len(requests) / seconds, 2),
        account_limit=account_limit,
        account_turned_away=account.turned_away,
        kms_requests=kms.total(),
        turned_away=dict(quotas.turned_away.most_common()),
        retries=sum(each.retries for each in executions),
        transitions=transitions,
        invocations=invocations,
        lambda_seconds=round(sum(each.seconds for each in worked)),
        lambda_gb_seconds=round(gb),
        lambdas_at_once=lambdas.most_at_once,
        containers=sum(each.containers for each in worked),
        dollars=round(dollars, 2),
        dollars_a_workspace=round(dollars / len(numbers), 4),
        unreadable=len(cloud.world.get("health")["unreadable"]),
        violations=len(cloud.world.get("violations")),
        real_seconds=round(time.monotonic() - began),
        wave_seconds=[round(end - start) for start, end in spans],
        wave_bounds=[round(each) for each in bounds],
    )


def _bounds(plan: FleetPlan, numbers: dict[int, Kind], alone: dict[str, float], concurrency: int) -> list[float]:
    """Of each wave."""
    return [
        bound.wave((alone[numbers[each].name] for each in _workspaces(plan.wave(wave))), concurrency, len(found))
        for wave in range(1, plan.waves + 1)
        if (found := [each for each in plan.wave(wave) if each.operation == "rotate"])
    ]


def _workspaces(members: Iterable[Member]) -> list[int]:
    """Each once, in order: its rotations follow one another."""
    return [number for number, _ in groupby(members, key=attrgetter("workspace_id"))]


def _waves(plan: FleetPlan, fleets: Fleets) -> list[tuple[float, float]]:
    """(first start, last end) of the rotations of each wave."""
    found = []
    for wave in range(1, plan.waves + 1):
        rotations = [fleets.children[each.rotation_id] for each in plan.wave(wave)]
        found.append((min(each.began for each in rotations), max(map(_ended, rotations))))
    return found


def _ended(execution: Execution) -> float:
    assert execution.ended_at is not None, execution.name
    return execution.ended_at
