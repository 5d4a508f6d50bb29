"""The way back of a given key's policy: what the rotation added goes, and nobody's access goes with it."""

from typing import Any

import pytest

from rekey.aws.policy_document import meaning, same
from rekey.base import errors
from rekey.model.actions import Action
from tests.kms_policies import Policies
from tests.steps.own_keys import PAYMENTS, edit, own_key, policy_of
from tests.steps.world import DATABRICKS, World

MANAGED = "Allow Databricks to use KMS key for managed services in the control plane"
VOLUMES = "Allow Databricks to use KMS key for EBS"
TOO_LONG = ("Terminate compute", "States.Timeout", "it took too long")


def sids(key_arn: str) -> list[str]:
    return [each["Sid"] for each in policy_of(key_arn)["Statement"]]


def workspace(world: World, name: str, **seed: Any) -> int:
    return int(world.quiet_workspace(workspace_name=name, **seed)["workspace_id"])


def adding(world: World, name: str, key_arn: str) -> dict[str, Any]:
    """A request that gives a workspace, whose cross-account role is its own, both keys."""
    workspace_id = workspace(world, name, role_arn=f"arn:aws:iam::123456789012:role/{name}")
    return {"workspace_id": workspace_id, "operation": "add", "key_arn": key_arn}


def fail(world: World, rotation_id: str) -> Any:
    world.rotation_id = rotation_id
    return world.fail(*TOO_LONG)


@pytest.mark.rule("rule-14")
def test_what_the_owner_wrote_meanwhile_stays_and_what_the_rotation_added_goes(world: World) -> None:
    key_arn = own_key()
    before = policy_of(key_arn)
    world.prepare(**adding(world, "one", key_arn))
    edit(key_arn, PAYMENTS)
    ended = world.fail(*TOO_LONG)
    assert same(policy_of(key_arn), {**before, "Statement": [*before["Statement"], PAYMENTS]})
    assert ended["findings"] == []


@pytest.mark.rule("rule-14")
def test_a_statement_that_a_workspace_relies_on_by_now_stays(world: World) -> None:
    key_arn, old = own_key(), world.make_key()
    one, two = (workspace(world, name, keys={"managed_services": old}) for name in ("one", "two"))
    request = {"operation": "rotate", "key_arn": key_arn}
    world.prepare(workspace_id=one, **request)
    world.next_rotation()
    assert world.rotate(workspace_id=two, **request)["status"] == "succeeded"
    ended = fail(world, "r1")
    assert MANAGED in sids(key_arn)
    assert f"workspace {two} uses the key" in " ".join(ended["findings"])
    (left,) = [each["detail"] for each in world.ledger.trail("r1") if each["action"] == Action.LEFT]
    assert left["left"]
    assert set(left["left"]) <= set(ended["findings"])
    world.clock.advance(90_000)  # The day in which Databricks still reads through the old key is over.
    assert [each for each in world.get("health")["unreadable"] if each["workspace_id"] == two] == []


def test_of_a_shared_keys_policy_only_what_nobody_needs_goes(world: World) -> None:
    """The failed workspace's own role goes; Databricks' statements, which the other workspace uses, stay."""
    key_arn = own_key()
    first, second = adding(world, "one", key_arn), adding(world, "two", key_arn)
    world.prepare(**first)
    world.next_rotation()
    world.rotate(**second)
    ended = fail(world, "r1")
    left = policy_of(key_arn)["Statement"]
    roles = [each["Principal"]["AWS"].rpartition("/")[2] for each in left if each["Sid"].startswith(VOLUMES)]
    assert roles == ["two"]
    assert len(left) == 2 + 3 + 1
    assert len([each for each in ended["findings"] if "keeps the statement" in each]) == 3
    assert world.get("health")["unreadable"] == []


def test_a_statement_that_a_rotation_under_way_relies_on_stays(world: World) -> None:
    key_arn = own_key()
    first, second = adding(world, "one", key_arn), adding(world, "two", key_arn)
    world.prepare(**first)
    world.next_rotation()
    world.prepare(**second)
    ended = fail(world, "r1")
    assert MANAGED in sids(key_arn)
    assert "the rotation r2 is at work with it" in " ".join(ended["findings"])
    assert any("configuration" in each and "the rotation r2 takes it" in each for each in ended["findings"])
    world.rotation_id = "r2"
    world.switch_and_verify()
    assert world.get("health")["unreadable"] == []


@pytest.mark.parametrize("fate", ["disable", "retain"])
def test_a_statement_that_a_workspace_still_reads_through_stays(world: World, fate: str) -> None:
    """It came by the statements that the first rotation added, and has left again; for a day it needs them still."""
    key_arn, old = own_key(), world.make_key()
    one, two = (workspace(world, name, keys={"managed_services": old}) for name in ("one", "two"))
    world.prepare(workspace_id=one, operation="rotate", key_arn=key_arn)
    for request in ({"key_arn": key_arn}, {"old_key": fate}):
        world.next_rotation()
        assert world.rotate(workspace_id=two, operation="rotate", **request)["status"] == "succeeded"
    ended = fail(world, "r1")
    assert MANAGED in sids(key_arn)
    assert f"workspace {two} may have left the key" in " ".join(ended["findings"])
    assert world.get("health")["unreadable"] == []


def test_a_key_that_a_workspace_of_an_unlisted_configuration_may_use_keeps_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rekey.databricks import Account

    key_arn = own_key()
    other = world.quiet_workspace(workspace_name="other", keys={"managed_services": world.make_key()})
    world.prepare(**adding(world, "one", key_arn))
    listed, hidden = Account.list_configurations, other["configurations"]["managed_services"]
    monkeypatch.setattr(
        Account,
        "list_configurations",
        lambda account: [each for each in listed(account) if each.configuration_id != hidden],
    )
    ended = world.fail(*TOO_LONG)
    assert len(sids(key_arn)) == 2 + 4
    assert len([each for each in ended["findings"] if "which key" in each or "does not list" in each]) == 4


def test_a_statement_that_was_there_before_stays_whoever_wrote_it(world: World, policies: Policies) -> None:
    """The owner had allowed the very same in other words: nothing is put, and nothing taken out."""
    key_arn = own_key()
    shown = {
        "Sid": "Databricks",
        "Effect": "Allow",
        "Principal": {"AWS": [DATABRICKS.split(":")[4]]},
        "Action": ["kms:decrypt", "kms:Encrypt"],
        "Resource": ["*"],
        "Condition": {"StringEquals": {"aws:principaltag/DatabricksAccountId": world.settings.databricks_account_id}},
    }
    edit(key_arn, shown)
    puts = len(policies.puts)
    old = world.make_key()
    workspace_id = workspace(world, "one", keys={"managed_services": old})
    world.prepare(workspace_id=workspace_id, operation="rotate", key_arn=key_arn)
    world.fail(*TOO_LONG)
    assert len(policies.puts) == puts
    assert sids(key_arn) == ["admin", "Auditors may look", "Databricks"]


def test_a_statement_that_the_owner_made_his_own_stays(world: World) -> None:
    key_arn = own_key()
    workspace_id = workspace(world, "one", keys={"managed_services": world.make_key()})
    world.prepare(workspace_id=workspace_id, operation="rotate", key_arn=key_arn)
    added = policy_of(key_arn)["Statement"][-1]
    edit(key_arn, {**added, "Sid": "ours by now"}, less=MANAGED)
    world.fail(*TOO_LONG)
    assert sids(key_arn) == ["admin", "Auditors may look", "ours by now"]


def test_two_rotations_that_write_at_once_lose_neithers_statements(world: World, policies: Policies) -> None:
    key_arn = own_key()
    first, second = adding(world, "one", key_arn), adding(world, "two", key_arn)
    for rotation_id, request in (("r1", first), ("r2", second)):
        world.plan(rotation_id=rotation_id, **request)
        world.call("create_key", rotation_id=rotation_id)
    met = []

    def second_writes() -> None:
        with pytest.raises(errors.AwsUnavailable, match="Another rotation is writing") as seen:
            world.call("set_policy", rotation_id="r2")
        met.append(seen)

    policies.before_put = second_writes
    world.call("set_policy", rotation_id="r1")
    assert len(met) == 1
    world.call("set_policy", rotation_id="r2")
    assert len(sids(key_arn)) == 2 + 4 + 1
    assert len(set(sids(key_arn))) == 2 + 4 + 1


@pytest.mark.parametrize("route", ["on", "back"])
def test_a_read_that_is_late_loses_nobodys_statements(world: World, policies: Policies, route: str) -> None:
    """KMS is eventually consistent: what another rotation added may not show, and must be in what is put."""
    key_arn = own_key()
    first, second = adding(world, "one", key_arn), adding(world, "two", key_arn)
    for rotation_id, request in (("r1", first), ("r2", second)):
        world.plan(rotation_id=rotation_id, **request)
        world.call("create_key", rotation_id=rotation_id)
    world.call("set_policy", rotation_id="r1")
    if route == "on":
        policies.stale[key_arn] = 1
        world.call("set_policy", rotation_id="r2")
        assert len(sids(key_arn)) == 2 + 4 + 1
        return
    world.call("set_policy", rotation_id="r2")
    policies.stale[key_arn] = 1
    fail(world, "r1")
    left = policy_of(key_arn)["Statement"]
    assert [each["Principal"]["AWS"][-3:] for each in left if each["Sid"].startswith(VOLUMES)] == ["two"]


def test_a_put_that_does_not_show_yet_is_waited_for(world: World, policies: Policies) -> None:
    key_arn = own_key()
    world.plan(**adding(world, "one", key_arn))
    world.call("create_key", rotation_id="r1")
    policies.before_put = lambda: policies.stale.update({key_arn: 1})
    with pytest.raises(errors.AwsUnavailable, match="does not yet show"):
        world.call("set_policy", rotation_id="r1")
    puts = len(policies.puts)
    assert world.call("set_policy", rotation_id="r1")["changed"] is False
    assert len(policies.puts) == puts
    assert [each["action"] for each in world.ledger.trail("r1")].count("policy set") == 1


def test_a_policy_that_kms_takes_no_more_is_left_and_told(world: World, policies: Policies) -> None:
    key_arn = own_key()
    world.prepare(**adding(world, "one", key_arn))
    edit(key_arn, {**PAYMENTS, "Principal": {"AWS": "AROAEXAMPLEEXAMPLE77"}})
    policies.strict = True
    ended = world.fail(*TOO_LONG)
    assert "KMS takes its policy no more" in " ".join(ended["findings"])
    assert world.rotation("r1").rolled_back_at is not None


def test_a_key_that_rekey_made_keeps_what_another_rotation_added(world: World) -> None:
    """Set key policy of a new key may be called again after somebody else has come to share it."""
    workspace_id = workspace(world, "one")
    world.plan(workspace_id=workspace_id, operation="add")
    key_arn = world.call("create_key", rotation_id="r1")["key_arn"]
    assert world.call("set_policy", rotation_id="r1")["changed"] is True
    assert [each["Effect"] for each in policy_of(key_arn)["Statement"]].count("Deny") == 2
    edit(key_arn, PAYMENTS)
    assert world.call("set_policy", rotation_id="r1")["changed"] is False
    edit(key_arn, less=MANAGED)
    assert world.call("set_policy", rotation_id="r1")["changed"] is True
    found = {meaning(each) for each in policy_of(key_arn)["Statement"]}
    assert meaning(PAYMENTS) in found
    assert MANAGED in sids(key_arn)


def test_a_new_key_that_another_rotation_uses_already_stays_enabled(world: World) -> None:
    one = workspace(world, "one")
    two = workspace(world, "two", role_arn="arn:aws:iam::123456789012:role/two")
    world.prepare(workspace_id=one, operation="add")
    first = world.rotation("r1")
    world.next_rotation()
    request = {"workspace_id": two, "operation": "add", "key_configuration_id": first.configuration_id}
    world.prepare(**request)
    ended = fail(world, "r1")
    assert world.key_state(str(first.key_arn)) == "Enabled"
    assert "the rotation r2 is at work with it" in " ".join(ended["findings"])
    world.rotation_id = "r2"
    world.switch()
    assert world.get("health")["unreadable"] == []
