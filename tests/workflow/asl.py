"""A state machine's definition as tests see it: its states, the ways from one to the next, the JSONata in them."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

DEFINITION = Path(__file__).resolve().parents[2] / "stepfunctions" / "rotate_key.asl.json"

CALLBACK = ".waitForTaskToken"
"""Ends the Resource of a Task that waits for somebody's answer."""

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")

State = Mapping[str, Any]
Kind = Literal["next", "choice", "default", "catch", "item"]


@dataclass(frozen=True)
class Transition:
    """One way out of a state, and what is assigned on it."""

    source: str
    target: str
    kind: Kind
    assign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    condition: str | None = None
    errors: tuple[str, ...] = ()
    """What a catch catches."""


@dataclass(frozen=True)
class Expression:
    """The text between {% and %}, and where it stands: ("Catch", "0", "Assign", "failure", "cause")."""

    state: str
    where: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.state}: {'.'.join(self.where)}"


class Machine:
    """A definition, placeholders and all. Raises ValueError when the text is not JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.definition: dict[str, Any] = json.loads(text)
        self.start: str = self.definition["StartAt"]
        self.states: dict[str, State] = {}
        """Those inside a Map too: its items begin where the Map says, and end where the Map goes on."""
        self._ends: dict[str, str] = {}
        for name, state in self.definition["States"].items():
            self.states[name] = {key: value for key, value in state.items() if key != "ItemProcessor"}
            inside = state.get("ItemProcessor", {}).get("States", {})
            self.states.update(inside)
            self._ends.update({each: state["Next"] for each, inner in inside.items() if inner.get("End")})

    @classmethod
    def load(cls) -> "Machine":
        return cls(DEFINITION.read_text(encoding="utf-8"))

    def of_type(self, *types: str) -> dict[str, State]:
        return {name: state for name, state in self.states.items() if state["Type"] in types}

    @cached_property
    def transitions(self) -> list[Transition]:
        ways = [way for name, state in self.states.items() for way in _ways(name, state)]
        ways += [Transition(name, target, "next") for name, target in self._ends.items()]
        for name, state in self.definition["States"].items():
            if "ItemProcessor" in state:
                ways.append(Transition(name, state["ItemProcessor"]["StartAt"], "item"))
        return ways

    @cached_property
    def batch_states(self) -> set[str]:
        """States inside a Map: entered once for each item."""
        return {name for name in self.states if name not in self.definition["States"]}

    def leaving(self, name: str) -> list[Transition]:
        return [way for way in self.transitions if way.source == name]

    def reachable(self, start: str, *, without: Collection[Transition] = ()) -> set[str]:
        """The state and all that may follow it by other ways than some. Targets that do not exist are left out."""
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            name = ahead.pop()
            if name in seen or name not in self.states:
                continue
            seen.add(name)
            ahead += [way.target for way in self.leaving(name) if way not in without]
        return seen

    @cached_property
    def looping(self) -> set[Transition]:
        """Every way that is part of a loop."""
        return {way for cycle in self.cycles for way in cycle}

    @cached_property
    def cycles(self) -> list[list[Transition]]:
        """Every elementary cycle once, as the transitions it is made of."""
        order = {name: number for number, name in enumerate(self.states)}
        ahead = {name: self.reachable(name) for name in self.states}
        found: list[list[Transition]] = []

        def extend(path: list[Transition], first: str, at: str) -> None:
            for way in self.leaving(at):
                if way.target == first:
                    found.append([*path, way])
                elif first not in ahead.get(way.target, ()):
                    continue  # No way back from there: not to be searched for one.
                elif order.get(way.target, -1) > order[first] and way.target not in {step.source for step in path}:
                    extend([*path, way], first, way.target)

        for name in self.states:
            extend([], name, name)
        return found

    def expressions(self, name: str) -> list[Expression]:
        return [
            # The one placeholder inside expressions stands for a number.
            Expression(name, where, PLACEHOLDER.sub("1200", text[2:-2]).strip())
            for where, text in strings(self.states[name])
            if text.startswith("{%") and text.endswith("%}")
        ]


def strings(value: object, where: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string in a JSON value, with the way to it."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings(inner, (*where, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from strings(inner, (*where, str(number)))


def _ways(name: str, state: State) -> Iterator[Transition]:
    assign = state.get("Assign", {})
    for rule in state.get("Choices", []):
        yield Transition(name, rule["Next"], "choice", rule.get("Assign", {}), rule["Condition"])
    if "Default" in state:
        yield Transition(name, state["Default"], "default", assign)
    if "Next" in state:
        yield Transition(name, state["Next"], "next", assign)
    for catcher in state.get("Catch", []):
        yield Transition(
            name, catcher["Next"], "catch", catcher.get("Assign", {}), errors=tuple(catcher["ErrorEquals"])
        )
