"""Checks of the JSONata: it parses, and what it refers to is there on every path."""

from collections.abc import Iterator

from tests.workflow.asl import Expression, Machine, Transition, strings
from tests.workflow.expressions import FUNCTIONS, ExpressionError, Reading, read


def readings(machine: Machine) -> Iterator[tuple[Expression, Reading]]:
    """Every expression that parses, with what it refers to."""
    for name in machine.states:
        for expression in machine.expressions(name):
            try:
                yield expression, read(expression.text)
            except ExpressionError:
                continue


def expressions_parse(machine: Machine) -> list[str]:
    problems = []
    for name, state in machine.states.items():
        for where, text in strings(state):
            if ("{%" in text or "%}" in text) and not (text.startswith("{%") and text.endswith("%}")):
                problems.append(f"{name}: {'.'.join(where)}: Step Functions evaluates a string whole or not at all")
        for expression in machine.expressions(name):
            try:
                read(expression.text)
            except ExpressionError as error:
                problems.append(f"{expression}: {error}")
    return problems


def functions_exist(machine: Machine) -> list[str]:
    return [
        f"{expression}: there is no function ${name}"
        for expression, reading in readings(machine)
        for name in sorted(reading.functions - FUNCTIONS)
    ]


def states_fields_are_available(machine: Machine) -> list[str]:
    """$states.errorOutput is there in a Catch alone, $states.result only once a Task is done."""
    problems = []
    for expression, reading in readings(machine):
        available = {"input", "context"}
        if expression.where[0] == "Catch":
            available.add("errorOutput")
        elif machine.states[expression.state]["Type"] == "Task" and expression.where[0] in ("Assign", "Output"):
            available.add("result")
        problems += [f"{expression}: $states.{name} is not there" for name in sorted(reading.states_fields - available)]
    return problems


def variables_are_assigned_before(machine: Machine) -> list[str]:
    """Definite assignment: on every path from StartAt to the state somebody has set each variable it uses."""
    assigned = assigned_at_entry(machine)
    return [
        f"{expression}: ${name} may not be assigned yet"
        for expression, reading in readings(machine)
        for name in sorted(reading.variables - assigned[expression.state])
    ]


def assigned_at_entry(machine: Machine) -> dict[str, set[str]]:
    """For each state the variables that are set on every path to it: the greatest fixed point over the graph."""
    everything = {name for way in machine.transitions for name in way.assign}
    assigned = {name: set(everything) for name in machine.states}
    assigned[machine.start] = set()
    changed = True
    while changed:
        changed = False
        for way in machine.transitions:
            if way.target not in assigned:
                continue
            met = assigned[way.target] & (assigned[way.source] | way.assign.keys())
            if met != assigned[way.target]:
                assigned[way.target], changed = met, True
    return assigned


def assignments_do_not_depend_on_order(machine: Machine) -> list[str]:
    """AWS evaluates an Assign side by side, the local emulator line by line: both must give the same."""
    problems = []
    for way in machine.transitions:
        seen: set[str] = set()
        for name, value in way.assign.items():
            for used in sorted(_used(way, value) & seen):
                problems.append(f"{way.source}: Assign.{name} uses ${used}, which the same Assign sets")
            seen.add(name)
    return list(dict.fromkeys(problems))


def choices_assign_in_their_rules(machine: Machine) -> list[str]:
    """AWS takes an Assign beside Choices for every rule, the local emulator for Default alone."""
    choices = machine.of_type("Choice").items()
    return [f"{name}: its Assign stands beside Choices, not in a rule" for name, state in choices if "Assign" in state]


def _used(way: Transition, value: object) -> set[str]:
    used: set[str] = set()
    for _, text in strings(value):
        if text.startswith("{%"):
            try:
                used |= read(text[2:-2].strip()).variables
            except ExpressionError:
                continue
    return used
