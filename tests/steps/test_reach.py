"""Every host that a rotation needs is tried first: all that are shut are in the plan at once, each with its fix."""

import dataclasses
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.plan_text import as_text
from rekey.aws import clients
from rekey.base import errors
from rekey.databricks import connect
from tests.loopback import http, loopback
from tests.steps.looks import changing_requests, kms_keys, settled
from tests.steps.outages import aws_away, databricks_fails
from tests.steps.shut import kept_out
from tests.steps.world import World
from tests.tls import strange_context

ACCOUNT = ["Databricks account, token endpoint", "Databricks account, API"]
PROD = ["Workspace prod, token endpoint", "Workspace prod, API"]
TAGGING = "resourcegroupstaggingapi"
ADDRESS = "198.51.100.7"


@contextmanager
def told(world: World, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[None]:
    """Other settings for the Lambdas."""
    connect.forget_clients()
    with monkeypatch.context() as patch:
        changed = dataclasses.replace(world.settings, **settings)
        patch.setattr("rotate_key.plan_rotation.current_settings", lambda: changed)
        yield
    connect.forget_clients()


def planned(world: World, workspace_id: int, **request: Any) -> Any:
    """The preflight of a dry run, which must have touched nothing."""
    preflight = world.plan(workspace_id=workspace_id, dry_run=True, **request)["preflight"]
    assert (changing_requests(world), world.ledger.find("r1")) == ([], None)
    return preflight


def places(preflight: Any) -> list[str]:
    """What is in the way, without the address."""
    return [re.split(r" \(| in |: ", each)[0] for each in preflight["findings"]]


@pytest.mark.parametrize(
    ("door", "only", "shut", "whose"),
    [
        ("account", False, ACCOUNT[1:], "account"),
        ("token", False, ACCOUNT[:1], "account"),
        ("workspace", False, PROD[1:], "workspace"),
        ("token", True, PROD[:1], "workspace"),
    ],
)
@pytest.mark.parametrize("code", ["number", "text"])
def test_an_access_list_at_each_door_has_its_own_fix(
    world: World, door: str, only: bool, shut: list[str], whose: str, code: str
) -> None:
    workspace_id = world.workspace()["workspace_id"]
    world.post("switches", access_list_code=code)
    with kept_out(world, door, **({"workspace_id": workspace_id} if only else {})):
        preflight = planned(world, workspace_id)
        with pytest.raises(errors.NetworkRefused, match=f"Fix: put {ADDRESS} on the IP access list of .* {whose}"):
            world.plan(workspace_id=workspace_id)
    assert (preflight["possible"], places(preflight)) == (False, shut)
    assert f"Fix: put {ADDRESS} on the IP access list of the Databricks {whose}" in preflight["findings"][0]
    assert "credential is not at fault" in preflight["findings"][0]
    assert as_text(preflight).splitlines()[2] == "Not possible now: 1 reason"
    assert (world.plan(workspace_id=workspace_id)["decision"], kms_keys()) == ("rotate", [])


def test_every_door_that_is_shut_is_told_at_once(world: World) -> None:
    """Without the account nobody knows the workspace's host: it says so."""
    workspace_id = world.workspace()["workspace_id"]
    with kept_out(world, "account", "workspace", "token"):
        of_account = planned(world, workspace_id)
        with pytest.raises(errors.NetworkRefused) as refused:
            world.plan(workspace_id=workspace_id)
    with kept_out(world, "workspace", "token", workspace_id=workspace_id), aws_away("kms"), aws_away(TAGGING):
        of_workspace = planned(world, workspace_id)
    assert places(of_account) == ACCOUNT
    assert len(str(refused.value).splitlines()) == 2
    assert "could not be looked at" in as_text(of_account)
    assert "tried next" in as_text(of_account)
    assert places(of_workspace) == [*PROD, "KMS", "tagging"]
    assert all("Fix" in each for each in (*of_account["findings"], *of_workspace["findings"]))


def test_what_forbids_it_otherwise_is_told_beside_it(world: World) -> None:
    workspace_id = world.workspace(tier="PREMIUM")["workspace_id"]
    with kept_out(world, "workspace", workspace_id=workspace_id):
        preflight = planned(world, workspace_id)
    assert places(preflight) == [*PROD[1:], "workspace_id"]
    assert preflight["workspace"]["tier"] == "PREMIUM"


def test_a_workspace_behind_private_link(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    with kept_out(world, "workspace", kind="private_link"):
        preflight = planned(world, workspace_id)
    assert places(preflight) == PROD[1:]
    assert "rekey:vpc_id" in preflight["findings"][0]


def test_a_name_that_dns_does_not_know(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace_id = world.workspace()["workspace_id"]
    real = socket.getaddrinfo

    def asked(host: Any, *more: Any, **how: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "no")
        return real(host, *more, **how)

    monkeypatch.setattr(socket, "getaddrinfo", asked)
    with told(world, monkeypatch, databricks_workspace_host="https://{deployment_name}.invalid"):
        preflight = planned(world, workspace_id)
    assert places(preflight) == ["Workspace prod"]
    assert "private hosted zone" in preflight["findings"][0]


def test_a_certificate_of_a_private_authority(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    workspace_id = world.workspace()["workspace_id"]
    with loopback(http(), tls=strange_context(tmp_path / "server.pem")) as server:
        host = server.url + "/w/{deployment_name}"
        with told(world, monkeypatch, databricks_workspace_host=host):
            preflight = planned(world, workspace_id)
    assert places(preflight) == ["Workspace prod"]
    assert "rekey:ca_bundle" in preflight["findings"][0]


@pytest.mark.parametrize("where", ["databricks_workspace_host", "databricks_account_host"])
def test_a_host_that_never_answers(world: World, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    workspace_id = world.workspace()["workspace_id"]
    with told(world, monkeypatch, **{where: "http://127.0.0.1:9"}):
        preflight = planned(world, workspace_id)
        # A rotation is tried again by the state machine.
        with pytest.raises(errors.DatabricksUnavailable, match="could not be reached"):
            world.plan(workspace_id=workspace_id)
    assert (preflight["possible"], len(preflight["findings"])) == (False, 1)
    assert "NAT gateway" in preflight["findings"][0]


def test_what_has_passed_by_the_second_look_is_tried_again(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    for fault in ({"fault": "reset"}, {"fault": "throttle"}):
        connect.forget_clients()
        world.post("faults", match={"path": "/scim/v2/Me"}, times=1, **fault)
        with pytest.raises(errors.Transient):
            world.plan(workspace_id=workspace_id, dry_run=True)
        assert planned(world, workspace_id)["possible"]


def test_a_credential_that_is_not_accepted_is_no_networks_fault(world: World) -> None:
    workspace_id = world.workspace()["workspace_id"]
    match = {"path": "/oidc/v1/token"}
    with databricks_fails(world, match=match, fault="status", status=401, error_code="invalid_client"):
        preflight = planned(world, workspace_id)
        with pytest.raises(errors.Unauthenticated):
            world.plan(workspace_id=workspace_id)
    assert places(preflight) == ["Workspace prod"]
    assert "client secret" in preflight["findings"][0]


ENDPOINT = "because no VPC endpoint policy allows the kms:DescribeKey action"
CONTROL = "with an explicit deny in a service control policy"


@pytest.mark.parametrize(
    ("why", "fix"),
    [(ENDPOINT, "policy of the VPC endpoint"), (CONTROL, "service control policies"), ("", "give the Lambda's role")],
)
def test_aws_keeps_rekey_out_of_the_keys_region(
    world: World, monkeypatch: pytest.MonkeyPatch, why: str, fix: str
) -> None:
    workspace_id = world.workspace()["workspace_id"]
    message = f"User: x is not authorized to perform: kms:DescribeKey on resource: y {why}"
    answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": message}}

    def denied(**_: Any) -> Any:
        raise ClientError(answer, "DescribeKey")

    monkeypatch.setattr(clients.kms("", "us-east-1"), "describe_key", denied)
    preflight = planned(world, workspace_id)
    assert places(preflight) == ["KMS"]
    assert fix in preflight["findings"][0]
    with pytest.raises(errors.AccessDenied, match=fix):
        world.plan(workspace_id=workspace_id)


def test_kms_that_is_away_does_not_hide_the_rest_of_a_renewal(world: World) -> None:
    workspace_id = world.workspace(keys={"managed_services": world.make_key()})["workspace_id"]
    with aws_away("kms"):
        preflight = planned(world, workspace_id, operation="rotate_material")
    assert places(preflight) == ["KMS"]


def test_no_secret_is_told_with_the_doors(world: World) -> None:
    """Both are wrong: that the secret cannot be read does not hide the access list."""
    workspace_id = world.workspace()["workspace_id"]
    with kept_out(world, "account"), aws_away("secretsmanager"):
        preflight = planned(world, workspace_id)
    assert places(preflight) == ["AWS Secrets Manager", *ACCOUNT[1:]]


def test_sts_is_told_with_the_doors_where_databricks_trusts_a_role(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_id = world.workspace()["workspace_id"]
    role = {"databricks_secret_arn": "", "databricks_client_id": "x", "databricks_role_arn": "arn:aws:iam::1:role/x"}
    with told(world, monkeypatch, **role), kept_out(world, "token"), aws_away("sts"):
        preflight = planned(world, workspace_id)
    assert places(preflight) == ["AWS STS", *ACCOUNT[:1]]
    assert "VPC endpoint of that region" in preflight["findings"][0]


@pytest.mark.parametrize("there", [True, False])
def test_a_ticket_system_that_cannot_be_told_is_a_doubt(
    world: World, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    workspace_id = world.workspace()["workspace_id"]
    ticket = {"provider": "jira", "key": "SEC-12"}
    with loopback(http("302 Found", b"", "Location: /login")) as server:
        hosts = {"jira": server.url if there else "http://127.0.0.1:9"}
        with told(world, monkeypatch, ticket_hosts=hosts):
            assert planned(world, workspace_id)["findings"] == []
            preflight = planned(world, workspace_id, ticket=ticket)
    assert (preflight["possible"], places(preflight)) == (True, [] if there else ["Ticket system jira"])
    assert server.received or not there


@pytest.mark.parametrize("door", ["account", "workspace", "token"])
@pytest.mark.parametrize("failing", [False, True])
def test_a_list_that_comes_in_the_middle_is_waited_for_and_compute_comes_back(
    world: World, door: str, failing: bool
) -> None:
    """On the way forward, and on the way back: whoever mends the list has everything as it was."""
    workspace = world.workspace(keys={"managed_services": world.make_key()})
    before = world.compute(workspace["workspace_id"])
    world.prepare(workspace_id=workspace["workspace_id"])
    world.loop("terminate_compute")
    world.clock.advance(120)
    failure: Any = (
        {"failure": {"state": "Verify", "error": "SwitchReverted", "cause": "it went back"}} if failing else {}
    )
    answers = []
    with kept_out(world, door):
        for _ in range(3):
            answers.append(world.call("roll_back" if failing else "patch_workspace", rotation_id="r1", **failure))
            connect.forget_clients()
            world.clock.advance(1800)
    if door != "workspace":  # The switch is the account's.
        assert not any(each["done"] for each in answers)
        assert "on the IP access list of the Databricks account" in str(answers[-1]["waiting_for"])
    if failing:
        world.loop("roll_back", rounds=200, **failure)
    else:
        world.switch_and_verify()
    with kept_out(world, door):
        held = world.call("restart_compute", rotation_id="r1", **failure)
        connect.forget_clients()
        world.clock.advance(1800)
    if door != "account":  # Compute is the workspace's.
        assert not held["done"]
        assert "IP access list" in str(held["waiting_for"]) or "the list of" in str(held["waiting_for"])
    world.loop("restart_compute", rounds=200, **failure)
    assert settled(world.compute(workspace["workspace_id"])) == settled(before)
    assert world.get("violations") == []
    world.call("record_failure" if failing else "complete_rotation", rotation_id="r1", **failure)
