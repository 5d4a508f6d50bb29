"""Rights that a Lambda seldom needs, each in the case that it is there for: every call is held against its role."""

from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.aws.policy_document import same
from rekey.base.errors import AccessDenied, AwsUnavailable
from rekey.databricks import connect
from rekey.rotation import material
from tests.clients import client
from tests.enforced_roles import running_as
from tests.names import BUCKET
from tests.roles import Request, Right, allowing
from tests.steps.creating import create, wish
from tests.steps.own_keys import own_key, policy_of
from tests.steps.rolling_back import EC2_ALIVE, PATCH, ready, trail
from tests.steps.steering import cancel
from tests.steps.world import World

OWN = "123456789012"


@pytest.fixture
def cold(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Each call meets a Lambda that has just started: no token of another one is left."""
    warm = world.call

    def call(name: str, **event: Any) -> Any:
        connect.forget_clients()
        return warm(name, **event)

    monkeypatch.setattr(world, "call", call)
    return world


def tokens(world: World) -> int:
    return len([each for each in world.get("requests") if "/oidc/" in each["path"]])


# --- that calls are judged at all ---


def test_a_call_that_its_role_does_not_allow_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_id = world.quiet_workspace()["workspace_id"]
    all_but = partial(allowing_but, "kms:ListResourceTags")
    monkeypatch.setattr("tests.enforced_roles.allowing", all_but)
    with pytest.raises(AccessDenied, match="plan_rotation is not authorized to perform: kms:ListResourceTags"):
        world.plan(workspace_id=workspace_id, operation="add", key_arn=own_key())


def allowing_but(action: str, function: str, request: Request) -> tuple[Right, ...]:
    return () if request.action == action else allowing(function, request)


def test_what_no_lambda_calls_is_not_judged(world: World) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        clients.s3().get_object(Bucket=BUCKET, Key="rotations/r1/none.json")
    client("s3").list_object_versions(Bucket=BUCKET)


def test_s3_says_denied_of_an_object_that_is_missing(world: World) -> None:
    """None of the roles has s3:ListBucket."""
    with running_as("restart_compute"), pytest.raises(ClientError, match="AccessDenied"):
        clients.s3().get_object(Bucket=BUCKET, Key="rotations/r1/none.json")


# --- each Lambda that talks to Databricks logs in by itself ---


def test_on_the_good_route(cold: World) -> None:
    workspace_id = cold.workspace(keys={"managed_services": cold.make_key()})["workspace_id"]
    assert cold.rotate(workspace_id=workspace_id, renew_notebooks=["/"])["status"] == "succeeded"
    before = tokens(cold)
    old = next(each["key_arn"] for each in cold.call("list_keys")["keys"] if each["state"] == "grace")
    cold.call("adopt_key", key_arn=old, own_account=OWN, check_only=True)
    assert tokens(cold) == before + 2


def test_where_a_workspace_is_made(cold: World) -> None:
    assert create(cold, wish(cold))["status"] == "succeeded"


def test_on_the_way_back(cold: World) -> None:
    workspace_id = cold.workspace(keys={"managed_services": cold.make_key()})["workspace_id"]
    cold.prepare(workspace_id=workspace_id)
    cold.loop("terminate_compute")
    assert cold.fail("Terminate compute")["status"] == "failed"


def test_where_it_is_cancelled(cold: World) -> None:
    workspace_id = cold.workspace(keys={"managed_services": cold.make_key()})["workspace_id"]
    cold.plan(workspace_id=workspace_id)
    before = tokens(cold)
    assert cancel(cold)["outcome"] == "cancelled"
    assert tokens(cold) > before


# --- the material of a key ---


def key_in_use(world: World, whose: str) -> tuple[int, str]:
    """A workspace on a key that KMS does not renew by itself yet: rekey's, or its owner's."""
    key_arn = world.make_key(ours=whose == "managed")
    if whose == "brought":
        client("kms").tag_resource(KeyId=key_arn, Tags=[{"TagKey": "rekey:brought", "TagValue": "true"}])
    return world.workspace(keys={"managed_services": key_arn})["workspace_id"], key_arn


def renewed(key_arn: str) -> bool:
    automatic = client("kms").get_key_rotation_status(KeyId=key_arn)["KeyRotationEnabled"]
    return bool(automatic) and len(material.on_demand(key_arn)) == 1


@pytest.mark.parametrize("whose", ["managed", "brought"])
def test_a_key_is_renewed_now_and_from_now_on_every_year(world: World, whose: str) -> None:
    workspace_id, key_arn = key_in_use(world, whose)
    world.plan(operation="rotate_material", workspace_id=workspace_id, yearly_rotation=True)
    world.loop("rotate_material")
    assert world.complete()["status"] == "succeeded"
    assert renewed(key_arn)


@pytest.mark.rule("rule-13")
@pytest.mark.parametrize("whose", ["managed", "brought"])
def test_the_finisher_renews_a_key_whose_execution_ended_too_early(
    world: World, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    workspace_id, key_arn = key_in_use(world, whose)
    world.plan(operation="rotate_material", workspace_id=workspace_id, yearly_rotation=True)
    with monkeypatch.context() as away:
        away.setattr(KmsKey, "rotation_status", fails)
        world.call("rotate_material", rotation_id=world.rotation_id)
    world.executions.end(world.rotation_id)
    assert not renewed(key_arn)
    assert world.carried_on().status == "succeeded"
    assert renewed(key_arn)


def fails(_: KmsKey) -> None:
    raise AwsUnavailable("KMS does not answer.")


# --- the way back ---


@pytest.mark.rule("rule-8")
def test_compute_that_is_in_the_way_of_the_change_back_is_stopped(world: World) -> None:
    workspace_id = ready(world)
    fields = world.fields(workspace_id)
    world.post("faults", match=PATCH, fault="applied_then_lost")
    world.call("patch_workspace", rotation_id="r1")
    world.clock.advance(600)
    world.post("faults", match=PATCH, fault="status", **EC2_ALIVE)
    assert world.fail("Switch workspace key", "OutcomeUnknown")["status"] == "failed"
    assert trail(world, "change back accepted") == [{"configuration_id": fields[0]}]
    assert world.fields(workspace_id) == fields


def given(world: World, whose: str) -> tuple[str, dict[str, Any]]:
    """A key that a request brings along: its owner's, or one that rekey made for another workspace."""
    key_arn = world.make_key() if whose == "managed" else own_key()
    return key_arn, policy_of(key_arn)


@pytest.mark.rule("rule-13", "rule-14")
@pytest.mark.parametrize("whose", ["managed", "brought"])
def test_the_finisher_takes_out_of_a_keys_policy_what_the_rotation_added(world: World, whose: str) -> None:
    workspace_id = world.quiet_workspace()["workspace_id"]
    key_arn, before = given(world, whose)
    world.prepare(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    assert not same(policy_of(key_arn), before)
    world.executions.end(world.rotation_id)
    assert world.carried_on().status == "failed"
    assert same(policy_of(key_arn), before)


@pytest.mark.rule("rule-14")
@pytest.mark.parametrize("whose", ["managed", "brought"])
def test_a_rollback_takes_out_of_a_keys_policy_what_the_rotation_added(world: World, whose: str) -> None:
    workspace_id = world.quiet_workspace()["workspace_id"]
    key_arn, before = given(world, whose)
    world.prepare(workspace_id=workspace_id, operation="add", key_arn=key_arn)
    assert not same(policy_of(key_arn), before)
    assert world.fail("Terminate compute")["status"] == "failed"
    assert same(policy_of(key_arn), before)
