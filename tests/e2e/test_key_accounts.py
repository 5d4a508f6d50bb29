"""Keys in other accounts, with IAM enforced: a rotation in each mode, refused without the role, and by nobody else."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import cloud
from tests.e2e.common import whole
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver, until

CENTRAL, TEAM, LEAVING = "444455556666", "555566667777", "666677778888"
EXTERNAL_ID = "rekey-0123456789"
NAMED, STAYS = 4711, 4712
"""Workspaces that the setting names: its keys in the central account, and in the stack's."""

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "key-account.yaml"

pytestmark = pytest.mark.e2e


def settings(key_accounts: Any) -> Mapping[str, object]:
    return {"key_accounts": key_accounts, "key_account_external_id": EXTERNAL_ID}


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud of its own, whose keys are in one other account."""
    with cloud(SCALES, tmp_path_factory.mktemp("central") / "local.json", settings=settings(CENTRAL)) as running:
        yield Driver(running)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud of its own, whose keys are in each workspace's own account, but for two workspaces."""
    places = {str(NAMED): CENTRAL, str(STAYS): "stack", "default": "workspace"}
    file = tmp_path_factory.mktemp("spread") / "local.json"
    with cloud(SCALES, file, settings=settings(json.dumps(places))) as running:
        yield Driver(running)


def in_account(driver: Driver, account: str, service: str) -> Any:
    """A client as that account's root."""
    options: dict[str, Any] = {**driver.cloud.client_options, "aws_access_key_id": account}
    return boto3.client(service, **options)  # type: ignore[call-overload]


def deploy_template(driver: Driver, account: str) -> None:
    given = {
        "StackAccount": driver.cloud.account,
        "ExternalId": EXTERNAL_ID,
        "RoleRegion": driver.cloud.region,
        "StackBusArn": f"arn:aws:events:{driver.cloud.region}:{driver.cloud.account}:event-bus/rekey",
    }
    in_account(driver, account, "cloudformation").create_stack(
        StackName="rekey-keys",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    assert settled(driver, account) == "CREATE_COMPLETE"


def settled(driver: Driver, account: str) -> str:
    formation = in_account(driver, account, "cloudformation")
    return until(
        "the stack of the key account",
        lambda: str(formation.describe_stacks(StackName="rekey-keys")["Stacks"][0]["StackStatus"]),
        lambda status: not status.endswith("IN_PROGRESS"),
    )


def take_away(driver: Driver, account: str) -> None:
    """The account's owner deletes what the template made."""
    in_account(driver, account, "cloudformation").delete_stack(StackName="rekey-keys")
    roles = in_account(driver, account, "iam")
    until("the role to go", lambda: [each["RoleName"] for each in roles.list_roles()["Roles"]], lambda left: not left)


def role_in(account: str) -> str:
    return f"arn:aws:iam::{account}:role/rekey-keys"


def keys_of(driver: Driver, account: str) -> list[str]:
    return [each["KeyArn"] for each in in_account(driver, account, "kms").list_keys()["Keys"]]


def state_of(driver: Driver, key_arn: str) -> str:
    kms = in_account(driver, key_arn.split(":")[4], "kms")
    return str(kms.describe_key(KeyId=key_arn.rpartition("/")[2])["KeyMetadata"]["KeyState"])


def told_of_keys(driver: Driver) -> dict[str, Any]:
    """What the doctor says of the places of keys, by name."""
    checks = driver.invoke("doctor")["checks"]
    return {each["name"]: each for each in checks if each["name"].startswith(("key account", "refused uses"))}


def take_on(driver: Driver, external_id: str) -> None:
    driver.aws("sts").assume_role(RoleArn=role_in(CENTRAL), RoleSessionName="test", ExternalId=external_id)


def keyed(driver: Driver, account: str, **seed: Any) -> int:
    """A workspace in that account, with a key of the stack's."""
    role_arn = f"arn:aws:iam::{account}:role/databricks-cross-account"
    return driver.workspace(role_arn=role_arn, keys={"managed_services": driver.make_key()}, **seed)


def test_a_key_is_made_in_the_second_account_through_its_role_alone(central: Driver) -> None:
    workspace_id = central.workspace(keys={"managed_services": central.make_key()})
    before, fields = central.compute(workspace_id), central.fields(workspace_id)

    refused = central.rotate(workspace_id=workspace_id)
    assert (refused.status, refused.error) == ("FAILED", "RequestRefused"), refused
    assert f"rekey cannot take on the role {role_in(CENTRAL)}" in refused.cause
    assert f"Fix: deploy templates/key-account.yaml in {CENTRAL}" in refused.cause
    assert (central.fields(workspace_id), central.compute(workspace_id)) == (fields, before)
    assert keys_of(central, CENTRAL) == []
    assert told_of_keys(central)[f"key account {CENTRAL}"]["fix"] in refused.cause

    deploy_template(central, CENTRAL)
    assert {name: each["ok"] for name, each in told_of_keys(central).items()} == {
        "key accounts": True,
        "refused uses": True,
    }
    # Its trust is for the stack's Lambdas, not for whoever is in the account and knows the external id.
    with pytest.raises(ClientError, match="AccessDenied"):
        take_on(central, EXTERNAL_ID)

    own = central.keys()
    ended = central.rotate(workspace_id=workspace_id)
    assert ended.status == "SUCCEEDED", ended.cause
    key_arn = ended.output["key_arn"]
    assert (keys_of(central, CENTRAL), central.keys()) == ([key_arn], own)
    assert key_arn.split(":")[4] == CENTRAL
    shown = in_account(central, CENTRAL, "kms").list_resource_tags(KeyId=key_arn.rpartition("/")[2])["Tags"]
    assert {"TagKey": "rekey:managed", "TagValue": "rekey"} in shown
    assert central.evidence(ended.name)["plan"]["key_account"] == CENTRAL
    assert central.evidence(ended.name)["plan"]["heed"] == []
    whole(central, workspace_id, before)


def test_by_workspace_each_key_is_made_in_the_account_that_the_setting_says(spread: Driver) -> None:
    for account in (CENTRAL, TEAM):
        deploy_template(spread, account)
    asked = {
        CENTRAL: keyed(spread, TEAM, workspace_id=NAMED),
        spread.cloud.account: keyed(spread, TEAM, workspace_id=STAYS),
        TEAM: keyed(spread, TEAM),
    }
    own = spread.keys()
    before = {each: spread.compute(each) for each in asked.values()}
    started = {account: spread.start(workspace_id=each) for account, each in asked.items()}
    made = {}
    for account, name in started.items():
        ended = spread.wait(name)
        assert (ended.status, ended.output["findings"]) == ("SUCCEEDED", []), ended
        made[account] = ended.output["key_arn"]
        assert spread.evidence(name)["plan"]["key_account"] == account
        assert spread.fields(asked[account])[0] == ended.output["configuration_id"]
        whole(spread, asked[account], before[asked[account]])
    assert {account: [made[account]] for account in (CENTRAL, TEAM)} == {
        account: keys_of(spread, account) for account in (CENTRAL, TEAM)
    }
    assert spread.keys() - own == {made[spread.cloud.account]}


def test_a_role_that_is_taken_away_in_the_middle_brings_compute_back(spread: Driver) -> None:
    workspace_id = keyed(spread, LEAVING)
    deploy_template(spread, LEAVING)
    spread.renew("verify")
    before, fields = spread.compute(workspace_id), spread.fields(workspace_id)
    name = spread.start(workspace_id=workspace_id)
    spread.wait_for_state(name, "Terminate compute")
    [key_arn] = keys_of(spread, LEAVING)
    take_away(spread, LEAVING)

    ended = spread.wait(name)
    assert (ended.status, ended.error) == ("FAILED", "AccessDenied"), ended
    assert f"rekey cannot take on the role {role_in(LEAVING)}" in ended.cause
    assert f"Fix: deploy templates/key-account.yaml in {LEAVING}" in ended.cause
    assert spread.fields(workspace_id) == fields
    whole(spread, workspace_id, before)
    # The key that was made waits for the role, and the finisher with it.
    assert (spread.ledger(f"WORKSPACE#{workspace_id}", "LEASE") is None, state_of(spread, key_arn)) == (
        False,
        "Enabled",
    )

    deploy_template(spread, LEAVING)
    spread.finish(name, by="ada")
    assert spread.ledger(f"WORKSPACE#{workspace_id}", "LEASE") is None
    until(
        "the key check to let the new key go",
        lambda: (spread.invoke("disable_old_key"), state_of(spread, key_arn))[1],
        lambda state: state == "Disabled",
    )
    whole(spread, workspace_id, before)
