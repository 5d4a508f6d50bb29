"""Draws a state machine as a Mermaid flowchart into a Markdown file, or checks that what is drawn there is current.

python -m stepfunctions.picture docs/state-machine.md            rewrites the block between the two marker comments
python -m stepfunctions.picture docs/state-machine.md --check    exits 1 when the block is not what would be written
python -m stepfunctions.picture docs/fleet.md --machine rotate_fleet    another one than rotate_key
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DEFINITION = HERE / "rotate_key.asl.json"
BEGIN = "<!-- state machine: begin -->"
END = "<!-- state machine: end -->"

State = Mapping[str, Any]

# By type. The colours hold on a light page and on a dark one.
_SHAPES = {
    "Task": '["{}"]',
    "Map": '["{}<br/>in batches"]',
    "Pass": '["{}"]',
    "Wait": '(["{}"])',
    "Choice": '{{{{"{}"}}}}',
    "Succeed": '(["✔ {}"])',
    "Fail": '(["✘ {}"])',
}
_COLOURS = {
    "Task": "fill:#dbe9ff,stroke:#3b6fb6,color:#10243e",
    "Map": "fill:#dbe9ff,stroke:#3b6fb6,color:#10243e",
    "Wait": "fill:#fff3d1,stroke:#b98a1d,color:#3d2e06",
    "Pass": "fill:#f4f4f6,stroke:#8a8f98,color:#22262c",
    "Choice": "fill:#f4f4f6,stroke:#8a8f98,color:#22262c",
    "Succeed": "fill:#d9f2e0,stroke:#2f8f4e,color:#0d3319",
    "Fail": "fill:#fbdcdc,stroke:#b83a3a,color:#4a0f0f",
}


class PictureError(ValueError):
    """The file has no place for the picture."""


class Picture:
    """One definition's flowchart, folded so that a person takes it in.

    A poll - a Task, the Choice after it and the Wait that leads back - is one node with a round arrow and the budget;
    a Catch that leads to that Choice is one more round of it.
    Whatever fails leads to the rollback: one dotted arrow, from the first state that has something to undo, stands for
    every Catch and for every Pass that only writes down which budget is over. The way back itself goes on when one of
    its steps fails, so its Catches show no other way than its arrows do.
    """

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._states: Mapping[str, State] = definition["States"]
        caught = [target for state in self._states.values() for target in _caught(state)]
        self._way_back = max(caught, key=caught.count)
        failing = {target for target in caught if definition["States"][target]["Type"] == "Task"}
        self._overruns = {
            name
            for name, state in self._states.items()
            if state["Type"] == "Pass" and "failure" in state.get("Assign", {}) and state.get("Next") in failing
        }
        self._polls = {
            name: wait
            for name, state in self._states.items()
            for wait in self._targets(state.get("Next", ""))
            if state["Type"] == "Task"
            and self._states[wait]["Type"] == "Wait"
            and self._states[wait].get("Next") == name
        }
        self._drawn = [name for name in self._states if self._is_drawn(name)]
        self._first_to_undo = next(name for name in self._drawn if self._way_back in _caught(self._states[name]))
        self._behind = self._onward(self._way_back)

    def lines(self) -> Iterator[str]:
        yield "flowchart TD"
        yield from (f"    {self._node(name)}" for name in self._drawn)
        yield ""
        for name in self._drawn:
            yield from (f"    {arrow}" for arrow in self._arrows(name))
        yield ""
        for kind, colours in _COLOURS.items():
            members = ",".join(_id(name) for name in self._drawn if self._states[name]["Type"] == kind)
            if members:
                yield f"    classDef {kind.lower()} {colours}"
                yield f"    class {members} {kind.lower()}"

    def _node(self, name: str) -> str:
        label = name
        if name in self._polls:
            budget = re.search(r"Budget: ([\d,]+) seconds", self._states[self._states[name]["Next"]]["Comment"])
            label += "<br/>↻" + (f" ≤ {int(budget[1].replace(',', '')) // 60} min" if budget else " as planned")
        return _id(name) + _SHAPES[self._states[name]["Type"]].format(label)

    def _arrows(self, name: str) -> Iterator[str]:
        state = self._states[name]
        onward = state.get("Next")
        if onward and not self._is_drawn(onward):
            [onward] = self._kept(onward)
        if onward:
            yield _arrow(name, onward)
        for rule in state.get("Choices", []):
            if self._is_drawn(rule["Next"]):
                yield _arrow(name, rule["Next"], _in_words(rule["Condition"]))
        if "Default" in state and self._is_drawn(state["Default"]):
            yield _arrow(name, state["Default"], "otherwise")
        for target in dict.fromkeys(_caught(state)):
            if name == self._first_to_undo:
                yield f'{_id(name)} -. "from here on: any error,<br/>any time budget over" .-> {_id(target)}'
            elif self._is_drawn(target) and target not in (self._way_back, onward) and name not in self._behind:
                yield f'{_id(name)} -. "any error" .-> {_id(target)}'

    def _targets(self, name: str) -> list[str]:
        """Where a state leads when nothing fails."""
        state = self._states.get(name, {})
        targets = [rule["Next"] for rule in state.get("Choices", [])]
        return list(dict.fromkeys([*targets, *(state[key] for key in ("Default", "Next") if key in state)]))

    def _kept(self, choice: str) -> list[str]:
        """Where a Choice leads, less the poll's own Wait and what a budget's end leads to."""
        gone = self._overruns | set(self._polls.values())
        return [target for target in self._targets(choice) if target not in gone]

    def _is_drawn(self, name: str) -> bool:
        if self._states[name]["Type"] == "Choice":
            return len(self._kept(name)) > 1
        return name not in self._overruns and name not in self._polls.values()

    def _onward(self, start: str) -> set[str]:
        """The state and all that follow it when nothing fails and no budget is over."""
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            name = ahead.pop()
            if name not in seen and name not in self._overruns:
                seen.add(name)
                ahead += self._targets(name)
        return seen


def _caught(state: State) -> list[str]:
    return [str(catcher["Next"]) for catcher in state.get("Catch", [])]


def _id(name: str) -> str:
    return re.sub(r"\W+", "_", name).strip("_").lower()


def _arrow(source: str, target: str, label: str = "") -> str:
    return f'{_id(source)} -- "{label}" --> {_id(target)}' if label else f"{_id(source)} --> {_id(target)}"


def _in_words(condition: str) -> str:
    """{% $switch.done and $plan.settle %} -> done and settle."""
    text = condition.removeprefix("{%").removesuffix("%}").strip()
    text = re.sub(r"\$not\((.+) = false\)", r"\1", text).replace(" = true", "")
    text = re.sub(r"\$\w+ = '(\w+)'", r"\1", text)
    text = re.sub(r"\$\w+_waited >= (\d+)", lambda budget: f"not within {int(budget[1]) // 60} min", text)
    return re.sub(r"\$\w+\.(\w+)", r"\1", text).replace("_", " ")


def draw(definition: Mapping[str, Any]) -> str:
    """The flowchart's source in Mermaid's language."""
    return "\n".join(Picture(definition).lines()) + "\n"


def with_picture(markdown: str, picture: str) -> str:
    """The Markdown text with the picture between the two markers. Raises PictureError when they are not there."""
    if markdown.count(BEGIN) != 1 or markdown.count(END) != 1 or markdown.index(BEGIN) > markdown.index(END):
        raise PictureError(f"the picture goes between {BEGIN} and {END}: each must be there once, in this order")
    before, after = markdown.split(BEGIN)[0], markdown.split(END)[1]
    return f"{before}{BEGIN}\n```mermaid\n{picture}```\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stepfunctions.picture", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("markdown", type=Path, help="the file with the two marker comments")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the picture is not current")
    parser.add_argument("--machine", default=DEFINITION.name.partition(".")[0], help="the definition's name")
    options = parser.parse_args(arguments)
    definition = HERE / f"{options.machine}.asl.json"
    written = options.markdown.read_text(encoding="utf-8")
    try:
        wanted = with_picture(written, draw(json.loads(definition.read_text(encoding="utf-8"))))
    except PictureError as error:
        sys.stderr.write(f"{options.markdown}: {error}\n")
        return 1
    if options.check:
        if wanted != written:
            sys.stderr.write(f"{options.markdown}: the picture is not current. Fix: {parser.prog} {options.markdown}\n")
        return int(wanted != written)
    options.markdown.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
