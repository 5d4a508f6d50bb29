"""A key that something needs and nobody can use: brought back where rekey took it away, and told aloud in any case."""

import json
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from rekey.aws.kms_key import KmsKey
from rekey.base.errors import AwsUnavailable
from rekey.model.actions import KeyAction
from rekey.telling.events.catalogue import event_of_key
from tests import kms_states
from tests.clients import client
from tests.steps.world import A_DAY_LATER, World

DAY = 86_400
WATCH = 14 * DAY
DATABRICKS_CALLS = {"eventName": "Decrypt", "userIdentity": {"accountId": "414351767826"}}


@pytest.fixture
def gone(world: World) -> tuple[str, int]:
    """A key that was rotated away and disabled, and its workspace."""
    old = world.make_key()
    workspace_id = int(world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    world.rotate(workspace_id=workspace_id)
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    return old, workspace_id


def refused_use(world: World, key_arn: str, code: str = "KMSInvalidStateException") -> str:
    """What reenable_key answers about a refused use of a key."""
    record = {**DATABRICKS_CALLS, "errorCode": code, "resources": [{"ARN": key_arn}]}
    return str(world.refused_use(**record)[key_arn])


def canary_fails(world: World, times: int | None = 1) -> None:
    match = {"method": "GET", "path": "*/workspace/export"}
    world.post("faults", match=match, fault="status", status=403, times=times)


def actions(world: World, key_arn: str) -> list[str]:
    return [str(each["action"]) for each in world.ledger.keys.trail(key_arn)]


def told(world: World, key_arn: str) -> list[str]:
    """The events of the key's trail."""
    made = [event_of_key(each, None) for each in world.ledger.keys.trail(key_arn)]
    return [each[0].detail_type for each in made if each]


def enable(key_arn: str) -> None:
    client("kms").enable_key(KeyId=key_arn.rpartition("/")[2])


def refusing(monkeypatch: pytest.MonkeyPatch, method: str, code: str) -> None:
    """KMS refuses this call for a reason that is not the key's state."""

    def refuse(*_: Any) -> None:
        raise JsonRESTError(code, f"{method} is refused.")

    monkeypatch.setattr(KmsBackend, method, refuse)


@pytest.mark.rule("rule-7-needed")
@pytest.mark.parametrize("found", ["KMSInvalidStateException", "DisabledException", "the sweep"])
def test_a_watched_key_that_waits_for_its_deletion_is_brought_back(
    world: World, gone: tuple[str, int], found: str
) -> None:
    old, _ = gone
    kms_states.schedule_deletion(old)
    if found == "the sweep":
        canary_fails(world)
        assert world.sweep(900)["enabled"] == [old]
    else:
        assert refused_use(world, old, found) == "enabled again and held"
    assert (world.key_state(old), world.key(old).state) == ("Enabled", "held")
    assert actions(world, old)[-2:] == ["deletion cancelled", "enabled again"]
    assert told(world, old)[-1] == "Key Re-enabled"


@pytest.mark.rule("rule-7-needed")
@pytest.mark.parametrize("found", ["a refused use", "the sweep"])
def test_a_deletion_that_rekey_may_not_cancel_is_told_once_a_day_until_a_person_cancels_it(
    world: World, gone: tuple[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], found: str
) -> None:
    old, _ = gone
    kms_states.schedule_deletion(old)
    with monkeypatch.context() as patch:
        refusing(patch, "cancel_key_deletion", "AccessDeniedException")
        canary_fails(world)
        if found == "a refused use":
            assert refused_use(world, old).startswith("needed, and told: ")
            assert '"KeysNeeded":[1.0]' in capsys.readouterr().out
        for hours in range(0, 48, 6):
            assert old in world.sweep(6 * 3600)["needed"], hours
    key = world.key(old)
    assert (key.state, world.key_state(old)) == ("disabled", "PendingDeletion")
    assert "AccessDeniedException" in key.why
    assert "KMS deletes it for good at 20" in key.why
    assert f"aws kms cancel-key-deletion --key-id {old.rpartition('/')[2]}" in key.why
    assert told(world, old).count("Key Needed") == (2 if found == "the sweep" else 3)
    client("kms").cancel_key_deletion(KeyId=old.rpartition("/")[2])
    assert world.sweep(900)["enabled"] == [old]
    assert (world.key_state(old), world.key(old).state, world.key(old).needed) == ("Enabled", "held", None)


@pytest.mark.rule("rule-7-needed")
def test_a_need_outlives_the_watch(world: World, gone: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    old, _ = gone
    with monkeypatch.context() as patch:
        refusing(patch, "enable_key", "AccessDeniedException")
        refused_use(world, old, "DisabledException")
        world.sweep(2 * WATCH)
    assert world.key(old).watch_until
    assert world.sweep(900)["enabled"] == [old]


@pytest.mark.rule("rule-7-needed")
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "KMSInvalidStateException", "ThrottlingException", "KMSInternalException", "Odd"]
)
def test_whatever_keeps_a_key_from_being_enabled_is_told(
    world: World, gone: tuple[str, int], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    old, _ = gone
    with monkeypatch.context() as patch:
        refusing(patch, "enable_key", code)
        assert f"it could not be enabled (An error occurred ({code})" in refused_use(world, old, "DisabledException")
    assert told(world, old)[-1] == "Key Needed"
    assert world.sweep(900)["enabled"] == [old]


@pytest.mark.parametrize(
    ("state", "fix"), [("PendingImport", "import its key material"), ("Unavailable", "connect its key store")]
)
def test_a_state_that_no_call_fixes_is_told_with_its_own_fix(
    world: World, gone: tuple[str, int], state: str, fix: str
) -> None:
    old, _ = gone
    kms_states.bring_into(old, state)
    assert f"KMS says that it is {state}. Fix: {fix}" in refused_use(world, old)


def test_a_cancelled_deletion_is_written_down_also_where_the_key_stays_disabled(
    world: World, gone: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = gone
    kms_states.schedule_deletion(old)
    with monkeypatch.context() as patch:
        refusing(patch, "enable_key", "KMSInvalidStateException")
        refused_use(world, old)
    assert actions(world, old)[-2:] == ["deletion cancelled", "needed"]
    assert world.key_state(old) == "Disabled"


@pytest.mark.rule("rule-7-needed")
@pytest.mark.parametrize("lost", ["disabled", "deletion"])
@pytest.mark.parametrize("whose", ["current", "watch is over"])
def test_a_key_that_somebody_else_took_away_is_told_of_and_not_touched(
    world: World, gone: tuple[str, int], whose: str, lost: str
) -> None:
    key_arn, _ = gone
    if whose == "current":
        key_arn = str(world.rotation().key_arn)
    else:
        world.sweep(WATCH)
    before = world.key(key_arn).state
    if lost == "deletion":
        kms_states.schedule_deletion(key_arn)
    else:
        client("kms").disable_key(KeyId=key_arn.rpartition("/")[2])
    state = world.key_state(key_arn)
    for _ in range(3):
        assert "cancel its deletion" in refused_use(world, key_arn) or lost == "disabled"
    assert (world.key(key_arn).state, world.key_state(key_arn)) == (before, state)
    assert told(world, key_arn)[-1] == "Key Needed"
    assert told(world, key_arn).count("Key Needed") == 1
    if lost == "deletion":
        client("kms").cancel_key_deletion(KeyId=key_arn.rpartition("/")[2])
    enable(key_arn)
    assert "can be used: nothing to do" in refused_use(world, key_arn)


@pytest.mark.rule("rule-7-needed")
@pytest.mark.parametrize("lost", ["Disabled", "PendingDeletion"])
def test_a_key_that_somebody_takes_away_in_its_grace_is_told_of_by_the_sweep(world: World, lost: str) -> None:
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    client("kms").disable_key(KeyId=old.rpartition("/")[2])
    if lost == "PendingDeletion":
        kms_states.schedule_deletion(old)
    for _ in range(3):
        swept = world.sweep(900)
        assert swept["needed"][old].startswith("the grace period after the verified switch is not over; KMS ")
    assert (world.key(old).state, world.key_state(old)) == ("grace", lost)
    assert actions(world, old).count("needed") == 1
    # Once its day is over nothing misses it, and the watch begins.
    assert world.sweep(A_DAY_LATER)["disabled"] == [old]
    assert world.key(old).watch_until
    assert world.key(old).needed is None
    canary_fails(world)
    assert world.sweep(900)["enabled"] == [old]
    assert world.key_state(old) == "Enabled"


def test_a_key_that_comes_back_in_its_grace_goes_its_way(world: World) -> None:
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    client("kms").disable_key(KeyId=old.rpartition("/")[2])
    assert old in world.sweep(900)["needed"]
    enable(old)
    assert world.sweep(900)["kept"][old] == "the grace period after the verified switch is not over"
    assert (world.key(old).needed, world.key(old).needed_at) == (None, None)


@pytest.mark.parametrize("when", ["grace", "due, with a user", "watched", "watched, and needed", "current"])
def test_a_key_that_kms_no_longer_has_is_looked_at_once(world: World, when: str) -> None:
    old = world.make_key()
    workspace_id = world.quiet_workspace(keys={"managed_services": old})["workspace_id"]
    if when == "due, with a user":
        world.quiet_workspace(workspace_name="sharer", keys={"managed_services": old})
    world.rotate(workspace_id=workspace_id)
    if when != "grace":
        world.sweep(A_DAY_LATER)
    if when == "current":
        old = str(world.rotation().key_arn)
    kms_states.delete(old)
    if when == "watched, and needed":
        canary_fails(world)
    if when == "current":
        assert "KMS has no such key any more" in refused_use(world, old, "NotFoundException")
    swept = world.sweep(900)
    assert swept["failed"] == {}
    assert (old in swept["needed"]) is (when not in ("watched", "current"))
    assert world.key(old).state == "gone"
    assert told(world, old).count("Key Needed") == (when != "watched")
    assert old not in [each.key_arn for each in world.ledger.keys.to_sweep()]
    (listed,) = [each for each in world.call("list_keys")["keys"] if each["key_arn"] == old]
    assert (listed["state"], listed["kms_state"], listed["may_be_deleted"]) == ("gone", "NotFoundException", False)


def test_a_refusal_that_lasts_is_written_down_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    with monkeypatch.context() as patch:
        refusing(patch, "disable_key", "AccessDeniedException")
        for _ in range(5):
            assert "KMS refused: " in world.sweep(A_DAY_LATER)["kept"][old]
    assert actions(world, old)[-3:] == ["claimed", "refused", "overdue"]
    assert world.key(old).claimed_at is None
    assert world.sweep(900)["disabled"] == [old]
    assert not world.key(old).why.startswith("KMS refused")


@pytest.mark.parametrize("state", ["PendingImport", "Unavailable"])
def test_where_no_deletion_waits_none_is_said_to_be_cancelled(world: World, gone: tuple[str, int], state: str) -> None:
    old, _ = gone
    kms_states.bring_into(old, state)
    assert refused_use(world, old).startswith("needed, and told: ")
    assert "deletion cancelled" not in actions(world, old)
    assert state in world.key(old).why


def test_kms_may_show_a_disabled_key_as_enabled_for_five_minutes_and_no_longer(
    world: World, gone: tuple[str, int]
) -> None:
    old, _ = gone
    enable(old)
    world.sweep(290)
    assert world.key(old).state == "disabled"
    world.sweep(20)
    assert (world.key(old).state, world.key(old).why) == ("held", "somebody enabled it, so it is theirs to let go")


def test_a_claim_alone_keeps_everybody_else_off_the_key(world: World) -> None:
    old = world.make_key()
    world.rotate(workspace_id=world.quiet_workspace(keys={"managed_services": old})["workspace_id"])
    keys = world.ledger.keys
    seen = world.key(old)
    claimed = keys.note(seen, seen.model_copy(update={"claimed_at": seen.changed_at}))
    with pytest.raises(AwsUnavailable, match="has moved on"):
        keys.note(seen, seen.model_copy(update={"claimed_at": "later"}))
    with pytest.raises(AwsUnavailable, match="has moved on"):
        keys.change(seen, seen, KeyAction.LOOKED_AT)
    keys.change(claimed, claimed.model_copy(update={"claimed_at": None}), KeyAction.REFUSED)


@pytest.mark.rule("rule-7-back")
def test_lost_rights_are_no_sign_that_a_key_is_missed(world: World, gone: tuple[str, int]) -> None:
    old, _ = gone
    for path in ("*/workspace/export", "*/workspace/get-status"):
        body = json.dumps({"error_code": "PERMISSION_DENIED", "message": "User is not authorized."})
        match = {"method": "GET", "path": path}
        world.post("faults", match=match, fault="status", status=403, body=body, times=1)
    assert world.sweep(900)["enabled"] == []
    assert (world.key_state(old), world.key(old).state) == ("Disabled", "disabled")


@pytest.mark.rule("rule-7-back")
def test_a_place_that_cannot_be_looked_at_hides_no_sign_in_another(world: World, gone: tuple[str, int]) -> None:
    old, workspace_id = gone
    world.post("faults", match={"path": "*/workspace/export"}, fault="status", status=503, times=None)
    swept = world.sweep(900)
    assert list(swept["failed"]) == [old]
    key = world.key(old)
    world.ledger.keys.note(key, key.model_copy(update={"workspaces": (*key.workspaces, workspace_id)}))
    clusters = [
        {"cluster_id": "0123-1", "terminated_time": 2**45, "termination_reason": {"code": "AWS_INVALID_KMS_KEY_STATE"}}
    ]
    match = {"method": "GET", "path": "*/clusters/list"}
    world.post("faults", match=match, fault="status", status=200, body=json.dumps({"clusters": clusters}), times=1)
    assert world.sweep(900)["enabled"] == [old]
    assert KmsKey(old).state() == "Enabled"
