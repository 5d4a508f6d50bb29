"""Drift: what somebody changes behind rekey's back is found by one run, told once, and closed when it is mended."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.errors import NotFound, RekeyError
from rekey.databricks.connect import connect_account
from rekey.drift import find as finding
from rekey.drift import tell
from rekey.model.drift import What
from tests.clients import client
from tests.steps.drifting import (
    LATER,
    configuration,
    edited,
    given,
    key_id,
    patched,
    put,
    quiet,
    run,
    told_once_and_closed,
)
from tests.steps.interrupted import away, back
from tests.steps.own_keys import FOREIGN, own_key
from tests.steps.world import A_DAY_LATER, World


def test_an_apply_that_puts_an_old_configuration_back(world: World) -> None:
    old_key = world.make_key()
    workspace_id = int(world.quiet_workspace(keys={"managed_services": old_key})["workspace_id"])
    old = str(world.fields(workspace_id)[0])
    world.rotate(workspace_id=workspace_id)
    new = str(world.fields(workspace_id)[0])
    quiet(world)
    patched(world, workspace_id, old)
    drift = told_once_and_closed(world, workspace_id, What.MANAGED_SERVICES, lambda: patched(world, workspace_id, new))
    assert (drift.before, drift.after, drift.workspaces, drift.workspace_id) == (new, old, ("prod",), workspace_id)
    patched(world, workspace_id, old)
    assert run(world)["told"], "a new drift later is told anew"


def test_a_rotation_proves_anew(world: World) -> None:
    workspace_id = int(world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    old = str(world.fields(workspace_id)[0])
    world.rotate(workspace_id=workspace_id)
    patched(world, workspace_id, old)
    assert run(world)["told"]
    world.next_rotation()
    world.rotate(workspace_id=workspace_id)
    assert run(world)["closed"] == [f"{What.MANAGED_SERVICES} of {workspace_id}"]
    quiet(world)


def test_a_key_that_was_put_there_by_hand_and_adopted_is_no_drift_any_more(world: World) -> None:
    workspace_id = int(world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    world.rotate(workspace_id=workspace_id)
    quiet(world)
    by_hand = world.make_key()
    patched(world, workspace_id, configuration(world, by_hand, "MANAGED_SERVICES"))
    assert run(world)["told"]
    world.clock.advance(60)
    world.call("adopt_key", key_arn=by_hand, own_account="123456789012", asked_by="grace")
    assert run(world)["closed"]
    quiet(world)


DATABRICKS_ROOT = "arn:aws:iam::414351767826:root"


def _removed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if "DBFS" not in each.get("Sid", "")]


def _narrowed(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "Action": "kms:Decrypt"} if "control plane" in each["Sid"] else each for each in found]


def _unbound(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in each.items() if k != "Condition" or "DBFS" not in each["Sid"]} for each in found]


def _widened(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wide = {"Sid": "w", "Effect": "Allow", "Principal": {"AWS": DATABRICKS_ROOT}, "Action": "kms:*", "Resource": "*"}
    return [*found, wide]


def _public(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*found, {"Sid": "p", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]


def _denied(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*found, {"Sid": "d", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}]


@pytest.mark.parametrize("edit", [_removed, _narrowed, _unbound, _widened, _public, _denied])
def test_an_edit_of_what_databricks_may_do(world: World, edit: Callable[..., Any]) -> None:
    _, key_arn = given(world)
    quiet(world)
    before = edited(key_arn, edit)
    drift = told_once_and_closed(world, key_arn, What.POLICY, lambda: put(key_arn, before))
    assert (drift.key_arn, drift.workspaces) == (key_arn, ("prod",))
    assert drift.before != drift.after
    assert (drift.before == "none") == (edit in (_widened, _public, _denied))


def test_an_edit_before_the_first_run_is_found_too(world: World) -> None:
    _, key_arn = given(world)
    before = edited(key_arn, _widened)
    told_once_and_closed(world, key_arn, What.POLICY, lambda: put(key_arn, before))


TLS_ONLY = {
    "Sid": "tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "kms:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_statements_of_others_are_their_owners_business(world: World) -> None:
    _, key_arn = given(world)
    quiet(world)
    edited(key_arn, lambda found: [*reversed(found), FOREIGN, TLS_ONLY])
    quiet(world)


def test_automatic_rotation_that_is_switched_off(world: World) -> None:
    _, key_arn = given(world)
    quiet(world)
    kms = client("kms")
    kms.disable_key_rotation(KeyId=key_id(key_arn))
    told_once_and_closed(world, key_arn, What.ROTATION, lambda: kms.enable_key_rotation(KeyId=key_id(key_arn)))


@pytest.mark.parametrize("told_before", [True, False])
def test_what_the_key_check_repairs_is_told_with_what_it_did(world: World, told_before: bool) -> None:
    _, key_arn = given(world)
    client("kms").disable_key_rotation(KeyId=key_id(key_arn))
    if told_before:
        assert run(world)["told"]
    assert world.sweep(A_DAY_LATER)["looked_after"] == [key_arn]
    assert KmsKey(key_arn).rotation_status()["KeyRotationEnabled"]
    drift = world.ledger.drifts.find(key_arn, What.ROTATION)
    assert drift is not None
    assert not drift.is_open
    assert drift.repaired == "the key check switched it on again, every 365 days"
    actions = [each["action"] for each in world.ledger.drifts.trail(key_arn, What.ROTATION)]
    assert actions == (["drift found", "drift closed"] if told_before else ["drift found and repaired"])
    quiet(world)


def test_rotation_that_an_adopted_key_never_had_has_not_drifted(world: World) -> None:
    key_arn = world.make_key()
    world.quiet_workspace(keys={"managed_services": key_arn})
    world.call("adopt_key", key_arn=key_arn, own_account="123456789012", asked_by="grace")
    quiet(world)
    assert world.sweep(A_DAY_LATER)["looked_after"] == [key_arn]
    assert world.ledger.drifts.find(key_arn, What.ROTATION) is None
    quiet(world)
    # From now on it has it.
    client("kms").disable_key_rotation(KeyId=key_id(key_arn))
    assert run(world)["told"]


def test_a_tag_that_is_taken_away(world: World) -> None:
    _, key_arn = given(world)
    quiet(world)
    kms, tag = client("kms"), {"TagKey": "rekey:managed", "TagValue": "rekey"}
    kms.untag_resource(KeyId=key_id(key_arn), TagKeys=["rekey:managed"])
    told_once_and_closed(world, key_arn, What.TAG, lambda: kms.tag_resource(KeyId=key_id(key_arn), Tags=[tag]))


def test_a_new_workspace_without_a_key(world: World) -> None:
    world.quiet_workspace(workspace_name="always bare")
    quiet(world)
    bare = int(world.quiet_workspace(workspace_name="new")["workspace_id"])

    def add() -> None:
        world.rotate(workspace_id=bare, operation="add")

    drift = told_once_and_closed(world, bare, What.NO_KEY, add)
    assert (drift.workspaces, drift.after) == (("new",), "no key")


def test_a_new_workspace_that_comes_with_a_key_is_taken_as_it_is(world: World) -> None:
    quiet(world)
    world.quiet_workspace(keys={"managed_services": world.make_key()})
    quiet(world, 2)


def test_a_workspace_that_is_deleted_meanwhile_has_not_drifted(world: World) -> None:
    quiet(world)
    workspace_id = int(world.quiet_workspace(workspace_name="new")["workspace_id"])
    assert run(world)["told"]
    account = connect_account(world.settings)
    listed = [each for each in account.list_workspaces() if each.workspace_id != workspace_id]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(account), "list_workspaces", lambda _: listed)
        # A list may be late: only who asks for the workspace itself knows.
        quiet(world)
        patch.setattr(type(account), "get_workspace", _no_such_workspace)
        assert run(world)["closed"] == [f"{What.NO_KEY} of {workspace_id}"]


def _no_such_workspace(_: Any, workspace_id: int) -> Any:
    raise NotFound(f"no workspace {workspace_id}")


def test_databricks_or_kms_away_is_unknown_and_no_drift(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_id, key_arn = given(world)
    quiet(world)
    away(world)
    with pytest.raises(RekeyError):
        world.call("find_drift")
    back(world)
    for error in (
        ClientError({"Error": {"Code": "KMSInternalException", "Message": "no"}}, "GetKeyPolicy"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetKeyPolicy"),
        EndpointConnectionError(endpoint_url="https://kms"),
    ):
        with monkeypatch.context() as patch:
            for name in ("policy", "rotation_status", "tags"):
                patch.setattr(KmsKey, name, _raising(error))
            found = run(world)
        assert (found["told"], found["closed"], list(found["unknown"])) == ([], [], [key_arn])
    edited(key_arn, _removed)
    assert run(world)["told"]
    with monkeypatch.context() as patch:
        patch.setattr(KmsKey, "policy", _raising(error))
        assert run(world)["closed"] == [], "what cannot be read is not mended either"
    del workspace_id


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_two_runs_at_once_tell_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key_arn = given(world)
    quiet(world)
    edited(key_arn, _removed)
    found, runs = tell.found, list[Any]()

    def second(*args: Any) -> bool:
        monkeypatch.setattr(tell, "found", found)
        runs.append(world.call("find_drift"))
        return found(*args)

    monkeypatch.setattr(tell, "found", second)
    runs.append(run(world))
    assert [each["told"] for each in runs] == [[f"{What.POLICY} of {key_arn}"], []]
    assert len(world.ledger.drifts.trail(key_arn, What.POLICY)) == 1


def test_a_rotation_that_begins_between_the_look_and_the_writing_keeps_it_from_being_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_id, key_arn = given(world)
    quiet(world)
    edited(key_arn, _removed)
    found = tell.found

    def opened(*args: Any) -> bool:
        world.plan(workspace_id=workspace_id, operation="rotate", use_cases=["MANAGED_SERVICES"])
        return found(*args)

    monkeypatch.setattr(tell, "found", opened)
    assert run(world)["told"] == []
    assert world.ledger.drifts.open() == []


def test_a_rotation_under_way_or_left_to_the_finisher_is_no_drift(world: World) -> None:
    workspace_id = int(world.quiet_workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    quiet(world)
    world.prepare(workspace_id=workspace_id)
    quiet(world)
    world.switch()
    quiet(world)
    world.switch_and_verify()
    quiet(world)
    world.executions.end(world.rotation_id, "ABORTED")
    quiet(world)
    world.carried_on()
    quiet(world, 2)


def test_several_hundred_workspaces_are_handed_over_when_time_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "TOGETHER", 50)
    account = connect_account(world.settings)
    given(world)
    (one,) = account.list_workspaces()
    fields = {name: getattr(one, name) for name in one.__slots__}
    many = [type(one)(**{**fields, "workspace_id": 10**15 + n, "name": f"w{n}"}) for n in range(300)]
    monkeypatch.setattr(type(account), "list_workspaces", lambda _: [one, *many])
    asked: list[int] = []

    def shown(_: Any, number: int) -> Any:
        asked.append(number)
        return next(each for each in [one, *many] if each.workspace_id == number)

    monkeypatch.setattr(type(account), "get_workspace", shown)
    world.clock.advance(LATER)
    time = iter([100.0, 100.0, 10.0])
    first = finding.find(world.settings, world.ledger, account, time_left=lambda: next(time), now=clock.now())
    assert (first.left, len(asked)) == (302 - 100, 100)
    rest = finding.find(world.settings, world.ledger, account, time_left=lambda: 100.0, now=clock.now())
    assert (rest.left, len(asked)) == (0, 300)
    # Once all are known, a run costs Databricks its two lists.
    quiet_run = finding.find(world.settings, world.ledger, account, time_left=lambda: 100.0, now=clock.now())
    assert (quiet_run.told, quiet_run.workspaces, len(asked)) == ((), 301, 300)


def test_a_change_that_is_changed_again_is_told_again(world: World) -> None:
    _, key_arn = given(world)
    quiet(world)
    edited(key_arn, _removed)
    assert run(world)["told"]
    edited(key_arn, _public)
    assert run(world)["told"]
    assert [each["seq"] for each in world.ledger.drifts.trail(key_arn, What.POLICY)] == [1, 2]


def test_an_own_key_is_held_to_what_it_was_when_its_rotation_ended(world: World) -> None:
    key_arn = own_key()
    workspace_id = int(world.quiet_workspace()["workspace_id"])
    world.rotate(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    quiet(world)
    before = edited(key_arn, lambda found: found[:-1])
    told_once_and_closed(world, key_arn, What.POLICY, lambda: put(key_arn, before))
