"""The inventory: each workspace with its keys, how old they are, why one does not comply; each object by itself."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.settings import keys
from rekey.aws.kms_key import KmsKey
from rekey.base import clock
from rekey.base.observability import metrics
from rekey.base.settings import Settings
from rekey.databricks.connect import connect_account
from rekey.inventory import look
from rekey.inventory.judge import AGE_TAG, MOST_AGE_DAYS, allowed_age
from rekey.model.inventory import Inventory, Reason
from rekey.runtime import current_settings
from tests import kms_material
from tests.clients import client
from tests.kms_material import Material
from tests.names import BUCKET
from tests.steps.world import World

DAY = 86_400


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "PAUSES", (0.0,) * len(look.PAUSES))


@pytest.fixture
def kms_keeps(monkeypatch: pytest.MonkeyPatch) -> Material:
    return kms_material.play(monkeypatch)


def taken(world: World) -> Inventory:
    answer = world.call("inventory")
    found = Inventory.model_validate_json(read("inventory/latest.json"))
    assert found.counts.model_dump(mode="json") == answer["counts"]
    return found


def read(name: str) -> bytes:
    return bytes(client("s3").get_object(Bucket=BUCKET, Key=name)["Body"].read())


def whys(found: Inventory) -> dict[str, dict[str, list[str]]]:
    """{workspace: {use case: reasons}}, those that comply without."""
    return {
        row.name: {each.use_case: [why.reason.value for why in each.whys] for each in row.keys if each.whys}
        for row in found.workspaces
    }


def with_both(world: World, name: str) -> tuple[int, str]:
    """A workspace to which rekey gave one key for both use cases."""
    workspace_id = world.quiet_workspace(workspace_name=name)["workspace_id"]
    key_arn = world.rotate(workspace_id=workspace_id, operation="add")["key_arn"]
    world.next_rotation()
    return int(workspace_id), key_arn


def with_key(world: World, name: str, key_arn: str) -> int:
    return int(world.quiet_workspace(workspace_name=name, keys={"managed_services": key_arn})["workspace_id"])


def id_of(key_arn: str) -> str:
    return key_arn.rpartition("/")[2]


def test_what_rekey_made_complies_and_a_workspace_without_a_key_is_seen(world: World) -> None:
    workspace_id, key_arn = with_both(world, "prod")
    world.quiet_workspace(workspace_name="bare")
    found = taken(world)
    assert whys(found) == {"bare": {"MANAGED_SERVICES": ["no_key"], "STORAGE": ["no_key"]}, "prod": {}}
    assert (found.counts.workspaces, found.counts.compliant, found.counts.keys) == (2, 1, 1)
    (row,) = [each for each in found.workspaces if each.name == "prod"]
    managed, storage = row.keys
    assert (row.workspace_id, row.rotation_id) == (workspace_id, "r1")
    assert managed.key_arn == storage.key_arn == key_arn
    assert (managed.region, managed.account, managed.origin) == ("us-east-1", "123456789012", "AWS_KMS")
    assert (managed.age_days, managed.kms_state, managed.rotates_every_days) == (0, "Enabled", 365)
    assert managed.due_at == clock.text(clock.moment(str(managed.material_since)) + timedelta(days=365))


def test_it_is_written_by_the_day_and_as_a_page_that_links_to_the_evidence(world: World) -> None:
    with_both(world, "prod")
    answer = world.call("inventory")
    day = f"inventory/{clock.text(clock.now())[:10]}.json"
    assert answer["written"] == [day, "inventory/latest.json", "inventory/estate.html"]
    assert read(day) == read("inventory/latest.json")
    page = read("inventory/estate.html").decode()
    assert "<h1>1 of 1 workspace complies</h1>" in page
    assert 'href="../rotations/r1/evidence.html"' in page


def test_material_that_grows_too_old_is_past_the_policy_and_renewed_material_is_not(
    world: World, kms_keeps: Material, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace_id, key_arn = with_both(world, "prod")
    world.clock.advance(365 * DAY + 3600)
    assert whys(taken(world)) == {"prod": {}}
    world.clock.advance(DAY)
    capsys.readouterr()
    found = taken(world)
    assert whys(found) == {"prod": {"MANAGED_SERVICES": ["too_old"], "STORAGE": ["too_old"]}}
    assert "366 days old, and 365 are allowed. Fix: rotate it" in found.workspaces[0].keys[0].whys[0].text
    assert found.counts.keys_past_policy == 1
    assert counted(capsys.readouterr().out) == {"Workspaces": 1, "WorkspacesCompliant": 0, "KeysPastPolicy": 1}
    kms_keeps.automatic[id_of(key_arn)] = [clock.now() - timedelta(days=20)]
    kms_keeps.next_rotation[id_of(key_arn)] = clock.now() + timedelta(days=345)
    (managed, _) = taken(world).workspaces[0].keys
    assert (managed.age_days, managed.whys, managed.renews_in_time) == (20, (), True)
    world.plan(operation="rotate_material", workspace_id=workspace_id)
    world.loop("rotate_material")
    world.complete()
    (row,) = taken(world).workspaces
    assert (row.keys[1].age_days, row.rotation_id) == (0, "r2")


def counted(written: str) -> dict[str, float]:
    """What the Lambda counted, as CloudWatch reads it from the log."""
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    names = ("Workspaces", "WorkspacesCompliant", "KeysPastPolicy")
    return {name: line[name][0] for line in lines if "_aws" in line for name in names if name in line}


def test_each_use_case_has_its_own_age_and_one_that_is_not_named_needs_no_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_both(world, "prod")
    world.quiet_workspace(workspace_name="bare")
    monkeypatch.setenv("MAX_KEY_AGE_DAYS", "STORAGE=30")
    current_settings.cache_clear()
    world.clock.advance(40 * DAY)
    found = taken(world)
    assert whys(found) == {"bare": {"STORAGE": ["no_key"]}, "prod": {"STORAGE": ["too_old"]}}
    assert found.max_age_days == {"STORAGE": 30}


def test_a_workspaces_tag_overrides_how_old_its_keys_may_be(world: World) -> None:
    tags = {"young": "30", "old": "400", "wrong": "a year"}
    for name, days in tags.items():
        number = world.quiet_workspace(workspace_name=name, custom_tags={AGE_TAG: days})["workspace_id"]
        world.rotate(workspace_id=number, operation="add")
        world.next_rotation()
    world.clock.advance(40 * DAY)
    found = taken(world)
    assert whys(found)["young"] == {each: ["too_old"] for each in ("MANAGED_SERVICES", "STORAGE")}
    assert whys(found)["wrong"] == {each: ["cannot_be_read"] for each in ("MANAGED_SERVICES", "STORAGE")}
    assert whys(found)["old"] == {}
    limits = {row.name: {use.max_age_days for use in row.keys} for row in found.workspaces}
    assert limits == {"young": {30}, "old": {400}, "wrong": {365}}
    [row] = [each for each in found.workspaces if each.name == "wrong"]
    assert "tag rekey_max_key_age_days is no number of days from 1 to 3,650" in row.keys[0].whys[0].text


@pytest.mark.parametrize(
    ("value", "days"), [("1", 1), ("3650", 3650), ("0", 365), ("3651", 365), ("-5", 365), ("²", 365), ("", 365)]
)
def test_a_tag_that_is_no_age_leaves_the_policys(value: str, days: int) -> None:
    found, trouble = allowed_age(365, {AGE_TAG: value})
    assert (found, trouble is None) == (days, days == int(value) if value.isdecimal() else False)
    assert allowed_age(None, {AGE_TAG: value}) == (None, None)


def test_the_tags_bounds_are_the_settings() -> None:
    assert MOST_AGE_DAYS == keys.MOST_AGE_DAYS


def test_a_shared_key_is_read_once_and_names_who_shares_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    key_arn, asked = world.make_key(), Counter[str]()
    for name in ("one", "two", "three"):
        with_key(world, name, key_arn)
    describe = KmsKey.describe

    def described(key: KmsKey) -> Any:
        asked[key.arn] += 1
        return describe(key)

    monkeypatch.setattr(KmsKey, "describe", described)
    found = taken(world)
    assert asked == {key_arn: 1}
    assert {row.name: row.keys[0].shared_with for row in found.workspaces} == {
        "one": ("three", "two"),
        "three": ("one", "two"),
        "two": ("one", "three"),
    }
    assert found.counts.keys == 1


def test_keys_that_nobody_can_use_or_rekey_does_not_know_are_named(world: World) -> None:
    disabled, deleted, wide = (world.make_key() for _ in range(3))
    for name, key_arn in (("disabled", disabled), ("deleted", deleted), ("wide", wide)):
        with_key(world, name, key_arn)
        client("kms").enable_key_rotation(KeyId=id_of(key_arn))
    policy = json.loads(client("kms").get_key_policy(KeyId=wide, PolicyName="default")["Policy"])
    everybody = {"Sid": "all", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}
    policy["Statement"].append(everybody)
    client("kms").put_key_policy(KeyId=wide, PolicyName="default", Policy=json.dumps(policy))
    client("kms").disable_key(KeyId=id_of(disabled))
    client("kms").schedule_key_deletion(KeyId=id_of(deleted), PendingWindowInDays=7)
    found = taken(world)
    assert {name: each["MANAGED_SERVICES"] for name, each in whys(found).items()} == {
        "disabled": ["key_disabled", "unknown_to_rekey"],
        "deleted": ["waiting_for_deletion", "unknown_to_rekey"],
        "wide": ["policy_wider_than_documented", "unknown_to_rekey"],
    }
    texts = [why.text for row in found.workspaces for each in row.keys for why in each.whys]
    assert all("Fix: " in each for each in texts)
    assert any("statement 'all'" in each for each in texts)


def test_automatic_rotation_that_is_off_is_named_unless_nobody_wants_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, key_arn = with_both(world, "prod")
    client("kms").disable_key_rotation(KeyId=id_of(key_arn))
    assert whys(taken(world))["prod"]["STORAGE"] == ["automatic_rotation_off"]
    monkeypatch.setenv("KEY_ROTATION_DAYS", "0")
    current_settings.cache_clear()
    assert whys(taken(world)) == {"prod": {}}


def test_a_key_whose_material_kms_never_renews_by_itself_is_not_told_to(world: World, kms_keeps: Material) -> None:
    key_arn = world.make_key()
    kms_keeps.stores[id_of(key_arn)] = "cks-1"
    with_key(world, "prod", key_arn)
    (managed, _) = taken(world).workspaces[0].keys
    assert (managed.origin, managed.rotates_every_days, managed.age_days) == ("EXTERNAL_KEY_STORE", None, 0)
    assert [why.reason for why in managed.whys] == [Reason.UNKNOWN]


def refuse(monkeypatch: pytest.MonkeyPatch, method: str, key_arn: str, code: str, times: int = 99) -> list[str]:
    """KMS refuses a call about one key."""
    calls: list[str] = []
    real = getattr(KmsKey, method)

    def called(key: KmsKey, *given: Any) -> Any:
        if key.arn == key_arn and len(calls) < times:
            calls.append(key.arn)
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, method)
        return real(key, *given)

    monkeypatch.setattr(KmsKey, method, called)
    return calls


@pytest.mark.parametrize(
    ("method", "code", "said"),
    [
        ("describe", "AccessDeniedException", "DescribeKey says AccessDeniedException. Fix: let the role"),
        ("describe", "NotFoundException", "DescribeKey says NotFoundException. Fix: KMS has no such key"),
        ("policy", "AccessDeniedException", "GetKeyPolicy says AccessDeniedException. Fix: let the role"),
        ("rotations", "ThrottlingException", "ListKeyRotations says ThrottlingException. Fix: look at"),
    ],
)
def test_one_keys_trouble_is_its_row_and_the_others_are_there(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, code: str, said: str
) -> None:
    _, hidden = with_both(world, "hidden")
    with_both(world, "seen")
    refuse(monkeypatch, method, hidden, code)
    found = taken(world)
    assert {name: set(each) for name, each in whys(found).items()} == {
        "hidden": {"MANAGED_SERVICES", "STORAGE"},
        "seen": set(),
    }
    (row, _) = found.workspaces
    assert [why.reason for why in row.keys[0].whys] == [Reason.UNREADABLE]
    assert f"it cannot be read because {said}" in row.keys[0].whys[0].text
    # What the other calls gave is there all the same.
    assert (row.keys[0].kms_state is None) == (method == "describe")
    assert found.counts.reasons == {Reason.UNREADABLE: 1}


def test_a_throttled_call_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key_arn = with_both(world, "prod")
    calls = refuse(monkeypatch, "rotations", key_arn, "ThrottlingException", times=2)
    assert whys(taken(world)) == {"prod": {}}
    assert len(calls) == 2


def test_what_is_no_key_and_what_the_account_does_not_list_is_told(world: World) -> None:
    account = connect_account(world.settings)
    with_both(world, "odd")
    made = account.list_configurations()
    for odd, said in (([], "is not listed by the account"), ([each_without_arn(made[0])], "names no KMS key")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(account), "list_configurations", lambda _, odd=odd: odd)
            found = taken(world)
        assert whys(found) == {"odd": {"MANAGED_SERVICES": ["cannot_be_read"], "STORAGE": ["cannot_be_read"]}}
        assert said in found.workspaces[0].keys[0].whys[0].text


def each_without_arn(configuration: Any) -> Any:
    return type(configuration)(**{**{n: getattr(configuration, n) for n in configuration.__slots__}, "key_arn": "x"})


def test_without_time_what_was_not_read_says_so(world: World) -> None:
    with_both(world, "prod")
    world.call("inventory", seconds=look.RESERVE_SECONDS - 1)
    found = Inventory.model_validate_json(read("inventory/latest.json"))
    assert "ran out of time" in found.workspaces[0].keys[0].whys[0].text


def test_a_serverless_workspace_needs_no_storage_key(world: World) -> None:
    key_arn = world.make_key()
    with_key(world, "prod", key_arn)
    account = connect_account(world.settings)
    (one,) = account.list_workspaces()
    serverless = type(one)(**{**{n: getattr(one, n) for n in one.__slots__}, "serverless": True})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(account), "list_workspaces", lambda _: [serverless])
        found = taken(world)
    assert [each.use_case for each in found.workspaces[0].keys] == ["MANAGED_SERVICES"]


def test_the_page_that_cannot_be_drawn_costs_neither_figures_nor_json(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_both(world, "prod")
    monkeypatch.setattr("rekey.inventory.write.render", lambda *_, **__: 1 / 0)
    assert world.call("inventory")["written"][-1] == "inventory/latest.json"


def test_a_failed_rotation_is_not_the_last_evidence(world: World, settings: Settings) -> None:
    del settings
    workspace_id, _ = with_both(world, "prod")
    world.prepare(workspace_id=workspace_id, operation="rotate", use_cases=["MANAGED_SERVICES"])
    world.fail("Terminate compute")
    assert taken(world).workspaces[0].rotation_id == "r1"


def test_a_rotation_of_before_it_was_remembered_is_found_by_its_key(world: World) -> None:
    workspace_id, _ = with_both(world, "prod")
    key = {"pk": {"S": f"WORKSPACE#{workspace_id}"}, "sk": {"S": "LAST"}}
    client("dynamodb").delete_item(TableName=world.settings.ledger_table, Key=key)
    assert world.ledger.last_of(workspace_id) is None
    assert taken(world).workspaces[0].rotation_id == "r1"


def test_nothing_is_left_to_be_counted(world: World) -> None:
    taken(world)
    assert metrics.provider.metric_set == {}
