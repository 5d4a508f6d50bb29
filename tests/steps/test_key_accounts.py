"""Keys in other AWS accounts: a rotation in each mode, roles that are not to be had, keys that are brought along."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rekey.aws import clients, kms_key
from rekey.base import errors
from rekey.model.findings import FindingCode
from tests.other_accounts import CENTRAL, TEAM, Accounts, role_in, root
from tests.steps.elsewhere import elsewhere, forward
from tests.steps.looks import changing_requests, settled
from tests.steps.world import A_DAY_LATER, DATABRICKS, World

IN_TEAM = f"arn:aws:iam::{TEAM}:role/prod-cross-account"
ADMIN = "arn:aws:iam::123456789012:role/key-admin"


def keys_of(account: str) -> list[str]:
    return [each["KeyArn"] for each in root(account).list_keys()["Keys"]]


def state_of(key_arn: str) -> str:
    found = root(key_arn.split(":")[4]).describe_key(KeyId=key_arn)["KeyMetadata"]
    return str(found["KeyState"])


def policy_of(key_arn: str) -> list[Any]:
    shown = root(key_arn.split(":")[4]).get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    return [{**each, "Action": _sorted(each["Action"])} for each in json.loads(shown)["Statement"]]


def _sorted(actions: Any) -> Any:
    return actions if isinstance(actions, str) else sorted(actions)


def keyed(world: World, **seed: Any) -> dict[str, Any]:
    """A workspace with a key of the stack's account."""
    made: dict[str, Any] = world.workspace(keys={"managed_services": world.make_key()}, **seed)
    return made


def brought_key(*, complete: bool = True, tag: bool = False) -> str:
    """Of another account's owner."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{CENTRAL}:root"}, "Action": "kms:*", "Resource": "*"}
    ]
    if complete:
        use = {"Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"}
        statements.append({"Effect": "Allow", "Principal": {"AWS": DATABRICKS}, **use})
    tags = [{"TagKey": "rekey:brought", "TagValue": "true"}] if tag else []
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return str(root(CENTRAL).create_key(Policy=policy, Tags=tags, KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"])


# --- the modes ---


@pytest.mark.rule("key-account-role")
@pytest.mark.parametrize(
    ("where", "reached", "account"),
    [
        (CENTRAL, CENTRAL, CENTRAL),
        ("workspace", "*", TEAM),
        ({"77": CENTRAL, "default": "workspace"}, "*", CENTRAL),
        ({"78": CENTRAL, "default": "workspace"}, "*", TEAM),
        ({"78": CENTRAL, "default": "stack"}, CENTRAL, "123456789012"),
    ],
)
def test_a_rotation_makes_its_key_in_the_account_that_the_setting_says(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, where: Any, reached: str, account: str
) -> None:
    elsewhere(world, monkeypatch, where, reached)
    accounts.give_role(CENTRAL)
    accounts.give_role(TEAM)
    workspace = keyed(world, workspace_id=77, role_arn=IN_TEAM)
    before = settled(world.compute(77))
    summary = world.rotate(workspace_id=77)
    key_arn = str(summary["key_arn"])
    assert (summary["status"], key_arn.split(":")[4]) == ("succeeded", account)
    assert [account for account in (CENTRAL, TEAM) if keys_of(account)] == [account] * (account != "123456789012")
    assert settled(world.compute(77)) == before
    assert (world.get("violations"), world.get("health")["unreadable"]) == ([], [])
    plan = world.evidence()["plan"]
    assert plan["key_account"] == account
    told = [each for each in plan["why"] if each.startswith("key:")]
    assert (f"in the AWS account {account}" in told[0]) == (account != "123456789012")
    names = [each["AliasName"] for each in root(account).list_aliases()["Aliases"]]
    assert f"alias/rekey/{workspace['workspace_id']}/r1" in names
    assert {role for role, _, _ in accounts.sessions} == ({role_in(account)} if account != "123456789012" else set())


def test_with_keys_in_the_stacks_account_no_role_is_assumed(world: World, accounts: Accounts) -> None:
    world.rotate(workspace_id=keyed(world)["workspace_id"])
    assert (accounts.sessions, accounts.refused, world.rotation().plan.key_account) == ([], 0, "123456789012")


def test_a_session_has_the_lambdas_name_and_its_policy_for_that_account(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch, AWS_LAMBDA_FUNCTION_NAME="rekey-create-key")
    accounts.give_role(CENTRAL)
    world.prepare(workspace_id=keyed(world)["workspace_id"])
    [(name, policy)] = {(name, json.dumps(policy)) for _, name, policy in accounts.sessions}
    assert name == "rekey-create-key"
    assert json.loads(policy)["Statement"][0]["Resource"] == f"arn:aws:kms:*:{CENTRAL}:key/*"


def test_a_key_of_another_account_goes_a_day_after_the_next_one(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    workspace_id = keyed(world)["workspace_id"]
    first = str(world.rotate(workspace_id=workspace_id)["key_arn"])
    world.next_rotation()
    second = str(world.rotate(workspace_id=workspace_id)["key_arn"])
    swept = world.sweep(A_DAY_LATER)
    assert first in swept["disabled"]
    assert (state_of(first), state_of(second)) == ("Disabled", "Enabled")


def test_with_administrators_iam_decides_for_the_role_too(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or rekey would lock itself out of the keys that it makes there."""
    elsewhere(world, monkeypatch, KEY_ADMINS=ADMIN)
    accounts.give_role(CENTRAL)
    world.prepare(workspace_id=keyed(world)["workspace_id"])
    [everything] = [each for each in policy_of(str(world.rotation().key_arn)) if each["Action"] == "kms:*"]
    assert sorted(everything["Condition"]["ArnLike"]["aws:PrincipalArn"]) == [ADMIN, role_in(CENTRAL)]


# --- the role ---


def never(accounts: Accounts) -> None:
    """Nobody gave it."""


def wrong_id(accounts: Accounts) -> None:
    accounts.roles[role_in(CENTRAL)] = "another one's"


@pytest.mark.rule("key-account-role", "refused-untouched")
@pytest.mark.parametrize("trouble", [never, wrong_id])
def test_a_role_that_cannot_be_assumed_is_refused_before_anything_is_touched(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, trouble: Any
) -> None:
    elsewhere(world, monkeypatch)
    trouble(accounts)
    workspace_id = keyed(world)["workspace_id"]
    report = world.plan(workspace_id=workspace_id, dry_run=True)["preflight"]
    with pytest.raises(errors.RequestRefused) as refusal:
        world.plan(workspace_id=workspace_id)
    said = str(refusal.value)
    assert said.startswith(f"rekey:key_accounts: rekey cannot take on the role {role_in(CENTRAL)}")
    assert f"Fix: deploy templates/key-account.yaml in {CENTRAL}" in said
    assert "external id of rekey:key_account_external_id" in said
    assert (report["possible"], report["findings"]) == (False, [said])
    assert (keys_of(CENTRAL), changing_requests(world), world.ledger.find("r1")) == ([], [], None)


@pytest.mark.rule("key-account-known")
def test_an_account_that_nobody_can_tell_is_asked_for(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch, "workspace", "*")
    workspace_id = world.workspace()["workspace_id"]
    gone = {"status": 404, "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no credentials", "times": None}
    world.post("faults", match={"method": "GET", "path": "/credentials/"}, fault="status", **gone)
    with pytest.raises(errors.RequestRefused, match=rf'workspace_id: .* Fix: .*"{workspace_id}": "<account>"'):
        world.plan(workspace_id=workspace_id)


@pytest.mark.rule("rule-13")
def test_a_role_taken_away_in_the_middle_does_not_keep_compute_down(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    workspace_id = keyed(world)["workspace_id"]
    before, fields = settled(world.compute(workspace_id)), world.fields(workspace_id)
    world.prepare(workspace_id=workspace_id)
    world.until(world.switch()["settle_until"])
    accounts.take_role(CENTRAL)
    with pytest.raises(errors.AccessDenied, match=f"{role_in(CENTRAL)}, .* AWS account {CENTRAL}") as denied:
        world.call("verify", rotation_id="r1")
    world.fail(error="AccessDenied", cause=str(denied.value))
    # Compute is back, on the old key; the new one waits for the right to let it go.
    assert (settled(world.compute(workspace_id)), world.fields(workspace_id)) == (before, fields)
    assert world.rotation().handed_over_at
    world.executions.end("r1", "FAILED")
    world.round()
    assert not world.rotation().ended
    assert role_in(CENTRAL) in world.rotation().finishing.said  # type: ignore[union-attr]
    accounts.give_role(CENTRAL)
    rotation = world.carried_on()
    assert (rotation.status, rotation.keys_undone) == ("failed", None)
    waits = [FindingCode.KEY_WAITS, FindingCode.KEY_NOT_DISABLED]
    assert any(rotation.has_found(each) for each in waits)
    assert world.key(str(rotation.key_arn)).state == "grace"
    assert (world.get("violations"), world.get("health")["unreadable"]) == ([], [])


def test_without_the_role_a_person_may_let_the_keys_be(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    world.prepare(workspace_id=keyed(world)["workspace_id"])
    accounts.take_role(CENTRAL)
    world.fail(state="Switch workspace key")
    world.executions.end("r1", "FAILED")
    wish: dict[str, Any] = {"rotation_id": "r1", "by": "ada"}
    looked = world.call("carry_on", **wish, look=True)
    assert any(role_in(CENTRAL) in each for each in looked["undone"])
    world.clock.advance(600)
    assert world.call("carry_on", **wish, let_be="keys")["undone"] == []
    assert world.rotation().status == "failed"


def test_a_session_serves_until_shortly_before_it_expires(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    key_arn = brought_key()
    for _ in range(3):
        kms_key.KmsKey(key_arn).state()
    kms_key.find(CENTRAL, "eu-west-1", "r1", "rekey")
    assert len(accounts.sessions) == 1
    # Within the last ten minutes of a session nobody waits for its end.
    accounts.lasts = timedelta(minutes=9)
    clients.forget_clients()
    for _ in range(3):
        kms_key.KmsKey(key_arn).state()
    assert len(accounts.sessions) == 1 + 3


# --- keys that are brought along ---


@pytest.mark.rule("key-account")
def test_a_key_of_an_account_without_the_role_is_taken_as_it_is_and_retained(world: World, accounts: Accounts) -> None:
    key_arn = brought_key()
    before = policy_of(key_arn)
    workspace_id = world.workspace()["workspace_id"]
    request = {"workspace_id": workspace_id, "operation": "add", "use_cases": ["MANAGED_SERVICES"], "key_arn": key_arn}
    report = world.plan(**request, dry_run=True)["preflight"]
    assert report["possible"]
    assert [each for each in report["findings"] if f"AWS account {CENTRAL}, where rekey has no role" in each]
    assert world.rotate(**request)["status"] == "succeeded"
    assert (policy_of(key_arn), accounts.sessions) == (before, [])
    world.next_rotation()
    assert world.rotate(workspace_id=workspace_id)["old_key"]["fate"] == "retain"
    world.sweep(A_DAY_LATER)
    assert (state_of(key_arn), world.key(key_arn).state) == ("Enabled", "retained")


def test_what_databricks_cannot_use_it_refuses_and_the_workspace_is_as_before(world: World, accounts: Accounts) -> None:
    key_arn = brought_key(complete=False)
    workspace_id = world.workspace()["workspace_id"]
    before = settled(world.compute(workspace_id))
    world.prepare(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"], key_arn=key_arn)
    with pytest.raises(errors.RekeyError) as refused:
        world.switch_and_verify()
    assert f"A suspect is the policy of the key {key_arn}" in str(refused.value)
    world.fail(error=type(refused.value).__name__, cause=str(refused.value))
    assert (settled(world.compute(workspace_id)), world.fields(workspace_id)) == (before, (None, None))


def test_with_the_role_a_key_that_is_brought_is_like_any_other(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    workspace_id = world.workspace()["workspace_id"]
    request = {"workspace_id": workspace_id, "operation": "add", "use_cases": ["MANAGED_SERVICES"]}
    with pytest.raises(errors.RequestRefused, match=r"key_arn: the key's policy lacks .* Fix: tag the key"):
        world.plan(**request, key_arn=brought_key(complete=False))
    key_arn = brought_key(complete=False, tag=True)
    world.rotate(**request, key_arn=key_arn)
    assert [each for each in policy_of(key_arn) if each["Principal"] == {"AWS": DATABRICKS}]


@pytest.mark.rule("key-account")
def test_material_is_renewed_only_where_the_role_is(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_arn = brought_key(tag=True)
    workspace_id = world.workspace(keys={"managed_services": key_arn})["workspace_id"]
    request = {"workspace_id": workspace_id, "operation": "rotate_material"}
    with pytest.raises(errors.RequestRefused, match=f"use_cases: .* AWS account {CENTRAL}, where rekey has no role"):
        world.plan(**request)
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    assert world.plan(**request)["plan"]["material_keys"] == [key_arn]
    world.loop("rotate_material")
    assert world.complete()["status"] == "succeeded"


# --- refused uses ---


@pytest.mark.parametrize("there", [None, "ENABLED", "DISABLED"])
def test_the_plan_says_when_nobody_forwards_refused_uses(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch, there: str | None
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    if there:
        forward(CENTRAL, state=there)
    report = world.plan(workspace_id=keyed(world)["workspace_id"], dry_run=True)["preflight"]
    told = [each for each in report["findings"] if each.startswith("refused uses: in us-east-1")]
    assert (len(told), report["possible"]) == (0 if there == "ENABLED" else 1, True)


def test_another_region_of_the_stacks_own_account_needs_the_rule_too(world: World, accounts: Accounts) -> None:
    request = {"workspace_id": world.workspace(region="eu-west-1")["workspace_id"], "dry_run": True}
    [told] = world.plan(**request)["preflight"]["findings"]
    assert told.startswith("refused uses: in eu-west-1 of the AWS account 123456789012")
    assert "Fix: deploy templates/key-account.yaml there" in told
    forward("123456789012", "eu-west-1")
    assert world.plan(**request)["preflight"]["findings"] == []


def test_where_nobody_may_look_for_the_rule_the_plan_says_that(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "DescribeRule")

    monkeypatch.setattr("rekey.aws.clients.events_in", denied)
    request = {"workspace_id": world.workspace(region="eu-west-1")["workspace_id"], "dry_run": True}
    [told] = world.plan(**request)["preflight"]["findings"]
    assert "nobody could tell whether there is a rule rekey-refused-uses" in told
