"""How people steer a rotation: its window, its approval, and its cancellation at every state."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rekey.base import clock, errors
from rekey.databricks import Account
from rekey.model.actions import Action
from rekey.model.steps import StepName
from tests.steps.creating import prepare, wish
from tests.steps.looks import changing_requests, kms_keys, settled
from tests.steps.steering import cancel, seeded
from tests.steps.world import POLL_SECONDS, World

BEFORE_THE_SWITCH = (
    "plan_rotation",
    "create_key",
    "set_policy",
    "register_config",
    "pause_triggers",
    "terminate_compute",
)
AFTER_THE_SWITCH = ("patch_workspace", "switch", "settle", "verify", "restart_compute")


def steps(world: World) -> dict[str, Callable[[], Any]]:
    """The good route, call by call."""
    rotation_id = world.rotation_id
    return {
        **{
            name: lambda name=name: world.call(name, rotation_id=rotation_id)  # type: ignore[misc]
            for name in ("create_key", "set_policy", "register_config")
        },
        "pause_triggers": lambda: world.loop("pause_triggers"),
        "terminate_compute": lambda: world.loop("terminate_compute"),
        "patch_workspace": lambda: sent_patch(world),
        "switch": world.switch,
        "settle": lambda: world.clock.advance(world.settings.settle_seconds),
        "verify": lambda: world.loop("verify"),
        "restart_compute": lambda: world.loop("restart_compute"),
    }


def sent_patch(world: World) -> None:
    """The change is accepted, and shows nowhere yet."""
    while world.rotation().patch_outcome != "accepted":
        world.clock.advance(POLL_SECONDS)
        world.call("patch_workspace", rotation_id=world.rotation_id)


@pytest.mark.rule("rule-8")
@pytest.mark.parametrize("state", BEFORE_THE_SWITCH)
def test_cancelled_before_the_switch_everything_is_put_back(world: World, state: str) -> None:
    workspace_id, old = seeded(world)
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.plan(workspace_id=workspace_id, request_id="CHG1")
    for name, call in steps(world).items():
        if state == "plan_rotation":
            break
        call()
        if name == state:
            break
    answer = cancel(world, reason="not tonight")
    if state == "plan_rotation":
        assert answer["outcome"] == "cancelled"
    else:
        assert answer["outcome"] == "rolling_back"
        after = BEFORE_THE_SWITCH.index(state) + 1
        coming = [*BEFORE_THE_SWITCH, "patch_workspace"][after]
        with pytest.raises(errors.Cancelled, match=r"ada cancelled the rotation \(not tonight\)"):
            world.call(coming, rotation_id="r1")
        report = world.fail("Create key", "Cancelled")
        assert "on the keys it had before" in report["failure"]["cause"]
    rotation = world.rotation()
    assert (rotation.status, world.evidence()["status"]) == ("cancelled", "cancelled")
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.key_state(old) == "Enabled"
    made = [] if state == "plan_rotation" else ["Disabled"]
    assert [world.key_state(each) for each in kms_keys() if each not in old] == made
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []
    # The lease is given back, and the same request may be made again.
    assert world.plan("r2", workspace_id=workspace_id, request_id="CHG1")["decision"] == "rotate"


@pytest.mark.rule("rule-8")
@pytest.mark.parametrize("state", AFTER_THE_SWITCH)
def test_cancelled_after_the_switch_was_sent_the_rotation_finishes(world: World, state: str) -> None:
    workspace_id, _ = seeded(world)
    before = world.compute(workspace_id)
    world.plan(workspace_id=workspace_id)
    for name, call in steps(world).items():
        call()
        if name == state:
            answer = cancel(world)
            assert answer["outcome"] == "finishing"
            assert "unreadable" in answer["what"]
    summary = world.complete()
    assert summary["status"] == "succeeded"
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("rule-8")
@pytest.mark.parametrize("accepted", [False, True])
def test_cancelled_while_a_change_is_with_databricks_its_answer_decides(
    world: World, monkeypatch: pytest.MonkeyPatch, accepted: bool
) -> None:
    workspace_id, _ = seeded(world)
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.loop("terminate_compute")
    send = Account.update_workspace_keys
    outcomes: list[str] = []

    def cancelled_meanwhile(*args: Any) -> None:
        if not outcomes:
            outcomes.append(cancel(world)["outcome"])
            if not accepted:
                raise errors.InvalidState("Please terminate all pool & cluster EC2 instances.")
        send(*args)

    monkeypatch.setattr(Account, "update_workspace_keys", cancelled_meanwhile)
    world.clock.advance(600)  # No instance lingers any more.
    world.call("patch_workspace", rotation_id="r1")
    assert outcomes == ["undecided"]
    rotation = world.rotation()
    assert rotation.cancel is not None
    assert rotation.patch_outcome == ("accepted" if accepted else "refused")
    if accepted:
        assert world.finish()["status"] == "succeeded"
    else:
        with pytest.raises(errors.Cancelled):
            world.call("patch_workspace", rotation_id="r1")
        world.fail("Switch workspace key", "Cancelled")
        assert world.rotation().status == "cancelled"
        assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)
    assert world.get("health")["unreadable"] == []


def test_cancelling_what_has_ended_or_twice_changes_nothing(world: World) -> None:
    workspace_id, _ = seeded(world)
    world.plan(workspace_id=workspace_id)
    assert cancel(world)["outcome"] == "cancelled"
    trail = world.ledger.trail("r1")
    assert cancel(world)["outcome"] == "ended"
    assert world.ledger.trail("r1") == trail
    with pytest.raises(errors.RekeyError, match="knows no rotation"):
        world.call("cancel_rotation", rotation_id="r9", by="ada")


@pytest.mark.rule("rule-8")
def test_a_step_that_wakes_up_in_a_cancelled_rotation_touches_nothing(world: World) -> None:
    """The execution is stopped after the ledger is written: in between a step may still begin."""
    workspace_id, _ = seeded(world)
    keys = kms_keys()
    world.plan(workspace_id=workspace_id)
    cancel(world)
    with pytest.raises(errors.LeaseLost, match=r"has ended \(cancelled\)"):
        world.call("create_key", rotation_id="r1")
    assert kms_keys() == keys
    assert changing_requests(world) == []


def test_cancelled_while_it_creates_a_workspace(world: World) -> None:
    """Before the POST nothing is made; after it the workspace is on its way, and the rotation finishes."""
    for asked_for in (False, True):
        prepare(world, wish(world, workspace_name=f"new-{asked_for}"))
        if asked_for:
            world.call("create_workspace", rotation_id=world.rotation_id)
            assert cancel(world)["outcome"] == "finishing"
            world.loop("create_workspace")
            world.loop("verify")
            assert world.complete()["status"] == "succeeded"
        else:
            assert cancel(world)["outcome"] == "rolling_back"
            with pytest.raises(errors.Cancelled):
                world.call("create_workspace", rotation_id=world.rotation_id)
            assert "No workspace was made" in world.fail("Create workspace", "Cancelled")["failure"]["cause"]
            assert world.get("state")["workspaces"] == []
        world.next_rotation()


@pytest.mark.parametrize("state", ["list_notebooks", "renew_notebooks", "complete_rotation"])
def test_cancelled_when_all_is_proven_the_rotation_finishes(world: World, state: str) -> None:
    workspace_id, _ = seeded(world)
    world.prepare(workspace_id=workspace_id, renew_notebooks=["/"])
    world.switch_and_verify()
    world.loop("restart_compute")
    batches = []
    if state != "list_notebooks":
        batches = world.loop("list_notebooks")["batches"]
    if state == "complete_rotation":
        for number in batches:
            world.loop("renew_notebooks", batch=number)
    assert cancel(world)["outcome"] == "finishing"
    if state == "list_notebooks":
        batches = world.loop("list_notebooks")["batches"]
    if state != "complete_rotation":
        for number in batches:
            world.loop("renew_notebooks", batch=number)
    assert world.complete()["status"] == "succeeded"
    assert world.get("health")["unreadable"] == []


@pytest.mark.parametrize("state", ["roll_back", "restart_compute", "record_failure"])
def test_cancelled_on_the_way_back_it_goes_on_back(world: World, state: str) -> None:
    workspace_id, _ = seeded(world)
    before, fields = world.compute(workspace_id), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.loop("terminate_compute")
    failure = {"state": "Switch workspace key", "error": "SomeError", "cause": "it broke"}
    for name in ("roll_back", "restart_compute", "record_failure"):
        if name == state and name != "roll_back":
            assert cancel(world)["outcome"] == "rolling_back"
        if name == "record_failure":
            world.call(name, rotation_id="r1", failure=failure)
        else:
            event: dict[str, Any] = {"failure": failure} if name == "roll_back" else {}
            world.loop(name, **event)
        if name == state == "roll_back":
            assert cancel(world)["outcome"] == "rolling_back"
    assert (world.rotation().status, cancel(world)["outcome"]) == ("failed", "ended")
    assert world.fields(workspace_id) == fields
    assert settled(world.compute(workspace_id)) == settled(before)


def test_renewed_material_cannot_be_taken_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_id, _ = seeded(world)
    world.plan(workspace_id=workspace_id, operation="rotate_material")
    rotation = world.rotation()
    world.ledger.record(rotation, StepName.WINDOW, Action.WINDOW_OPENED, {}, status="running")
    assert cancel(world)["outcome"] == "finishing"


# --- the window ---


def test_a_window_that_closes_too_soon_is_refused_with_the_time_it_takes(world: World) -> None:
    workspace_id, _ = seeded(world)
    opens = clock.now() + timedelta(hours=5)
    window = {"not_before": clock.text(opens), "not_after": clock.text(opens + timedelta(hours=1))}
    with pytest.raises(errors.RequestRefused, match=r"not_after: .* may take up to \d+ minutes .* Fix: "):
        world.plan(workspace_id=workspace_id, **window)
    assert world.ledger.find("r1") is None
    window["not_after"] = clock.text(opens + timedelta(hours=8))
    assert world.plan(workspace_id=workspace_id, **window)["decision"] == "rotate"


def test_a_rotation_that_comes_too_late_for_its_window_does_not_begin(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_id, _ = seeded(world)
    keys = kms_keys()
    world.plan(workspace_id=workspace_id, not_after=clock.text(clock.now() + timedelta(hours=4)))
    late = clock.now() + timedelta(hours=3)
    monkeypatch.setattr(clock, "now", lambda: late)
    with pytest.raises(errors.WindowClosed, match="Nothing was touched"):
        world.call("create_key", rotation_id="r1")
    assert kms_keys() == keys
    assert world.fail("Create key", "WindowClosed")["status"] == "failed"


def test_a_window_that_closes_before_it_opens_is_refused(world: World) -> None:
    opens = clock.now() + timedelta(hours=5)
    with pytest.raises(errors.InvalidRequest, match="not_after: the window closes before it opens"):
        world.plan(workspace_id=1, not_before=clock.text(opens), not_after=clock.text(opens))
