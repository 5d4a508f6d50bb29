"""revoke and restore: Databricks' access to a workspace's keys goes, and comes back, by dual control."""

import json
from typing import Any

import pytest

from rekey.aws.policy_document import same
from rekey.base import errors
from rekey.model.actions import Action
from rekey.telling.events.catalogue import Told, event_of_rotation
from rekey.telling.tickets.comments import compose
from tests.clients import client
from tests.names import BUCKET
from tests.steps.looks import changing_requests, settled
from tests.steps.own_keys import FOREIGN, PAYMENTS, edit, own_key, policy_of
from tests.steps.revoking import CACHE_SECONDS, approve, caches, changed, keyed, plan, reads
from tests.steps.world import DATABRICKS, World

DAY = 86_400


def sids(key_arn: str) -> list[str]:
    return [each.get("Sid", "") for each in policy_of(key_arn)["Statement"]]


def for_databricks(key_arn: str) -> list[str]:
    """Sids of the statements that let Databricks in."""
    return [each.get("Sid", "") for each in policy_of(key_arn)["Statement"] if DATABRICKS in str(each["Principal"])]


@pytest.mark.rule("op-revoke")
def test_reads_fail_once_the_cached_data_keys_are_gone_and_it_says_how_long_that_took(world: World) -> None:
    workspace = keyed(world)
    caches(world)
    assert reads(world, workspace)
    plan(world, "revoke", workspace["workspace_id"])
    approve(world)
    answer = world.call("revoke_access", rotation_id=world.rotation_id)
    assert for_databricks(workspace["key_arn"]) == []
    assert not answer["done"]
    assert "the canary still reads" in answer["waiting_for"][0]
    assert reads(world, workspace)  # Through the cache.
    assert world.key(workspace["key_arn"]).is_revoked
    world.loop("revoke_access")
    summary = world.complete()
    assert not reads(world, workspace)
    assert len(world.get("health")["unreadable"]) > 0
    assert (summary["status"], summary["outcome"]) == ("succeeded", "succeeded")
    [proven] = [each for each in world.evidence()["audit"]["entries"] if each["action"] == "access proven"]
    assert CACHE_SECONDS - 60 <= proven["detail"]["seconds"] <= CACHE_SECONDS + 60
    assert world.key(workspace["key_arn"]).wanted_by == ()


@pytest.mark.parametrize("operation", ["revoke", "restore", "rotate"])
def test_a_dry_run_says_what_would_stop_working(world: World, operation: str) -> None:
    workspace = keyed(world)
    if operation == "restore":
        changed(world, "revoke", workspace["workspace_id"])
    asked: dict[str, Any] = {"approval": True, "requested_by": "grace", "reason": "stolen laptop", "dry_run": True}
    preflight = world.plan(workspace_id=workspace["workspace_id"], operation=operation, **asked)["preflight"]
    assert preflight["possible"], preflight["findings"]
    assert bool(preflight["stops_working"]) is (operation == "revoke")
    if operation == "revoke":
        assert any("notebooks" in each for each in preflight["stops_working"])


def test_the_trail_has_the_policy_before_and_after(world: World) -> None:
    workspace = keyed(world)
    before = policy_of(workspace["key_arn"])
    world.rotation_id = changed(world, "revoke", workspace["workspace_id"])["rotation_id"]
    [taken] = [
        each["detail"] for each in world.ledger.trail(world.rotation_id) if each["action"] == Action.ACCESS_TAKEN
    ]
    assert taken["key_arn"] == workspace["key_arn"]
    assert same(json.loads(taken["before"]), before)
    assert same(json.loads(taken["policy"]), policy_of(workspace["key_arn"]))
    assert len(taken["taken"]) == len(before["Statement"]) - len(policy_of(workspace["key_arn"])["Statement"]) > 0


@pytest.mark.rule("op-restore")
def test_restore_puts_back_exactly_what_was_taken_and_nothing_is_lost(world: World) -> None:
    workspace = keyed(world)
    before = policy_of(workspace["key_arn"])
    changed(world, "revoke", workspace["workspace_id"])
    assert not same(policy_of(workspace["key_arn"]), before)
    summary = changed(world, "restore", workspace["workspace_id"])
    assert summary["status"] == "succeeded"
    assert same(policy_of(workspace["key_arn"]), before)
    assert reads(world, workspace)
    assert world.get("health")["unreadable"] == []
    key = world.key(workspace["key_arn"])
    assert (key.state, key.revoked, key.wanted_by) == ("current", None, ())
    # What was proven leaves nothing behind.
    objects = {each["name"] for each in world.get("state")["workspaces"][0]["sim"]["objects"]}
    assert not {each for each in objects if "rekey-canary" in each}


def test_neither_compute_nor_configurations_are_touched(world: World) -> None:
    workspace = world.workspace()
    world.rotate(workspace_id=workspace["workspace_id"], operation="add")
    world.next_rotation()
    fields, compute = world.fields(workspace["workspace_id"]), settled(world.compute(workspace["workspace_id"]))
    earlier = len(changing_requests(world))
    changed(world, "revoke", workspace["workspace_id"])
    changed(world, "restore", workspace["workspace_id"])
    asked = {each.split("?")[0] for each in changing_requests(world)[earlier:]}
    assert {each.partition("/api/")[2] for each in asked} == {"2.0/workspace/import", "2.0/workspace/delete"}
    assert world.fields(workspace["workspace_id"]) == fields
    assert settled(world.compute(workspace["workspace_id"])) == compute


def test_only_databricks_own_statements_go(world: World) -> None:
    """A statement for others too stays for them; after restore the policy means what it meant."""
    key_arn = own_key()
    workspace = world.quiet_workspace()
    world.rotate(
        workspace_id=workspace["workspace_id"], operation="add", use_cases=["MANAGED_SERVICES"], key_arn=key_arn
    )
    world.next_rotation()
    both = {**PAYMENTS, "Sid": "both", "Principal": {"AWS": ["arn:aws:iam::123456789012:role/payments", DATABRICKS]}}
    edit(key_arn, PAYMENTS, both)
    changed(world, "revoke", workspace["workspace_id"])
    assert sids(key_arn) == ["admin", FOREIGN["Sid"], PAYMENTS["Sid"], "both"]
    assert for_databricks(key_arn) == []
    changed(world, "restore", workspace["workspace_id"])
    assert {"admin", FOREIGN["Sid"], PAYMENTS["Sid"], "both", "both (2)"} < set(sids(key_arn))
    assert len(for_databricks(key_arn)) == 2
    assert reads(world, workspace)


def test_a_storage_key_is_proven_by_a_file(world: World) -> None:
    workspace = keyed(world, "STORAGE")
    summary = changed(world, "revoke", workspace["workspace_id"])
    assert summary["status"] == "succeeded"
    assert reads(world, workspace)  # Notebooks are under none of its keys.
    assert {each["kind"] for each in world.get("health")["unreadable"]} == {"dbfs"}
    assert changed(world, "restore", workspace["workspace_id"])["status"] == "succeeded"
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("access-dual-control")
@pytest.mark.parametrize("operation", ["revoke", "restore"])
def test_nothing_is_done_without_a_second_person(world: World, operation: str) -> None:
    workspace = keyed(world)
    if operation == "restore":
        changed(world, "revoke", workspace["workspace_id"])
    before = policy_of(workspace["key_arn"])
    assert plan(world, operation, workspace["workspace_id"], approval=False)["approval"] is True
    with pytest.raises(errors.RequestRefused, match="somebody else must approve"):
        approve(world, by="Grace")
    with pytest.raises(errors.NotApproved):
        world.call(f"{operation}_access", rotation_id=world.rotation_id)
    assert same(policy_of(workspace["key_arn"]), before)


@pytest.mark.rule("access-dual-control")
def test_break_glass_is_written_down_with_its_reason(world: World) -> None:
    workspace = keyed(world)
    summary = changed(world, "revoke", workspace["workspace_id"], alone=True)
    assert summary["status"] == "succeeded"
    world.rotation_id = summary["rotation_id"]
    [broke] = [each for each in world.evidence()["audit"]["entries"] if each["action"] == "begun without approval"]
    assert broke["detail"] == {"by": "grace", "reason": "stolen laptop"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"alone": True, "reason": None}, "reason: nobody approves this"),
        ({"alone": True, "ticket": {"provider": "jira", "key": "SEC-1"}}, "alone: a ticket's request"),
        ({"alone": True, "approval": True}, "alone: it says that nobody approves"),
        ({"requested_by": None}, "requested_by: it is missing"),
        ({"use_cases": ["STORAGE"]}, "use_cases: revoke is about all keys"),
    ],
)
def test_what_dual_control_needs_is_asked_for(world: World, more: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.InvalidRequest, match=said):
        plan(world, "revoke", 1, **more)


def test_an_event_cannot_break_the_glass(world: World) -> None:
    workspace = keyed(world)
    detail = {"workspace_id": workspace["workspace_id"], "operation": "revoke", "reason": "x", "alone": True}
    event: dict[str, Any] = {"id": "1", "source": "siem", "detail-type": "Rotation Requested", "detail": detail}
    with pytest.raises(errors.InvalidRequest, match="alone: an event's request"):
        world.plan(**event)
    asked = world.plan(**{**event, "detail": {**detail, "alone": False}})
    assert asked["plan"]["approval"] is True


@pytest.mark.rule("sharers-named")
def test_whoever_shares_the_key_must_be_named_and_loses_it_too(world: World) -> None:
    one = keyed(world, "MANAGED_SERVICES")
    other = world.quiet_workspace(workspace_name="other", keys={"managed_services": one["key_arn"]})
    with pytest.raises(errors.RequestRefused, match=f"shared with other \\({other['workspace_id']}\\)"):
        plan(world, "revoke", one["workspace_id"])
    made = plan(world, "revoke", one["workspace_id"], shared_with=[other["workspace_id"]])
    assert any(f"the workspace other ({other['workspace_id']})" in each for each in made["stops_working"])
    approve(world)
    world.loop("revoke_access")
    world.complete()
    world.next_rotation()
    assert not reads(world, one)
    assert not reads(world, other)
    with pytest.raises(errors.RequestRefused, match="rekey restore"):
        world.plan(workspace_id=other["workspace_id"])
    changed(world, "restore", other["workspace_id"], shared_with=[one["workspace_id"]])
    assert reads(world, one)
    assert reads(world, other)


@pytest.mark.rule("sharers-named")
def test_a_workspace_that_joins_after_the_approval_loses_nothing(world: World) -> None:
    one = keyed(world, "MANAGED_SERVICES")
    plan(world, "revoke", one["workspace_id"])
    approve(world)
    other = world.quiet_workspace(workspace_name="other", keys={"managed_services": one["key_arn"]})
    with pytest.raises(errors.WorkspaceChanged, match="other"):
        world.call("revoke_access", rotation_id=world.rotation_id)
    failure = {"state": "Revoke access", "error": "WorkspaceChanged", "cause": "it joined"}
    assert world.call("record_failure", rotation_id=world.rotation_id, failure=failure)["status"] == "failed"
    assert reads(world, other)
    assert world.key(one["key_arn"]).state == "current"


@pytest.mark.rule("access-revoked-left-alone")
def test_a_revoked_workspace_is_not_rotated(world: World) -> None:
    workspace = keyed(world)
    changed(world, "revoke", workspace["workspace_id"])
    for request in ({"operation": "rotate"}, {"operation": "rotate_material"}, {"operation": "revoke", **ASKED}):
        with pytest.raises(errors.RequestRefused, match="restore it first: `rekey restore"):
            world.plan(workspace_id=workspace["workspace_id"], **request)
    other = world.quiet_workspace(workspace_name="other")
    with pytest.raises(errors.RequestRefused, match="the access to the key was revoked"):
        world.plan(workspace_id=other["workspace_id"], operation="add", key_arn=workspace["key_arn"])


def test_what_is_not_revoked_is_not_restored(world: World) -> None:
    workspace = keyed(world)
    with pytest.raises(errors.RequestRefused, match="nobody has revoked the access"):
        plan(world, "restore", workspace["workspace_id"])


def test_a_key_of_an_owner_who_does_not_let_rekey_write_is_refused(world: World) -> None:
    workspace = world.quiet_workspace(keys={"managed_services": world.make_key(ours=False)})
    with pytest.raises(errors.RequestRefused, match="Fix: tag it rekey:brought=true"):
        plan(world, "revoke", workspace["workspace_id"])


def test_a_rotation_that_is_at_work_with_the_key_is_ended_first(world: World) -> None:
    one = keyed(world, "MANAGED_SERVICES")
    other = world.quiet_workspace(workspace_name="other")
    world.prepare(
        workspace_id=other["workspace_id"],
        operation="add",
        use_cases=["MANAGED_SERVICES"],
        key_configuration_id=world.fields(one["workspace_id"])[0],
    )
    with pytest.raises(errors.RequestRefused, match="end it first: `rekey cancel r2`"):
        world.plan("r3", workspace_id=one["workspace_id"], operation="revoke", **ASKED)


def test_the_key_that_it_left_yesterday_goes_too(world: World) -> None:
    """What was written before a switch is read through the old key for a day."""
    old = world.make_key()
    workspace = world.quiet_workspace(keys={"managed_services": old})
    world.rotate(workspace_id=workspace["workspace_id"])
    world.next_rotation()
    changed(world, "revoke", workspace["workspace_id"])
    assert for_databricks(old) == []
    assert not reads(world, workspace)
    changed(world, "restore", workspace["workspace_id"])
    assert reads(world, workspace)
    assert world.key(old).state == "grace"
    # Its day begins anew: Databricks could re-wrap nothing meanwhile.
    assert old not in world.sweep(DAY - 3600)["disabled"]
    assert world.sweep(7200)["disabled"] == [old]
    assert world.get("health")["unreadable"] == []


ASKED: dict[str, str] = {"requested_by": "grace"}


def test_the_policy_is_a_json_that_kms_takes(world: World) -> None:
    workspace = keyed(world)
    changed(world, "revoke", workspace["workspace_id"])
    assert json.loads(json.dumps(policy_of(workspace["key_arn"])))["Statement"]


def test_the_world_and_the_inventory_are_told(world: World) -> None:
    workspace = keyed(world)
    summary = changed(world, "revoke", workspace["workspace_id"], alone=True)
    rotation = world.rotation(summary["rotation_id"])
    made = [
        event_of_rotation(Told(each, rotation, "bucket", DAY)) for each in world.ledger.trail(summary["rotation_id"])
    ]
    told = {each[0].detail_type: each[1].data for each in made if each}
    assert told["Break Glass Used"] == {"operation": "revoke", "by": "grace", "reason": "stolen laptop"}
    revoked = told["Key Access Revoked"]
    assert (revoked["keys"], revoked["approved_by"]) == ([workspace["key_arn"]], None)
    assert compose("Key Access Revoked", {"id": "1", "workspace_id": workspace["workspace_id"], "data": revoked})
    world.call("inventory")
    body = client("s3").get_object(Bucket=BUCKET, Key="inventory/latest.json")["Body"].read()
    [row] = [each for each in json.loads(body)["workspaces"] if each["workspace_id"] == workspace["workspace_id"]]
    said = [why["text"] for use in row["keys"] for why in use["whys"] if why["reason"] == "access_revoked"]
    assert len(said) == 2
    assert " by grace (r2). Fix: rekey restore" in said[0]
