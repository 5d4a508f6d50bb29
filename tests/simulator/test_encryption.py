"""Real encryption: what a wrong policy, a wrong key or a key disabled too early does to a workspace's contents."""

import base64
from typing import Any

import pytest

from tests.simulator.bench import DAY, DBFS_ACTIONS, HOUR, Bench, Json, for_databricks, kms_client

MANAGED = ["kms:Encrypt", "kms:Decrypt"]


def rotate(bench: Bench, workspace: Json, key_arn: str) -> None:
    """Switch and wait until it shows."""
    assert bench.patch(workspace, managed=bench.register(key_arn, "MANAGED_SERVICES")).status_code == 200
    bench.clock.advance(120)


def import_notebook(bench: Bench, workspace: Json, path: str) -> Any:
    content = base64.b64encode(b"print(1)").decode()
    body = {"path": path, "format": "SOURCE", "language": "PYTHON", "content": content, "overwrite": True}
    return bench.workspace(workspace, "POST", "/api/2.0/workspace/import", body)


def test_contents_are_encrypted_and_read_back(bench: Bench) -> None:
    workspace = bench.seed(notebooks=2, secrets=2, files=2, keys={"managed_services": bench.key()})
    assert bench.side("GET", "/health") == {"objects": 6, "unreadable": []}
    path = "/api/2.0/workspace/export?path=/Shared/notebook-1&format=SOURCE"
    answer = bench.workspace(workspace, "GET", path).json()
    assert base64.b64decode(answer["content"]) == b"# Databricks notebook source\nprint(1)"
    answer = bench.workspace(workspace, "GET", "/api/2.0/secrets/get?scope=seeded&key=secret-1").json()
    assert base64.b64decode(answer["value"]) == b"value 1"
    stored = bench.world.workspaces[workspace["workspace_id"]].contents.sealed()
    assert not any(b"value" in sealed.ciphertext or b"print" in sealed.ciphertext for sealed in stored)


@pytest.mark.rule("principal")
@pytest.mark.parametrize("tag", ["another-account", ""])
def test_a_policy_for_another_account_makes_contents_unreadable(bench: Bench, tag: str) -> None:
    key = bench.key()
    workspace = bench.seed(notebooks=1, secrets=1, keys={"managed_services": key})
    bench.rewrite(key, for_databricks(tag, MANAGED))
    assert {(found["kind"], found["key_arn"]) for found in bench.unreadable()} == {("notebook", key), ("secret", key)}
    answer = bench.workspace(workspace, "GET", "/api/2.0/workspace/export?path=/Shared/notebook-0")
    assert answer.status_code == 403
    assert answer.json()["error_code"] == "PERMISSION_DENIED"
    assert "AccessDeniedException" in answer.json()["message"]


@pytest.mark.rule("policy-managed")
def test_a_missing_action_an_explicit_deny_and_no_statement_at_all(bench: Bench) -> None:
    key = bench.key()
    bench.seed(notebooks=1, keys={"managed_services": key})
    account_id = bench.settings.account_id
    allow = for_databricks(account_id, MANAGED)
    bench.rewrite(key, allow)
    assert bench.unreadable() == []
    for statements in (
        [for_databricks(account_id, ["kms:Encrypt"])],
        [allow, {**allow, "Effect": "Deny", "Action": "kms:Decrypt"}],
        [allow, {"Effect": "Deny", "NotPrincipal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}],
        [{**allow, "Condition": {**allow["Condition"], "Bool": {"aws:PrincipalIsAWSService": "true"}}}],
        [],
    ):
        bench.rewrite(key, *statements)
        assert len(bench.unreadable()) == 1, statements


def test_a_statement_without_the_tag_condition_is_enough(bench: Bench) -> None:
    key = bench.key()
    bench.seed(notebooks=1, keys={"managed_services": key})
    statement = for_databricks("", MANAGED)
    del statement["Condition"]
    bench.rewrite(key, statement)
    assert bench.unreadable() == []


@pytest.mark.rule("old-key-a-day")
def test_old_key_is_needed_for_a_day_after_the_switch(bench: Bench) -> None:
    old, new = bench.key(), bench.key()
    workspace = bench.seed(notebooks=2, keys={"managed_services": old})
    rotate(bench, workspace, new)
    bench.disable(old)
    found = bench.unreadable()
    assert [entry["key_arn"] for entry in found] == [old, old]
    assert "DisabledException" in found[0]["reason"]
    assert bench.rules_broken() == ["key_disabled_too_early"]
    bench.pass_time(DAY)
    assert bench.unreadable() == []
    assert bench.rules_broken() == ["key_disabled_too_early"]


@pytest.mark.rule("old-key-a-day")
def test_old_key_disabled_after_a_day_is_fine(bench: Bench) -> None:
    old, new = bench.key(), bench.key()
    workspace = bench.seed(notebooks=2, keys={"managed_services": old})
    rotate(bench, workspace, new)
    bench.pass_time(DAY - 1)
    assert bench.unreadable() == []
    assert {entry["key_arn"] for entry in bench.sim(workspace)["objects"]} == {old}
    bench.pass_time(1)
    bench.disable(old)
    assert bench.unreadable() == []
    assert {entry["key_arn"] for entry in bench.sim(workspace)["objects"]} == {new}
    assert bench.rules_broken() == []


def test_disabling_early_is_noticed_without_any_object(bench: Bench) -> None:
    old = bench.key()
    workspace = bench.seed(keys={"managed_services": old})
    rotate(bench, workspace, bench.key())
    bench.clock.advance(DAY - HOUR)
    bench.disable(old)
    assert bench.rules_broken() == ["key_disabled_too_early"]


def test_the_day_can_be_switched_off(bench: Bench) -> None:
    bench.side("POST", "/switches", {"old_key_needed_after_switch": False})
    old = bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": old})
    rotate(bench, workspace, bench.key())
    bench.disable(old)
    assert bench.unreadable() == []
    assert bench.rules_broken() == []


def test_a_key_that_is_still_referenced_must_not_be_disabled(bench: Bench) -> None:
    key = bench.key()
    bench.seed(keys={"managed_services": key})
    bench.pass_time(30 * DAY)
    bench.disable(key)
    assert "the workspace references it" in bench.side("GET", "/violations")[0]["detail"]


@pytest.mark.rule("managed-rotate")
def test_new_writes_use_the_new_key_at_once(bench: Bench) -> None:
    old, new = bench.key(), bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": old})
    rotate(bench, workspace, new)
    assert import_notebook(bench, workspace, "/Shared/new").status_code == 200
    assert import_notebook(bench, workspace, "/Shared/notebook-0").status_code == 200
    assert {entry["key_arn"] for entry in bench.sim(workspace)["objects"]} == {new}
    bench.disable(new)
    assert {entry["name"] for entry in bench.unreadable()} == {"/Shared/new", "/Shared/notebook-0"}


@pytest.mark.rule("not-reencrypted")
def test_adding_a_key_leaves_old_objects_as_they_are(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)
    key = bench.key()
    rotate(bench, workspace, key)
    bench.pass_time(2 * DAY)
    import_notebook(bench, workspace, "/Shared/new")
    bench.disable(key)
    assert [entry["name"] for entry in bench.unreadable()] == ["/Shared/new"]


def test_back_to_the_old_key_within_the_day(bench: Bench) -> None:
    old, new = bench.key(), bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": old})
    rotate(bench, workspace, new)
    bench.pass_time(HOUR)
    assert bench.patch(workspace, managed=workspace["configurations"]["managed_services"]).status_code == 200
    bench.clock.advance(120)
    assert bench.unreadable() == []
    # A day after the first switch, but not after the one back: nothing may have moved to the key that was left.
    bench.pass_time(DAY - HOUR)
    bench.disable(new)
    assert bench.unreadable() == []
    bench.pass_time(3 * DAY)
    assert bench.unreadable() == []


def test_back_to_the_old_key_though_the_new_one_is_lost(bench: Bench) -> None:
    old, new = bench.key(), bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": old})
    rotate(bench, workspace, new)
    bench.disable(new)
    bench.patch(workspace, managed=workspace["configurations"]["managed_services"])
    bench.clock.advance(120)
    assert bench.unreadable() == []
    assert import_notebook(bench, workspace, "/Shared/new").status_code == 200


def test_two_rotations_within_a_day(bench: Bench) -> None:
    first, second, third = bench.key(), bench.key(), bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": first})
    rotate(bench, workspace, second)
    import_notebook(bench, workspace, "/Shared/second")
    bench.pass_time(HOUR)
    rotate(bench, workspace, third)
    assert {entry["key_arn"] for entry in bench.sim(workspace)["objects"]} == {first, second}
    bench.pass_time(DAY)
    assert {entry["key_arn"] for entry in bench.sim(workspace)["objects"]} == {third}
    assert bench.unreadable() == []


@pytest.mark.rule("data-key-cache")
def test_a_data_key_may_be_cached_for_a_while(bench: Bench) -> None:
    bench.side("POST", "/switches", {"dek_cache_seconds": 300})
    key = bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": key})
    export = "/api/2.0/workspace/export?path=/Shared/notebook-0"
    assert bench.workspace(workspace, "GET", export).status_code == 200
    bench.disable(key)
    assert bench.workspace(workspace, "GET", export).status_code == 200
    assert len(bench.unreadable()) == 1
    bench.clock.advance(300)
    assert bench.workspace(workspace, "GET", export).status_code == 403


@pytest.mark.rule("data-key-cache")
def test_while_it_is_cached_writes_go_on_too(bench: Bench) -> None:
    bench.side("POST", "/switches", {"dek_cache_seconds": 300})
    key = bench.key()
    workspace = bench.seed(notebooks=1, keys={"managed_services": key})
    content = base64.b64encode(b"new").decode()
    body = {"path": "/Shared/new", "format": "SOURCE", "language": "PYTHON", "content": content}
    assert bench.workspace(workspace, "GET", "/api/2.0/workspace/export?path=/Shared/notebook-0").status_code == 200
    bench.disable(key)
    assert bench.workspace(workspace, "POST", "/api/2.0/workspace/import", body).status_code == 200
    bench.clock.advance(300)
    again = {**body, "overwrite": True}
    assert bench.workspace(workspace, "POST", "/api/2.0/workspace/import", again).status_code == 403


@pytest.mark.rule("storage-new-writes")
def test_a_storage_key_covers_new_files_only(bench: Bench) -> None:
    workspace = bench.seed(files=1)
    key = bench.key()
    bench.patch(workspace, storage=bench.register(key, "STORAGE"))
    bench.clock.advance(120 + 1200)
    put = {"path": "/FileStore/new", "contents": base64.b64encode(b"hello").decode()}
    assert bench.workspace(workspace, "POST", "/api/2.0/dbfs/put", put).status_code == 200
    read = bench.workspace(workspace, "GET", "/api/2.0/dbfs/read?path=/FileStore/new&offset=1&length=3").json()
    assert (read["bytes_read"], base64.b64decode(read["data"])) == (3, b"ell")
    bench.pass_time(10 * DAY)
    bench.disable(key)
    assert [entry["name"] for entry in bench.unreadable()] == ["/FileStore/new"]


@pytest.mark.rule("policy-storage")
@pytest.mark.parametrize("missing", DBFS_ACTIONS)
def test_storage_needs_all_five_actions(bench: Bench, missing: str) -> None:
    workspace = bench.seed()
    actions = [action for action in DBFS_ACTIONS if action != missing]
    bench.patch(workspace, storage=bench.register(bench.key(actions=actions), "STORAGE"))
    bench.clock.advance(120)
    assert "storage_customer_managed_key_id" not in bench.get(workspace)


@pytest.mark.rule("key-region")
def test_a_key_of_another_region_cannot_even_be_seeded(bench: Bench) -> None:
    made = kms_client("eu-west-1").create_key()
    with pytest.raises(AssertionError, match="KEY_UNUSABLE"):
        bench.seed(keys={"managed_services": made["KeyMetadata"]["Arn"]})


@pytest.mark.rule("keys-shared")
def test_keys_may_be_shared_and_serve_both_use_cases(bench: Bench) -> None:
    key = bench.key()
    one = bench.seed(notebooks=1, files=1, keys={"managed_services": key, "storage": key})
    two = bench.seed(notebooks=1, files=1, keys={"managed_services": key, "storage": key})
    assert one["configurations"] == two["configurations"]
    assert one["configurations"]["managed_services"] == one["configurations"]["storage"]
    bench.disable(key)
    assert len(bench.unreadable()) == 4
