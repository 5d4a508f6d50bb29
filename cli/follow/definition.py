"""The definition that an execution runs, as far as a person sees steps: which state belongs to which step.

Step Functions tells the definition of each execution, so that also one of an older or a newer version is read rightly.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

State = Mapping[str, Any]

_TAKE_TIME = ("Task", "Wait", "Map")


@dataclass(frozen=True)
class Definition:
    """Names of states, and for each that takes time the step that it belongs to. Empty: every state stands for itself.

    A Wait between two looks of a loop belongs to the step that comes before it and that it leads back to; what is
    inside a Map belongs to the Map.
    """

    steps: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Definition":
        """From Amazon States Language."""
        states: Mapping[str, State] = json.loads(text)["States"]
        steps = {name: name for name, state in states.items() if state["Type"] in _TAKE_TIME}
        for name, state in states.items():
            if state["Type"] == "Wait":
                steps[name] = next((each for each in _before(states, name) if each in _after(states, name)), name)
            for inside in state.get("ItemProcessor", {}).get("States", {}):
                steps[inside] = name
        return cls(steps)

    def step_of(self, state: str, kind: str) -> str | None:
        """The step that a state belongs to; None for choices and other states that take no time."""
        return self.steps.get(state, state) if kind in _TAKE_TIME else None

    def has(self, step: str) -> bool:
        """Whether an execution of it can come to that step."""
        return not self.steps or step in self.steps


def _ways(state: State) -> Iterator[str]:
    """Where a state leads when nothing fails."""
    yield from (state[name] for name in ("Next", "Default") if name in state)
    yield from (choice["Next"] for choice in state.get("Choices", ()))


def _before(states: Mapping[str, State], name: str) -> list[str]:
    """The steps after which a state comes, with nothing but choices in between."""
    found: list[str] = []
    seen, todo = {name}, [name]
    while todo:
        ahead = todo.pop()
        for other, state in states.items():
            if ahead in _ways(state) and other not in seen:
                seen.add(other)
                (found if state["Type"] in _TAKE_TIME else todo).append(other)
    return found


def _after(states: Mapping[str, State], name: str) -> set[str]:
    """All that a state leads to."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        ahead = [each for each in _ways(states[todo.pop()]) if each not in seen]
        seen.update(ahead)
        todo += ahead
    return seen
