"""A change of access meets trouble: it goes forward without a person, says the truth, and nothing else touches it."""

import json
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from rekey.aws.policy_document import same
from rekey.model.access import BUDGET_SECONDS
from rekey.rotation.next_step import next_step
from tests import kms_policies
from tests.clients import client
from tests.steps.interrupted import away, back, dies
from tests.steps.own_keys import policy_of
from tests.steps.revoking import approve, caches, changed, keyed, plan, prepared, reads
from tests.steps.walker import Walk
from tests.steps.world import A_DAY_LATER, DATABRICKS, World

DAY = 86_400
REFUSED = {
    "eventName": "Decrypt",
    "errorCode": "AccessDenied",
    "userIdentity": {"accountId": "414351767826"},
}


def lets_databricks_in(key_arn: str) -> bool:
    return any(DATABRICKS in str(each["Principal"]) for each in policy_of(key_arn)["Statement"])


def told(world: World, rotation_id: str) -> list[str]:
    return [str(each["action"]) for each in world.ledger.trail(rotation_id)]


# --- what it ends with ---


@pytest.mark.rule("op-revoke")
def test_a_canary_that_still_reads_is_said_and_the_statements_stay_out(world: World) -> None:
    workspace, request = prepared(world, "revoke")
    caches(world, 2 * BUDGET_SECONDS)
    reads(world, workspace)
    walk = Walk(world, wait_at_least=300)
    assert walk.run(**request) == "Rotation failed"
    assert walk.error == "DataStillReads"
    assert "The canary still reads after 6" in walk.cause
    assert "Roll back" not in walk.states
    assert not lets_databricks_in(workspace["key_arn"])
    rotation, key = world.rotation(), world.key(workspace["key_arn"])
    assert (rotation.status, rotation.is_closed, next_step(rotation)) == ("failed", True, None)
    assert (key.state, key.wanted_by) == ("revoked", ())
    assert world.evidence()["failure"]["error"] == "DataStillReads"
    world.clock.advance(2 * BUDGET_SECONDS)
    assert not reads(world, workspace)
    world.rotation_id = "r2"
    assert changed(world, "restore", workspace["workspace_id"])["status"] == "succeeded"
    assert world.get("health")["unreadable"] == []


def test_a_workspace_that_takes_no_canary_loses_its_access_all_the_same(world: World) -> None:
    workspace, request = prepared(world, "revoke")
    match = {"method": "POST", "path": "*/workspace/import"}
    world.post("faults", match=match, fault="status", status=403, times=None)
    walk = Walk(world, wait_at_least=30)
    assert walk.run(**request) == "Rotation failed"
    assert (walk.error, "no canary could be written" in walk.cause) == ("AccessNotProven", True)
    assert not lets_databricks_in(workspace["key_arn"])
    assert not reads(world, workspace)


def test_an_hour_without_databricks_makes_the_proof_later_and_no_failure(world: World) -> None:
    workspace, _ = prepared(world, "revoke")
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    caches(world)
    world.call("revoke_access", rotation_id="r1")
    away(world)
    for _ in range(70):
        assert not world.call("revoke_access", rotation_id="r1")["done"]
        world.clock.advance(60)
    assert not lets_databricks_in(workspace["key_arn"])
    back(world)
    world.loop("revoke_access")
    assert world.complete()["status"] == "succeeded"


# --- it goes forward ---


@pytest.mark.rule("access-goes-forward")
@pytest.mark.parametrize("operation", ["revoke", "restore"])
@pytest.mark.parametrize("how", ["ABORTED", "TIMED_OUT", "FAILED", "FORGOTTEN"])
def test_an_execution_that_dies_in_the_middle_is_carried_on_forward(world: World, operation: str, how: str) -> None:
    workspace, request = prepared(world, operation)
    if operation == "revoke":
        caches(world)
        reads(world, workspace)
        wait = "Wait for cached data keys"
    else:
        # Its statements are back, and its end is not written.
        wait = "Complete rotation"
    dies(world, wait, request, how=how)
    rotation = world.carried_on()
    assert rotation.status == "succeeded"
    assert lets_databricks_in(workspace["key_arn"]) == (operation == "restore")
    assert world.key(workspace["key_arn"]).is_revoked == (operation == "revoke")
    assert reads(world, workspace) == (operation == "restore")


@pytest.mark.rule("access-goes-forward")
def test_before_anything_is_touched_it_ends_untouched(world: World) -> None:
    workspace, request = prepared(world, "revoke")
    dies(world, "Revoke access", request)
    assert world.carried_on().status == "cancelled"
    assert lets_databricks_in(workspace["key_arn"])
    assert world.key(workspace["key_arn"]).wanted_by == ()
    world.rotation_id = "r2"
    assert changed(world, "revoke", workspace["workspace_id"])["status"] == "succeeded"


@pytest.mark.rule("access-goes-forward")
@pytest.mark.parametrize("operation", ["revoke", "restore"])
def test_a_policy_that_kms_refuses_for_a_day_is_put_once_it_lets_it(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    workspace, request = prepared(world, operation)

    def refuse(*_: Any) -> None:
        raise JsonRESTError("AccessDeniedException", "a guard rail forbids it")

    with monkeypatch.context() as patch:
        patch.setattr(KmsBackend, "put_key_policy", refuse)
        walk = Walk(world, wait_at_least=30)
        assert walk.run(**request) == "Rotation failed"
        assert "The rotation is not over" in walk.cause
        world.executions.end("r1", "FAILED")
        for _ in range(60):
            world.round()
        rotation = world.rotation()
        assert (rotation.ended, rotation.failure) == (False, None)
        assert "unfinished" in told(world, "r1")
        # However often it was tried, the trail has it once.
        assert len(told(world, "r1")) < 20
    assert world.carried_on().status == "succeeded"
    assert lets_databricks_in(workspace["key_arn"]) == (operation == "restore")
    assert reads(world, workspace) == (operation == "restore")


@pytest.mark.rule("access-goes-forward")
def test_one_keys_trouble_keeps_no_other_from_being_revoked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = keyed(world, "MANAGED_SERVICES")
    bad = workspace["key_arn"]
    good = world.rotate(workspace_id=workspace["workspace_id"], operation="add")["key_arn"]
    world.next_rotation()
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    put = KmsBackend.put_key_policy

    def refuse(backend: Any, key_id: str, *more: Any) -> Any:
        if key_id in bad:
            raise JsonRESTError("AccessDeniedException", "a guard rail forbids it")
        return put(backend, key_id, *more)

    with monkeypatch.context() as patch:
        patch.setattr(KmsBackend, "put_key_policy", refuse)
        with pytest.raises(Exception, match="guard rail"):
            world.call("revoke_access", rotation_id=world.rotation_id)
    assert (lets_databricks_in(bad), lets_databricks_in(good)) == (True, False)
    world.loop("revoke_access")
    assert (lets_databricks_in(bad), lets_databricks_in(good)) == (False, False)


@pytest.mark.rule("access-goes-forward")
def test_who_cancels_in_the_middle_is_told_that_it_finishes(world: World) -> None:
    workspace, _ = prepared(world, "revoke")
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    world.call("revoke_access", rotation_id="r1")
    told_what = world.call("cancel_rotation", rotation_id="r1", by="eve")
    assert (told_what["outcome"], "`rekey restore` takes it back" in told_what["what"]) == ("finishing", True)
    world.loop("revoke_access")
    assert world.complete()["status"] == "succeeded"
    assert not lets_databricks_in(workspace["key_arn"])


def test_what_somebody_puts_back_meanwhile_is_taken_again(world: World) -> None:
    workspace, _ = prepared(world, "revoke")
    before = policy_of(workspace["key_arn"])
    caches(world)
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    world.call("revoke_access", rotation_id="r1")
    again = json.dumps(before)
    client("kms").put_key_policy(KeyId=workspace["key_arn"], PolicyName="default", Policy=again)
    world.loop("revoke_access")
    world.complete()
    assert not lets_databricks_in(workspace["key_arn"])
    assert told(world, "r1").count("statements taken out again") == 1
    world.rotation_id = "r2"
    changed(world, "restore", workspace["workspace_id"])
    assert same(policy_of(workspace["key_arn"]), before)


def test_a_policy_that_shows_late_is_not_written_down_twice(world: World) -> None:
    workspace, _ = prepared(world, "revoke")
    before = policy_of(workspace["key_arn"])
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    kms_policies.playing().stale[workspace["key_arn"].rpartition("/")[2]] = 2
    world.loop("revoke_access")
    world.complete()
    world.rotation_id = "r2"
    changed(world, "restore", workspace["workspace_id"])
    assert same(policy_of(workspace["key_arn"]), before)


def test_a_redrive_after_the_finisher_ends_well_too(world: World) -> None:
    """What the finisher has ended, an execution that somebody has go on finds ended."""
    _, request = prepared(world, "revoke")
    dies(world, "Complete rotation", request)
    assert world.carried_on().status == "succeeded"
    assert world.call("revoke_access", rotation_id="r1")["done"]
    assert world.complete()["status"] == "succeeded"


# --- what leaves it alone ---


@pytest.mark.rule("access-revoked-left-alone")
def test_the_key_check_leaves_a_revoked_workspace_alone_for_thirty_days(world: World) -> None:
    """Its old key was disabled and is watched: its canary fails now, and nobody takes that for a need."""
    old = world.make_key()
    workspace = world.quiet_workspace(keys={"managed_services": old})
    new = world.rotate(workspace_id=workspace["workspace_id"])["key_arn"]
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    world.next_rotation()
    changed(world, "revoke", workspace["workspace_id"])
    policies, trails = (policy_of(old), policy_of(new)), (len(world.ledger.keys.trail(old)), world.key(new).version)
    for _ in range(30 * 4):
        swept = world.sweep(DAY / 4)
        assert (swept["enabled"], swept["needed"], swept["failed"], swept["disabled"]) == ([], {}, {}, [])
    assert (policy_of(old), policy_of(new)) == policies
    assert (world.key_state(old), world.key_state(new)) == ("Disabled", "Enabled")
    assert (len(world.ledger.keys.trail(old)), world.key(new).version) == trails
    changed(world, "restore", workspace["workspace_id"])
    assert world.get("health")["unreadable"] == []
    assert (world.key(old).state, world.key(new).state) == ("disabled", "current")
    assert world.key(old).watch_until  # Anew: nothing could tell whether it was missed.


@pytest.mark.rule("access-revoked-left-alone")
def test_another_workspaces_old_key_is_watched_as_before(world: World) -> None:
    """A key that two workspaces have left, of which one is revoked: what fails in that one is no sign."""
    old = world.make_key()
    one = world.quiet_workspace(keys={"managed_services": old})
    other = world.quiet_workspace(workspace_name="other", keys={"managed_services": old})
    for each in (one, other):
        world.rotate(workspace_id=each["workspace_id"])
        world.next_rotation()
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    changed(world, "revoke", one["workspace_id"])
    for _ in range(13):
        assert world.sweep(DAY)["enabled"] == []
    assert world.key(old).state == "disabled"


@pytest.mark.rule("access-revoked-left-alone")
def test_refused_uses_by_the_thousand_do_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    workspace, _ = prepared(world, "revoke")
    changed(world, "revoke", workspace["workspace_id"])
    key_arn = workspace["key_arn"]
    before = world.key(key_arn)
    capsys.readouterr()
    for code in ("AccessDenied", "DisabledException", "KMSInvalidStateException") * 3:
        answer = world.refused_use(**{**REFUSED, "errorCode": code, "resources": [{"ARN": key_arn}]})
        assert answer[key_arn].startswith("its access was revoked on ")
    client("kms").disable_key(KeyId=key_arn.rpartition("/")[2])
    world.refused_use(**REFUSED, resources=[{"ARN": key_arn}])
    assert world.key_state(key_arn) == "Disabled"
    assert world.key(key_arn) == before
    assert "KeysNeeded" not in capsys.readouterr().out


def test_the_way_through_the_machine_is_short(world: World) -> None:
    _, request = prepared(world, "revoke")
    walk = Walk(world, wait_at_least=30)
    assert walk.run(**request) == "Rotation succeeded"
    way = list(dict.fromkeys(walk.states))
    assert way[-6:] == [
        *("Revoke access", "Is access revoked?", "Wait for cached data keys"),
        *("Complete rotation", "Has the rotation ended?", "Rotation succeeded"),
    ]


def test_a_key_of_two_use_cases_is_revoked_once(world: World) -> None:
    workspace = keyed(world)
    made = plan(world, "revoke", workspace["workspace_id"])
    assert made["access_keys"] == [workspace["key_arn"]]
    assert (made["use_cases"], made["would_stop"]) == (["MANAGED_SERVICES", "STORAGE"], {})
