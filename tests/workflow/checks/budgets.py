"""Checks of what a rotation may take at most: time, and events in Step Functions' history."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from rekey.ledger import APPROVAL_TIME
from rekey.model.phases import BUDGETS, NOTEBOOK_WAVES
from rekey.model.request import LATEST_WINDOW
from rekey.rotation import polls
from rekey.rotation.notebooks.walk import MOST_BATCHES
from tests.workflow.asl import CALLBACK, Machine, State, Transition
from tests.workflow.checks.graph import budget_of, limit_in
from tests.workflow.checks.tasks import delays
from tests.workflow.expressions import ExpressionError, fill

CDK_JSON = Path(__file__).resolve().parents[3] / "cdk.json"

# Step Functions developer guide, "Service quotas": a standard execution's history.
LONGEST_HISTORY = 25_000

# Entered, scheduled, started, succeeded or failed, exited; and for each retry scheduled, started, failed.
EVENTS = {"Task": 5, "Choice": 2, "Wait": 2, "Pass": 2, "Map": 4, "Succeed": 2, "Fail": 1}
EVENTS_OF_RETRY = 3

OTHER_OPERATIONS = frozenset({"create_waited", "material_waited", "revoke_waited", "restore_access_waited"})
"""Loops of operations that go through none of the longest ones: those over compute."""


COUNTED = {"State.EnteredTime": "what its calls take", "State.RetryCount": "how often it is retried"}


@dataclass(frozen=True)
class Loop:
    """One loop run until its budget is over, every call answering at once."""

    counter: str
    rounds: int
    waited: float
    events: int
    waves: int = 1
    """How often it runs one after the other: batches in a Map, as many at a time as its MaxConcurrency."""


def attempts(task: State) -> int:
    return 1 + sum(int(retrier["MaxAttempts"]) for retrier in task["Retry"])


def worst_call(task: State) -> float:
    """Seconds of one visit that uses up every retry, each attempt until its time limit.

    Of a Task that waits for an answer only the asking counts: `worst_approval` has the rest.
    """
    if task["Resource"].endswith(CALLBACK):
        return sum(sum(delays(retrier)) for retrier in task["Retry"])
    return attempts(task) * float(task["TimeoutSeconds"]) + sum(sum(delays(retrier)) for retrier in task["Retry"])


def run_out(machine: Machine, cycle: list[Transition], retries: int = 0) -> Loop | None:
    """Go round the loop, assigning as Step Functions would, until the budget is over. None when it has no budget.

    `retries`: how often each Task is tried again at each visit, as far as its Retry lets it, and at once: with full
    jitter a wait may be none.
    """
    budget = budget_of(machine, cycle)
    if budget is None:
        return None
    counter, seconds = budget
    variables: dict[str, Any] = {"delay": 5, **_numbers(machine)}
    rounds, events = 0, sum(_events(machine.states[way.source], retries) for way in cycle)
    # One that fills a history by itself need not be gone round to its end.
    while variables[counter] < seconds and rounds * events < LONGEST_HISTORY:
        for way in cycle:
            tried = min(retries, _most_retries(machine.states[way.source]))
            variables.update(_assigned(way, variables, polls.seconds(variables[counter]), tried))
        rounds += 1
    batched = cycle[0].source in machine.batch_states
    times, waves = (MOST_BATCHES, NOTEBOOK_WAVES) if batched else (1, 1)
    return Loop(counter, rounds, variables[counter], times * rounds * events, waves)


@cache
def worst_loops(machine: Machine) -> Mapping[str, Loop]:
    """For each budget the loop that makes the most events of it: no retry at any visit, or every one at each."""
    return _worst(machine, (0, max(_most_retries(state) for state in machine.states.values())))


@cache
def quiet_loops(machine: Machine) -> Mapping[str, Loop]:
    """For each budget the loop that makes the most events of it where no call has to be tried again."""
    return _worst(machine, (0,))


def _worst(machine: Machine, retried: Iterable[int]) -> dict[str, Loop]:
    worst: dict[str, Loop] = {}
    for cycle, retries in product(machine.cycles, retried):
        loop = run_out(machine, cycle, retries)
        if loop and (loop.counter not in worst or loop.events > worst[loop.counter].events):
            worst[loop.counter] = loop
    return worst


def worst_seconds(machine: Machine) -> float:
    """All budgets, all settle waits, and for each Task one visit at its worst."""
    settle: int = json.loads(CDK_JSON.read_text(encoding="utf-8"))["context"]["rekey:settle_seconds"]
    settles = sum("settle_until" in str(state.get("Timestamp", "")) for state in machine.states.values())
    return (
        sum(loop.waves * loop.waited for loop in worst_loops(machine).values())
        + settles * settle
        + sum(_waves(machine, name) * worst_call(task) for name, task in machine.of_type("Task").items())
    )


def worst_approval(machine: Machine) -> float:
    """Seconds that answers of people are waited for."""
    return sum(
        float(task["TimeoutSeconds"])
        for task in machine.of_type("Task").values()
        if task["Resource"].endswith(CALLBACK)
    )


def worst_events(machine: Machine) -> int:
    """All budgets of one operation, and each state once more, with every retry of a Task."""
    loops = worst_loops(machine)
    return sum(loop.events for counter, loop in loops.items() if counter not in OTHER_OPERATIONS) + sum(
        _times(machine, name) * _events(state, _most_retries(state)) for name, state in machine.states.items()
    )


def calls_count_against_their_budget(machine: Machine) -> list[str]:
    """A call that uses up its retries takes most of an hour, so a loop must count its calls and not only its waits.

    And each retry by itself: it makes events, however little time it takes.
    """
    problems = []
    for cycle in machine.cycles:
        for way in cycle:
            if machine.states[way.source]["Type"] == "Task":
                counted = " ".join(map(str, way.assign.values()))
                problems += [
                    f"{way.source}: {what} counts against no budget"
                    for name, what in COUNTED.items()
                    if name not in counted
                ]
    return sorted(set(problems))


def budgets_are_told_as_they_are(machine: Machine) -> list[str]:
    """The condition has the number; the Choice's comment, the cause of an overrun and the preflight say it again."""
    problems: list[str] = []
    found: dict[str, int] = {}
    for way in machine.transitions:
        limit = limit_in(way.condition)
        if limit is None:
            continue
        counter, seconds, told = limit
        [step] = {each.source for each in machine.transitions if counter in each.assign and _calls(machine, each)}
        if told.startswith("$"):
            problems += [f"{way.source}: {told} is no budget of a plan"] * (not seconds)
        else:
            found[step] = seconds
        if f"Budget: {told} seconds" not in machine.states[way.source]["Comment"]:
            problems.append(f"{way.source}: its comment does not say {told} seconds")
        over = machine.states[way.target]
        cause = over["Assign"]["failure"]["cause"] if over["Type"] == "Pass" and "Assign" in over else ""
        if cause and f" {seconds} seconds" not in cause and f"& {told} &" not in cause:
            problems.append(f"{way.target}: its cause does not say {told} seconds")
    return problems + [
        f"{step}: the preflight says {told} s, its loop has {found.get(step)}"
        for step, told in BUDGETS.items()
        if told != found.get(step)
    ]


def _calls(machine: Machine, way: Transition) -> bool:
    return machine.states[way.source]["Type"] == "Task" and way.kind == "next" and way.source != machine.start


def worst_time_fits(machine: Machine) -> list[str]:
    worst = worst_seconds(machine)
    limits = {
        "TimeoutSeconds less the 14 days to the window and the wait for an approval": (
            machine.definition["TimeoutSeconds"] - LATEST_WINDOW.total_seconds() - worst_approval(machine)
        ),
    }
    return [
        f"a rotation may take {worst:.0f} s, {what} is {limit:.0f} s"
        for what, limit in limits.items()
        if worst >= limit
    ]


def approvals_are_waited_for_as_the_lease_reckons(machine: Machine) -> list[str]:
    waited, reckoned = worst_approval(machine), APPROVAL_TIME.total_seconds()
    return [f"an approval is waited for {waited:.0f} s, the lease reckons {reckoned:.0f} s"] * (waited != reckoned)


def worst_history_fits(machine: Machine) -> list[str]:
    worst = worst_events(machine)
    return [f"a rotation may make {worst} events of {LONGEST_HISTORY}"] if worst >= LONGEST_HISTORY else []


def batches_go_in_waves(machine: Machine) -> list[str]:
    """The time that all batches take is reckoned with as many at a time as the Map allows."""
    return [
        f"{name}: {state.get('MaxConcurrency', 0)} at a time do not make {NOTEBOOK_WAVES} waves of {MOST_BATCHES}"
        for name, state in machine.of_type("Map").items()
        if state.get("MaxConcurrency", 0) * NOTEBOOK_WAVES != MOST_BATCHES
    ]


def _events(state: State, retries: int) -> int:
    events = EVENTS[state["Type"]]
    return events + EVENTS_OF_RETRY * min(retries, _most_retries(state)) if state["Type"] == "Task" else events


def _most_retries(state: State) -> int:
    return attempts(state) - 1 if state["Type"] == "Task" else 0


def _times(machine: Machine, name: str) -> int:
    return MOST_BATCHES if name in machine.batch_states else 1


def _waves(machine: Machine, name: str) -> int:
    return NOTEBOOK_WAVES if name in machine.batch_states else 1


def _numbers(machine: Machine) -> dict[str, float]:
    """The counters as the first state sets them, and the first one of a Map's items."""
    first = [machine.start, *(way.target for way in machine.transitions if way.kind == "item")]
    return {
        name: value
        for state in first
        for name, value in machine.states[state].get("Assign", {}).items()
        if isinstance(value, int)
    }


def _assigned(way: Transition, variables: Mapping[str, Any], poll_seconds: int, retries: int) -> dict[str, Any]:
    """`poll_seconds` is what a step answers at the least that has nothing more to ask for; each call takes no time."""
    assigned = {}
    states: dict[str, Any] = {"result": {"Payload": {"poll_seconds": poll_seconds}}}
    if retries:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        states["context"] = {"State": {"EnteredTime": now, "RetryCount": retries}}
    for name, value in way.assign.items():
        try:
            assigned[name] = fill(value, variables, states)
        except ExpressionError:
            continue  # A Lambda's answer: it plays no part in how long a loop takes.
    return assigned
