"""What the doctor's Lambda tells: every way that rotations go, each that is shut with its fix, nothing changed."""

import dataclasses
import json
from typing import Any

import pytest

from infra.login import CREDENTIAL_FORM
from rekey.databricks import connect
from tests.clients import client
from tests.other_accounts import CENTRAL, TEAM, Accounts, role_in
from tests.steps.elsewhere import elsewhere, forward
from tests.steps.looks import changing_requests, kms_keys
from tests.steps.outages import aws_away
from tests.steps.shut import kept_out
from tests.steps.world import World


def examined(world: World) -> list[Any]:
    connect.forget_clients()
    checks: list[Any] = world.call("doctor")["checks"]
    assert (changing_requests(world), kms_keys()) == ([], [])
    return checks


def wrong(checks: list[Any]) -> list[str]:
    return [each["name"] for each in checks if not each["ok"]]


def of_keys(world: World) -> dict[str, Any]:
    """The lines about places of keys, by name."""
    return {each["name"]: each for each in examined(world) if each["name"].startswith(("key account", "refused uses"))}


def test_where_all_is_well_every_way_is_told(world: World) -> None:
    world.workspace(region="us-east-1")
    world.workspace(workspace_name="other", region="eu-west-1")
    forward("123456789012", "eu-west-1")
    checks = examined(world)
    assert wrong(checks) == []
    assert [each["name"] for each in checks] == [
        "Databricks account",
        "ledger",
        "evidence bucket",
        "Databricks workspaces",
        "KMS in eu-west-1",
        "tagging in eu-west-1",
        "KMS in us-east-1",
        "tagging in us-east-1",
        "refused uses",
    ]
    assert checks[0]["said"] == "account admin, by a client secret; 2 workspaces listed"
    assert checks[3]["said"] == "admin of 2 of 2 that run"


def test_no_account_admin(world: World) -> None:
    world.post("switches", account_admin=False)
    checks = examined(world)
    assert wrong(checks) == ["Databricks account"]
    assert "account admin role" in checks[0]["fix"]


def test_no_workspace_admin(world: World) -> None:
    world.workspace()
    world.workspace(workspace_name="other", workspace_admin=False)
    (check,) = [each for each in examined(world) if not each["ok"]]
    assert (check["name"], "no admin of other" in check["said"]) == ("Databricks workspaces", True)


def test_a_secret_that_still_holds_its_placeholder(world: World) -> None:
    form = {**json.loads(CREDENTIAL_FORM), "client_secret": "made by Secrets Manager"}
    client("secretsmanager").put_secret_value(SecretId="databricks", SecretString=json.dumps(form))
    checks = examined(world)
    assert wrong(checks) == ["Databricks credential"]
    assert "still holds its placeholder. Fix: write" in checks[0]["said"]


def test_every_door_of_account_and_workspaces(world: World) -> None:
    first = world.workspace()
    world.workspace(workspace_name="other")
    with kept_out(world, "account", "token"):
        assert wrong(examined(world)) == [
            f"Databricks account, token endpoint ({world.url.removeprefix('http://')})",
            f"Databricks account, API ({world.url.removeprefix('http://')})",
        ]
    with kept_out(world, "workspace", workspace_id=first["workspace_id"]):
        checks = [each for each in examined(world) if each["name"].startswith(("Databricks w", "Workspace"))]
    assert [each["ok"] for each in checks] == [True, False]
    assert checks[0]["said"] == "admin of 1 of 2 that run"
    assert "Fix: put 198.51.100.7 on the IP access list" in checks[1]["said"]


def test_what_of_aws_cannot_be_reached(world: World) -> None:
    world.workspace()
    for service, name in (("kms", "KMS in us-east-1"), ("s3", "evidence bucket"), ("dynamodb", "ledger")):
        with aws_away(service):
            checks = examined(world)
        assert wrong(checks) == [name]
        assert "NAT gateway" in next(each["said"] for each in checks if not each["ok"])


def test_ticket_systems(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = dataclasses.replace(world.settings, ticket_hosts={"jira": "http://127.0.0.1:9", "standard": world.url})
    monkeypatch.setattr("control.doctor.current_settings", lambda: settings)
    checks = {each["name"].split(" (")[0]: each["ok"] for each in examined(world)}
    assert (checks["Ticket system jira"], checks["tickets of standard"]) == (False, True)


def test_of_many_workspaces_that_cannot_be_reached_the_first_are_told(world: World) -> None:
    for number in range(13):
        world.quiet_workspace(workspace_name=f"w{number}", notebooks=0, secrets=0, files=0)
    with kept_out(world, "workspace"):
        checks = examined(world)
    assert len(wrong(checks)) == 11
    assert "3 more cannot be reached" in [each["said"] for each in checks]


# --- where keys are ---


def test_where_keys_are_in_the_stacks_account_and_region_there_is_nothing_to_ask(world: World) -> None:
    world.workspace(keys={"managed_services": world.make_key()})
    connect.forget_clients()
    assert [each for each in world.call("doctor")["checks"] if "key" in each["name"] or "uses" in each["name"]] == []


@pytest.mark.parametrize("state", [None, "DISABLED"])
def test_a_place_that_does_not_tell_of_refused_uses(world: World, state: str | None) -> None:
    world.workspace(region="eu-west-1")
    if state:
        forward("123456789012", "eu-west-1", state)
    found = of_keys(world)["refused uses"]
    assert (found["ok"], "rekey-refused-uses" in found["said"]) == (False, True)
    assert "in eu-west-1 of 123456789012:" in found["said"]
    assert found["fix"] == "deploy templates/key-account.yaml there with the stack's bus"


def test_where_nobody_may_look_for_the_rule(world: World) -> None:
    world.workspace(region="eu-west-1")
    with aws_away("events"):
        found = of_keys(world)["refused uses"]
    assert (found["ok"], "nobody could tell" in found["said"]) == (None, True)


def test_the_role_of_each_key_account_is_tried(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mapping to one account, and the workspaces' own for all others."""
    elsewhere(world, monkeypatch, {"77": CENTRAL, "default": "workspace"}, "*")
    world.workspace(workspace_id=77)
    world.workspace(workspace_name="other", role_arn=f"arn:aws:iam::{TEAM}:role/prod-cross-account")
    accounts.give_role(CENTRAL)
    forward(CENTRAL)
    found = of_keys(world)
    assert found["key accounts"]["said"] == "1 of 2 let rekey take on their role"
    assert found["refused uses"]["said"] == "told from 1 other place where keys are"
    lost = found[f"key account {TEAM}"]
    assert (lost["ok"], role_in(TEAM) in lost["said"]) == (False, True)
    assert f"deploy templates/key-account.yaml in {TEAM}" in lost["fix"]
    accounts.roles[role_in(TEAM)] = "another one's"
    assert not of_keys(world)[f"key account {TEAM}"]["ok"]
    accounts.give_role(TEAM)
    found = of_keys(world)
    assert found["key accounts"]["said"] == "2 of 2 let rekey take on their role"
    assert f"us-east-1 of {TEAM}:" in found["refused uses"]["said"]


def test_a_key_that_stayed_where_the_setting_once_was_is_asked_for_too(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch)
    accounts.give_role(CENTRAL)
    world.rotate(workspace_id=world.workspace(keys={"managed_services": world.make_key()})["workspace_id"])
    elsewhere(world, monkeypatch, {"78": CENTRAL, "default": "stack"})
    accounts.take_role(CENTRAL)
    connect.forget_clients()
    found = {each["name"]: each["ok"] for each in world.call("doctor")["checks"]}
    assert found[f"key account {CENTRAL}"] is False


def test_a_workspace_whose_account_nobody_can_tell(
    world: World, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(world, monkeypatch, "workspace", "*")
    world.workspace()
    gone = {"status": 404, "error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no credentials", "times": None}
    world.post("faults", match={"method": "GET", "path": "/credentials/"}, fault="status", **gone)
    found = of_keys(world)["key accounts"]
    assert (found["ok"], found["fix"]) == (False, "name the account of each in rekey:key_accounts")
    assert found["said"].endswith("for prod")
