"""What `make bench-fleet` measures with: rotations that overlap on virtual time, each with containers of its own."""

from collections.abc import Iterator

import pytest

from benchmarks.fleet.account import AccountRequests
from benchmarks.fleet.overlap import Containers, SideBySide, side_by_side
from tests.matrix.execution import Execution
from tests.matrix.fleets import Fleets

NUMBER = 12


@pytest.fixture(scope="module")
def fleets() -> Iterator[Fleets]:
    with side_by_side() as made:
        # With the latencies of all that follow.
        made.workspaces(0)
        yield made


@pytest.fixture(scope="module")
def alone(fleets: Fleets) -> float:
    """Seconds of a rotation that nobody is beside."""
    child = fleets.child("alone", {"workspace_id": fleets.workspace("alone"), "operation": "rotate"})
    return took(fleets.run(child))


@pytest.fixture(scope="module")
def account(fleets: Fleets) -> AccountRequests:
    return AccountRequests()


@pytest.fixture(scope="module")
def fleet(fleets: Fleets, alone: float, account: AccountRequests) -> Execution:
    assert alone > 0
    fleets.workspaces(NUMBER)
    fleets.children.clear()
    containers(fleets).begin()
    fleets.cloud.boundary.log.clear()
    account.begin(fleets.cloud.simulator)
    return fleets.rotate(fleet={"name": "many", "named": "prod-*", "waves": [NUMBER], "concurrency": NUMBER})


def took(execution: Execution) -> float:
    assert execution.ended_at is not None
    return execution.ended_at - execution.began


def containers(fleets: Fleets) -> Containers:
    assert isinstance(fleets.cloud.lambdas, Containers)
    return fleets.cloud.lambdas


def test_rotations_take_the_time_of_one_and_not_of_all(fleets: Fleets, alone: float, fleet: Execution) -> None:
    assert (fleet.status, fleets.report("many").outcomes) == ("SUCCEEDED", {"succeeded": NUMBER})
    children = fleets.children.values()
    span = max(each.ended_at or 0.0 for each in children) - min(each.began for each in children)
    assert len(children) == NUMBER
    assert alone <= span < NUMBER / 3 * alone
    # Some of them have warm containers, which the one alone had not.
    assert all(took(each) > alone / 2 for each in children)


def test_nothing_is_lost_on_the_way(fleets: Fleets, fleet: Execution) -> None:
    assert fleet.status == "SUCCEEDED"
    assert fleets.cloud.world.get("health")["unreadable"] == []
    assert fleets.cloud.world.get("violations") == []


def test_who_is_at_work_at_the_same_time_has_another_container(fleets: Fleets, fleet: Execution) -> None:
    assert fleet.status == "SUCCEEDED"
    worked = containers(fleets).worked
    assert 1 < worked["patch_workspace"].containers <= NUMBER
    assert worked["patch_workspace"].invocations > NUMBER
    assert 1 < containers(fleets).most_at_once <= NUMBER + 1


def test_what_the_account_counts_is_what_the_lambdas_send(
    fleets: Fleets, account: AccountRequests, fleet: Execution
) -> None:
    """Counted on both sides, each for itself."""
    assert fleet.status == "SUCCEEDED"
    boundary = fleets.cloud.boundary
    assert isinstance(boundary, SideBySide)
    assert len(account.entries) == boundary.calls.of_account.total() > 0
    # Each container that asks the account has a token of its own.
    assert account.tokens == sum(
        worked.containers for name, worked in containers(fleets).worked.items() if boundary.calls.of_account[name]
    )
    assert account.by_endpoint()["POST customer-managed-keys"] == NUMBER
    assert 0 < len(account.most_in(1)) <= len(account.most_in(10)) <= len(account.entries)


def test_the_busiest_span_is_found() -> None:
    moments = (0.0, 5.0, 5.5, 5.9, 6.0, 20.0)
    account = AccountRequests([{"at": at, "path": "", "method": "GET"} for at in moments])
    assert [[each["at"] for each in account.most_in(span)] for span in (1, 10, 100)] == [
        [5.0, 5.5, 5.9],
        [0.0, 5.0, 5.5, 5.9, 6.0],
        [*moments],
    ]
    assert AccountRequests().most_in(10) == []
