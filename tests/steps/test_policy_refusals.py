"""Policies of given keys that cannot do: refused in the plan with field and fix, told in a dry run."""

import json
from datetime import timedelta
from typing import Any

import pytest

from rekey.aws.policy_document import compact, size
from rekey.base import clock, errors
from tests.clients import client
from tests.kms_policies import Policies
from tests.steps.own_keys import PAYMENTS, edit, own_key, policy_of, preflight, refused
from tests.steps.world import World

ORPHANS = ["AROAEXAMPLEEXAMPLE77", "AIDAEXAMPLEEXAMPLE77"]


@pytest.mark.rule("policy-taken-no-more")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        *[
            ({"Principal": {"AWS": each}}, f"the statement 'left over' names {each}, which was deleted")
            for each in ORPHANS
        ],
        ({"Principal": {"AWS": ["*", ORPHANS[0]]}}, f"names {ORPHANS[0]}"),
        (
            {"Action": "kms:Sign", "Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": ["*", ORPHANS[1]]}},
            f"names {ORPHANS[1]}",
        ),
        ({"Sid": None, "Principal": {"AWS": ORPHANS[0]}}, "the statement number 3 names"),
        ({"Resource": "arn:aws:kms:us-east-1:123456789012:key/1"}, 'has an ARN as its Resource: write "\\*"'),
    ],
)
def test_a_policy_that_kms_takes_no_more_is_refused(world: World, statement: dict[str, Any], said: str) -> None:
    key_arn = own_key()
    whole = {**PAYMENTS, "Sid": "left over", **statement}
    edit(key_arn, {name: value for name, value in whole.items() if value is not None})
    refused(world, f"key_arn: .*{said}.*", key_arn=key_arn)
    dry = preflight(world, key_arn)
    assert dry["possible"] is False
    assert sum("KMS would refuse what rekey puts" in each for each in dry["findings"]) == 1


def test_a_policy_that_need_not_be_put_may_name_whom_it_will(world: World) -> None:
    """Everything is there, so nothing is put and KMS is not asked to take the document."""
    key_arn = own_key()
    world.prepare(workspace_id=world.workspace()["workspace_id"], operation="add", key_arn=key_arn)
    edit(key_arn, {**PAYMENTS, "Principal": {"AWS": ORPHANS[0]}})
    world.next_rotation()
    assert preflight(world, key_arn, use_cases=["MANAGED_SERVICES"])["possible"]


def filled(key_arn: str, most: int) -> int:
    """Fill a key's policy with foreign statements up to so many bytes. Gives how many it takes then."""
    document = policy_of(key_arn)
    number = 0
    while True:
        number += 1
        one = {**PAYMENTS, "Sid": f"s{number}", "Action": ["kms:Encrypt", "kms:Decrypt"]}
        more = {**document, "Statement": [*document["Statement"], one]}
        if size(more) > most:
            break
        document = more
    client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(document, indent=4))
    return size(document)


@pytest.mark.rule("policy-meaning")
def test_a_policy_is_as_large_as_kms_counts_it(world: World, policies: Policies) -> None:
    """With white space it would be over the limit, and it is put without."""
    key_arn = own_key()
    assert filled(key_arn, 31_100) > 30_900
    old = world.make_key()
    workspace_id = world.workspace(keys={"managed_services": old})["workspace_id"]
    world.prepare(workspace_id=workspace_id, operation="rotate", key_arn=key_arn)
    assert len(json.dumps(json.loads(policies.puts[-1]))) > 32_768
    assert policies.puts[-1] == compact(json.loads(policies.puts[-1]))


def test_a_policy_without_room_is_refused(world: World) -> None:
    key_arn = own_key()
    filled(key_arn, 32_700)
    refused(world, "key_arn: .* over 32768 bytes. Fix: shorten the policy", key_arn=key_arn)


def test_a_policy_that_grew_too_large_meanwhile_fails_before_anything_stops(world: World) -> None:
    key_arn = own_key()
    world.plan(workspace_id=world.workspace()["workspace_id"], operation="add", key_arn=key_arn)
    world.call("create_key", rotation_id="r1")
    filled(key_arn, 32_700)
    with pytest.raises(errors.PolicyRefused, match=r"too large .* Fix: shorten it"):
        world.call("set_policy", rotation_id="r1")


ROLE = "arn:aws:iam::123456789012:role/one"


def with_a_new_role(world: World) -> None:
    workspace_id = world.workspace(role_arn=ROLE)["workspace_id"]
    world.plan(workspace_id=workspace_id, operation="add")
    world.call("create_key", rotation_id="r1")


@pytest.mark.rule("policy-late-principal")
def test_a_role_that_was_made_a_moment_ago_is_waited_for(world: World, policies: Policies) -> None:
    with_a_new_role(world)
    policies.fresh[ROLE] = 2
    for _ in range(2):
        with pytest.raises(errors.AwsUnavailable, match=ROLE):
            world.call("set_policy", rotation_id="r1")
    assert world.call("set_policy", rotation_id="r1")["changed"] is True


@pytest.mark.rule("policy-late-principal")
def test_a_role_that_never_comes_is_named_after_some_minutes(world: World, policies: Policies) -> None:
    with_a_new_role(world)
    policies.fresh[ROLE] = 99
    with pytest.raises(errors.AwsUnavailable):
        world.call("set_policy", rotation_id="r1")
    since = world.rotation().policy_refused_at
    assert since is not None
    earlier = clock.text(clock.moment(since) - timedelta(minutes=4))
    world.ledger.note(world.rotation(), policy_refused_at=earlier)
    with pytest.raises(errors.PolicyRefused, match=rf"{ROLE}.* for 4 minutes. Fix: check that the role exists"):
        world.call("set_policy", rotation_id="r1")
