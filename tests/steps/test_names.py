"""Execution names hold characters that aliases and tags may not: a rotation by such a name is like any other."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekey.aws import tags
from rekey.base.words import plain
from rekey.rotation import keys
from tests.clients import client
from tests.steps.world import World

ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")
"""AWS KMS API reference, CreateAlias."""

TAG = re.compile(r"[\w .:/=+@-]{0,256}")
"""AWS KMS developer guide, "Tagging keys"."""

TAKEN_BY_STEP_FUNCTIONS = st.text(string.ascii_letters + string.digits + "-_.+!@()='é", min_size=1, max_size=80)
"""StartExecution refuses white space, brackets, wildcards and " # % \\ ^ | ~ ` $ & , ; : /"""


@pytest.mark.rule("names")
@pytest.mark.parametrize("name", ["CHG0030001.retry-1", "a+b@c=d", "büro.(2)'!", "x" * 80])
def test_a_rotation_of_any_name_gets_its_key(world: World, name: str) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.rotation_id = name
    world.rotate(workspace_id=workspace_id, operation="add")
    [alias] = [each["AliasName"] for each in client("kms").list_aliases()["Aliases"] if "rekey" in each["AliasName"]]
    assert ALIAS.fullmatch(alias)
    key_id = str(world.rotation(name).key_arn).rpartition("/")[2]
    found = {each["TagKey"]: each["TagValue"] for each in client("kms").list_resource_tags(KeyId=key_id)["Tags"]}
    assert all(TAG.fullmatch(value) for value in found.values())


@pytest.mark.parametrize("name", ["plain", "büro.(2)'!"])
def test_a_key_that_a_crash_left_is_found_again_by_its_name(world: World, name: str) -> None:
    world.plan(rotation_id=name, workspace_id=world.workspace()["workspace_id"], operation="add")
    left = keys.make_key(world.settings.keys, world.rotation(name))
    answer = world.call("create_key", rotation_id=name)
    assert (answer["key_arn"], answer["found"]) == (left, True)
    assert len(client("kms").list_keys()["Keys"]) == 1


def test_names_that_look_alike_get_aliases_of_their_own(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    made = []
    for name in ("a.b", "a@b", "a-b"):
        world.rotation_id = name
        world.plan(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"])
        made.append(world.call("create_key", rotation_id=name)["alias"])
        world.fail("Register key configuration")
    assert len(set(made)) == 3


@pytest.mark.rule("names")
@settings(deadline=None)
@given(st.lists(TAKEN_BY_STEP_FUNCTIONS, min_size=2, max_size=5, unique=True))
def test_every_name_has_a_plain_one_of_its_own(names: list[str]) -> None:
    assert len({plain(each) for each in names}) == len(names)
    assert len({tags.rotation_tag(each) for each in names}) == len(names)
    assert all(ALIAS.fullmatch(f"alias/rekey/1/{plain(each)}") for each in names)
    assert all(TAG.fullmatch(tags.rotation_tag(each)) for each in names)


def test_a_plain_name_stays_as_it_is() -> None:
    assert plain("CHG0030001_retry-1") == "CHG0030001_retry-1"
    assert tags.rotation_tag("a.b@c") == "a.b@c"
    assert plain("") == ""
