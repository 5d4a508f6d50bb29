"""The way of a request from the handler to the ledger is short, and is the one that docs/architecture.md draws."""

import ast
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from rekey.model.request import Request
from rekey.planning.case import Case
from rekey.planning.open import PlanEvent, open_rotation
from tests.steps.creating import wish
from tests.steps.world import EXECUTION, World

PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"
DRAWN = re.findall(r"^    \d+ +([\w.]+)", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
MOST_STOPS = 15
MOST_RETURNS = 2


def rotating(world: World) -> dict[str, Any]:
    return {"workspace_id": world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]}


def adding(world: World) -> dict[str, Any]:
    return {"workspace_id": world.workspace()["workspace_id"], "request_id": "CHG1"}


def stops(world: World, request: dict[str, Any]) -> list[str]:
    """Functions that the request is handed to, by itself, in its event or in its case; all rules are one stop.

    Without what a module keeps to itself, and properties of the case.
    """
    found: list[str] = []

    def look(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or "/functions/" not in code.co_filename or code.co_name.startswith(("_", "<")):
            return
        given = [frame.f_locals.get(each) for each in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
        handed = any(
            each is request
            or (isinstance(each, dict) and each.get("request") is request)
            or isinstance(each, PlanEvent | Request | Case)
            for each in given
        )
        module = code.co_filename.split("/functions/")[1].removesuffix(".py").replace("/", ".")
        own = "self" in code.co_varnames[:1]
        if handed and not own and module != "rekey.runtime":
            rule = module.startswith("rekey.planning.rules.") and not module.endswith("__init__")
            name = "planning.rules" if rule else f"{module.removeprefix('rekey.')}.{code.co_name}"
            found.append(name.replace(".__init__", ""))

    sys.setprofile(look)
    try:
        world.call("plan_rotation", rotation_id=world.rotation_id, execution_arn=EXECUTION, request=request)
    finally:
        sys.setprofile(None)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("make", [rotating, adding, wish])
def test_the_way_of_a_request_is_the_one_that_is_drawn(world: World, make: Callable[[World], dict[str, Any]]) -> None:
    passed = stops(world, make(world))
    assert passed == DRAWN
    assert len(passed) <= MOST_STOPS
    assert world.ledger.find(world.rotation_id) is not None


def test_a_decision_is_returned_at_two_places() -> None:
    """What was asked before, and what is decided now."""
    tree = ast.parse(inspect.getsource(open_rotation))
    assert sum(isinstance(each, ast.Return) for each in ast.walk(tree)) == MOST_RETURNS
