"""What the doctor's Lambda tells: every way that rotations go, each that is shut with its fix, nothing changed."""

import dataclasses
import json
from typing import Any

import pytest

from infra.login import CREDENTIAL_FORM
from rekey.databricks import connect
from tests.clients import client
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


def test_where_all_is_well_every_way_is_told(world: World) -> None:
    world.workspace(region="us-east-1")
    world.workspace(workspace_name="other", region="eu-west-1")
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
