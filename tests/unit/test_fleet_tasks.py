"""What a fleet does with one workspace, by the keys it has and what the request leaves open."""

from dataclasses import replace

import pytest

from rekey.databricks import Workspace
from rekey.fleet.choose import tasks_of
from rekey.model.request import Operation
from rekey.model.use_cases import USE_CASES
from tests.builders import BARE

M, S = USE_CASES


def a_workspace(*keys: str, serverless: bool = False) -> Workspace:
    managed, storage = ("m" if M in keys else None), ("s" if S in keys else None)
    return replace(BARE, managed_services_key_id=managed, storage_key_id=storage, serverless=serverless)


@pytest.mark.parametrize(
    ("keys", "asked", "tasks"),
    [
        ((M, S), None, [("rotate", (M,)), ("rotate_material", (S,))]),
        ((M,), None, [("rotate", (M,))]),
        ((S,), None, [("rotate_material", (S,))]),
        ((), None, []),
        # Databricks has no way to replace a STORAGE key.
        ((M, S), "rotate", [("rotate", (M,))]),
        ((S,), "rotate", []),
        ((M, S), "rotate_material", [("rotate_material", (M, S))]),
        ((), "rotate_material", []),
        ((M,), "add", [("add", (S,))]),
        ((), "add", [("add", (M, S))]),
        ((M, S), "add", []),
    ],
)
def test_what_is_done(keys: tuple[str, ...], asked: Operation | None, tasks: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(each.operation, each.use_cases) for each in tasks_of(a_workspace(*keys), asked, USE_CASES)] == tasks


@pytest.mark.parametrize(
    ("keys", "serverless", "tasks"),
    [
        ((), False, [("add", (M, S))]),
        ((M,), False, [("add", (S,)), ("rotate", (M,))]),
        ((S,), False, [("add", (M,)), ("rotate_material", (S,))]),
        # Its storage is Databricks' own, under its MANAGED_SERVICES key.
        ((), True, [("add", (M,))]),
        ((M,), True, [("rotate", (M,))]),
    ],
)
def test_what_lacks_is_added_too_where_that_is_asked_for(
    keys: tuple[str, ...], serverless: bool, tasks: list[tuple[str, tuple[str, ...]]]
) -> None:
    found = tasks_of(a_workspace(*keys, serverless=serverless), None, USE_CASES, add_missing=True)
    assert [(each.operation, each.use_cases) for each in found] == tasks


def test_only_of_the_use_cases_that_are_asked_for() -> None:
    found = tasks_of(a_workspace(M, S), None, (S,), add_missing=True)
    assert [(each.operation, each.use_cases) for each in found] == [("rotate_material", (S,))]
