"""The finisher when things are against it: outages, somebody else at work, a lost lease, a person who lets it be."""

from typing import Any

import pytest

from rekey.base import clock, errors
from rekey.ledger.transaction import transact
from rekey.model.findings import FindingCode
from rekey.rotation.next_step import next_step
from tests.clients import client
from tests.names import TABLE
from tests.steps.interrupted import away, back, check, dies, sample
from tests.steps.world import World

HOURS = 3_600.0
SIX_HOURS = 6 * HOURS

STATES = (
    *("Register key configuration", "Terminate compute", "Switch workspace key", "Wait for the switch"),
    *("Settle wait", "Verify", "Restart compute", "Complete rotation"),
)


def storage(world: World) -> tuple[int, dict[str, Any], dict[str, Any]]:
    workspace_id = world.workspace()["workspace_id"]
    return workspace_id, world.compute(workspace_id), {"workspace_id": workspace_id, "operation": "add"}


def actions(world: World) -> list[str]:
    return [each["action"] for each in world.ledger.trail(world.rotation_id)]


def lease(world: World, workspace_id: int) -> dict[str, Any]:
    key = {"pk": {"S": f"WORKSPACE#{workspace_id}"}, "sk": {"S": "LEASE"}}
    found: dict[str, Any] = client("dynamodb").get_item(TableName=TABLE, Key=key).get("Item", {})
    return found


@pytest.mark.rule("rule-13")
@pytest.mark.parametrize("state", sample(STATES, 3))
def test_databricks_is_away_for_six_hours(world: World, state: str) -> None:
    workspace_id, before, request = storage(world)
    dies(world, state, request)
    away(world)
    for _ in range(int(SIX_HOURS // 1_800)):
        world.round(1_800)
    assert not world.rotation().ended
    back(world)
    world.carried_on()
    check(world, workspace_id, before)
    # Half an hour after it first got nowhere the world is told, and not again on the same day.
    assert actions(world).count("unfinished") == 1


@pytest.mark.rule("rule-13")
@pytest.mark.parametrize("state", sample(["Restore compute", "Roll back", "Record failure"], 3))
def test_on_the_way_back_too(world: World, state: str) -> None:
    workspace_id, before, request = storage(world)
    dies(world, state, request, breaks="Terminate compute")
    away(world)
    for _ in range(int(SIX_HOURS // 1_800)):
        world.round(1_800)
    back(world)
    world.carried_on()
    assert check(world, workspace_id, before).status == "failed"


def test_rounds_that_get_nowhere_are_ever_farther_apart(world: World) -> None:
    _, _, request = storage(world)
    dies(world, "Switch workspace key", request)
    away(world)
    apart = []
    for _ in range(8):
        world.round(400)
        finishing = world.rotation().finishing
        assert finishing is not None
        world.until(finishing.next_at)
        apart.append(finishing.tries)
    assert apart == sorted(apart)
    said = world.rotation().finishing
    assert said is not None
    assert said.said.startswith("DatabricksUnavailable")
    assert 1_700 < (clock.moment(said.next_at) - clock.now()).total_seconds() + 1_800 <= 1_801


def test_an_execution_that_runs_is_left_alone(world: World) -> None:
    _, _, request = storage(world)
    dies(world, "Switch workspace key", request)
    world.executions.end("r1", "RUNNING")
    rotation = world.rotation()
    assert world.round()["closed"] == []
    assert world.rotation() == rotation


def test_one_that_step_functions_has_forgotten_is_finished(world: World) -> None:
    workspace_id, before, request = storage(world)
    dies(world, "Switch workspace key", request, how="FORGOTTEN")
    world.carried_on()
    assert check(world, workspace_id, before).status == "failed"


@pytest.mark.rule("rule-4")
def test_nothing_is_done_while_a_lambda_of_the_execution_may_still_be_at_work(world: World) -> None:
    """It is taken up at once, so that such a Lambda writes nothing more."""
    _, _, request = storage(world)
    dies(world, "Switch workspace key", request)
    zombie = world.rotation()
    told = world.execution_ended("r1", "ABORTED")
    assert told["said"] == "what its execution had begun to come to an end"
    assert world.rotation().failure is not None
    requests = len(world.get("requests"))
    world.round(60)
    assert len(world.get("requests")) == requests
    with pytest.raises(errors.AwsUnavailable):
        world.ledger.note(zombie, patch_outcome="unknown")
    world.carried_on()


def test_of_two_rounds_at_once_one_works_on_a_rotation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rekey.finisher import carry_on as module

    _, _, request = storage(world)
    dies(world, "Switch workspace key", request)
    walk, others = module._walk, []

    def second_meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(module, "_walk", walk)
        others.append(world.call("carry_on", seconds=900.0))
        others.append(world.execution_ended("r1", "ABORTED"))
        return walk(*given)

    monkeypatch.setattr(module, "_walk", second_meanwhile)
    world.round()
    assert [each.get("looked_at", each.get("outcome")) for each in others] == [0, "at work"]
    world.carried_on()


def test_a_round_that_was_killed_is_followed_by_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from rekey.finisher import carry_on as module

    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    workspace_id, before, request = storage(world)
    dies(world, "Switch workspace key", request)
    with monkeypatch.context() as patched:
        patched.setattr(module, "_walk", kill)
        with pytest.raises(Killed):
            world.round()
    assert world.round(300)["looked_at"] == 0
    world.carried_on()
    assert check(world, workspace_id, before).status == "failed"


@pytest.mark.parametrize("kill_at", sample(range(1, 60, 3), 9))
def test_killed_for_good_after_any_write(world: World, monkeypatch: pytest.MonkeyPatch, kill_at: int) -> None:
    """The Lambda dies right after its n-th write to the ledger, in each round again, a little later each time."""

    class Killed(BaseException):
        pass

    workspace_id, before, request = storage(world)
    dies(world, "Wait for the switch" if kill_at % 2 else "Switch workspace key", request)
    writes: list[int] = []

    def dying(*given: Any) -> Any:
        refused = transact(*given)
        writes.append(1)
        if len(writes) in (kill_at, kill_at + 3, kill_at + 7):
            raise Killed
        return refused

    monkeypatch.setattr("rekey.ledger.table.transact", dying)
    for _ in range(80):
        if world.rotation().is_closed:
            break
        try:
            world.round()
        except Killed:
            world.clock.advance(900)
    check(world, workspace_id, before)


# --- leases ---


def test_the_next_rotation_waits_until_what_the_last_one_left_is_done(world: World) -> None:
    workspace_id, before, request = storage(world)
    dies(world, "Switch workspace key", {**request, "request_id": "CHG1"})
    away(world)
    for hours in (1, 36, 72):
        world.clock.advance(hours * HOURS)
        with pytest.raises(errors.RotationInProgress, match=r"rotation r1 .*rekey (status|finish) r1"):
            world.ledger.open(world.rotation().model_copy(update={"rotation_id": "r2", "fence": 9}), {})
        world.round()
    back(world)
    world.carried_on()
    check(world, workspace_id, before)
    assert lease(world, workspace_id) == {}
    assert world.plan("r2", workspace_id=workspace_id, operation="add", request_id="CHG1")["decision"] == "rotate"


def test_a_rotation_that_lost_its_lease_is_closed_and_its_keys_are_nobodys(world: World) -> None:
    """As those did that an earlier version left behind for longer than a lease lasted then."""
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    dies(world, "Switch workspace key", {"workspace_id": workspace_id})
    key = {"pk": {"S": f"WORKSPACE#{workspace_id}"}, "sk": {"S": "LEASE"}}
    client("dynamodb").delete_item(TableName=TABLE, Key=key)
    world.plan("r2", workspace_id=workspace_id)
    held = lease(world, workspace_id)
    world.round()
    rotation = world.rotation()
    assert (rotation.status, rotation.failure and rotation.failure.error) == ("failed", "LeaseLost")
    assert "s3://" in next(each.text for each in rotation.findings if each.code == FindingCode.NOT_BACK)
    assert lease(world, workspace_id) == held
    assert world.key(old).wanted_by == ("r2",)
    assert rotation.key_arn
    assert world.key(rotation.key_arn).state == "retained"
    assert world.evidence()["status"] == "failed"


# --- a person ---


def ask(world: World, **more: Any) -> Any:
    return world.call("carry_on", seconds=900.0, rotation_id="r1", by="ada", **more)


def test_a_person_sees_what_is_undone_and_has_it_tried_at_once(world: World) -> None:
    workspace_id, before, request = storage(world)
    dies(world, "Restore compute", request, breaks="Terminate compute")
    away(world)
    for _ in range(3):
        world.round(1_800)
    seen = ask(world, look=True)
    assert seen["undone"][0] == "Restore compute comes next"
    down = world.rotation().down
    assert any(each.startswith("cluster ") for each in down)
    assert seen["undone"][1] == f"its compute is not back: {'; '.join(down)}"
    assert "Restore compute" in seen["said"] or "DatabricksUnavailable" in seen["said"]
    back(world)
    for _ in range(20):
        if not ask(world)["undone"]:
            break
        world.clock.advance(60)
    assert ask(world, look=True)["undone"] == []
    check(world, workspace_id, before)


def test_nobody_interferes_with_an_execution_that_runs(world: World) -> None:
    _, _, request = storage(world)
    world.plan(**request)
    assert ask(world, look=True)["running"]
    for more in ({}, {"let_be": "all"}):
        with pytest.raises(errors.RequestRefused, match=r"is at work on it\. Fix: .*rekey cancel r1"):
            ask(world, **more)


@pytest.mark.parametrize("state", ["Restart compute", "Restore compute"])
def test_compute_that_a_person_lets_be_holds_nobody_up(world: World, state: str) -> None:
    workspace_id, _, request = storage(world)
    dies(world, state, request, breaks="Verify" if state == "Restore compute" else None)
    away(world, "clusters/start")
    for _ in range(3):
        world.round()
    answer = ask(world, let_be="compute", reason="moved")
    for _ in range(3):
        if answer["undone"]:
            world.clock.advance(1_800)
            answer = ask(world)
    assert answer["undone"] == []
    [found] = [each.text for each in world.rotation().findings if each.code == FindingCode.LET_BE]
    assert found.startswith("ada decided (moved): its compute stays as it is")
    assert lease(world, workspace_id) == {}
    assert next_step(world.rotation()) is None


@pytest.mark.parametrize("state", ["Switch workspace key", "Wait for the switch", "Verify"])
def test_a_workspace_that_is_gone_for_good_is_let_be(world: World, state: str) -> None:
    workspace_id, _, request = storage(world)
    dies(world, state, request)
    away(world)
    world.round(1_800)
    answer = ask(world, let_be="all")
    assert (answer["status"], answer["undone"]) == ("failed", [])
    assert world.evidence()["status"] == "failed"
    assert lease(world, workspace_id) == {}
