"""Checks of the states and the ways between them."""

import re

from rekey.model.budgets import MOST
from tests.workflow.asl import Machine, Transition
from tests.workflow.checks.tasks import TRANSIENT_OF_AWS

LONGEST_NAME = 80

RENEWAL = {
    "List notebooks": "Complete rotation",
    "Renew batch": "Batch is over",
    "Renew notebooks": "Complete rotation",
}
"""What fails here becomes a finding: the switch is proven and compute is back, so nothing is rolled back."""


ENDED_WELL = ("Is it rolled back?", "Rotation succeeded", "{% $rollback.succeeded = true %}")
"""The one way from a failure to a success: the ledger says that the rotation had ended well before it."""


def targets_exist(machine: Machine) -> list[str]:
    targets = [("StartAt", machine.start), *((way.source, way.target) for way in machine.transitions)]
    return [
        f"{source}: goes to {target!r}, which is not a state"
        for source, target in targets
        if target not in machine.states
    ]


def states_are_reachable(machine: Machine) -> list[str]:
    reached = machine.reachable(machine.start)
    return [f"{name}: no way leads here" for name in machine.states if name not in reached]


def states_can_end(machine: Machine) -> list[str]:
    """From every state a Succeed or Fail can be reached, and nothing but those two ends an execution."""
    ends = set(machine.of_type("Succeed", "Fail"))
    problems = []
    for name, state in machine.states.items():
        if (
            name not in ends
            and not state.get("End")
            and ("Default" if state["Type"] == "Choice" else "Next") not in state
        ):
            problems.append(f"{name}: there is no way on from here")
        if not machine.reachable(name) & ends:
            problems.append(f"{name}: no end can be reached from here")
    return problems


def failures_end_in_fail(machine: Machine) -> list[str]:
    """What is caught, or written to `failure`, must never end as a success."""
    succeed = set(machine.of_type("Succeed"))
    well = [way for way in machine.transitions if (way.source, way.target, way.condition) == ENDED_WELL]
    failing = [
        way
        for way in machine.transitions
        if (way.kind == "catch" and not tries_again(machine, way)) or "failure" in way.assign
    ]
    problems = [
        f"{way.source}: its failure goes to {way.target!r}, not to {RENEWAL[way.source]!r}, or fails the rotation"
        for way in failing
        if way.source in RENEWAL and (way.target != RENEWAL[way.source] or "failure" in way.assign)
    ]
    return problems + [
        f"{way.source}: its failure goes to {way.target!r} and can end in {', '.join(sorted(good))}"
        for way in failing
        if way.source not in RENEWAL
        if (good := machine.reachable(way.target, without=well) & succeed)
    ]


def tries_again(machine: Machine, way: Transition) -> bool:
    """Whether a catch leads to its loop's own Choice, for what says nothing of the rotation: its Lambda was killed."""
    choice = machine.states.get(way.target, {}).get("Type") == "Choice"
    return choice and way in machine.looping and set(way.errors) <= TRANSIENT_OF_AWS


def loops_are_bounded(machine: Machine) -> list[str]:
    """Every loop waits, counts what it waited, and leaves when the budget that its Choice's comment names is over."""
    problems = []
    for cycle in machine.cycles:
        loop = " -> ".join(way.source for way in cycle)
        if not any(machine.states[way.source]["Type"] == "Wait" for way in cycle):
            problems.append(f"{loop}: the loop has no Wait")
        if budget_of(machine, cycle) is None:
            problems.append(f"{loop}: no Choice leaves the loop when a counted and written budget is over")
    return problems


def budget_of(machine: Machine, cycle: list[Transition]) -> tuple[str, int] | None:
    """(counter, seconds): the loop adds each wait to the counter, and a Choice of it leaves at that many seconds."""
    inside = {way.source for way in cycle}
    for way in cycle:
        comment = machine.states[way.source].get("Comment", "")
        for rule in machine.leaving(way.source):
            limit = limit_in(rule.condition)
            if limit is None or rule.target in inside:
                continue
            counter, seconds, told = limit
            if f"Budget: {told} seconds" in comment and _is_counted(machine, cycle, counter):
                return counter, seconds
    return None


def limit_in(condition: str | None) -> tuple[str, int, str] | None:
    """(counter, seconds at the most, as a comment has them) of a condition that holds once a budget is over.

    A budget is a number in the definition, or one of the plan's.
    """
    limit = re.search(r"\$(\w+) >= (?:(\d+)|(\$plan\.budgets\.(\w+)))", condition or "")
    if limit is None:
        return None
    if limit[2]:
        return limit[1], int(limit[2]), f"{int(limit[2]):,}"
    return limit[1], getattr(MOST, limit[4], 0), limit[3]


def _is_counted(machine: Machine, cycle: list[Transition], counter: str) -> bool:
    for way in cycle:
        state = machine.states[way.source]
        pause = re.fullmatch(r"\{% (\$\w+) %\}", str(state.get("Seconds", "")))
        if state["Type"] == "Wait" and pause and f"${counter} + {pause[1]}" in way.assign.get(counter, ""):
            return True
    return False


def states_are_explained(machine: Machine) -> list[str]:
    problems = [
        f"{name}: has no Comment" for name, state in machine.states.items() if not state.get("Comment", "").strip()
    ]
    return problems + [f"{name}: the name is too long for AWS" for name in machine.states if len(name) > LONGEST_NAME]
