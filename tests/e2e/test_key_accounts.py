"""Keys in a second account, with IAM enforced: refused without the role, made through it, and by nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.cloud import cloud
from tests.e2e.common import whole
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver, until

CENTRAL, EXTERNAL_ID = "444455556666", "rekey-0123456789"
ROLE = f"arn:aws:iam::{CENTRAL}:role/rekey-keys"
TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "key-account.yaml"

SETTINGS = {"key_accounts": CENTRAL, "key_account_external_id": EXTERNAL_ID}

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud of its own, whose keys are in another account."""
    with cloud(SCALES, tmp_path_factory.mktemp("central") / "local.json", settings=SETTINGS) as running:
        yield Driver(running)


def in_central(driver: Driver, service: str) -> Any:
    """A client as that account's root."""
    options: dict[str, Any] = {**driver.cloud.client_options, "aws_access_key_id": CENTRAL}
    return boto3.client(service, **options)  # type: ignore[call-overload]


def deploy_template(driver: Driver) -> None:
    given = {
        "StackAccount": driver.cloud.account,
        "ExternalId": EXTERNAL_ID,
        "RoleRegion": driver.cloud.region,
        "StackBusArn": f"arn:aws:events:{driver.cloud.region}:{driver.cloud.account}:event-bus/rekey",
    }
    formation = in_central(driver, "cloudformation")
    formation.create_stack(
        StackName="rekey-keys",
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    done = until(
        "the stack of the key account",
        lambda: formation.describe_stacks(StackName="rekey-keys")["Stacks"][0]["StackStatus"],
        lambda status: not status.endswith("IN_PROGRESS"),
    )
    assert done == "CREATE_COMPLETE"


def keys_of(driver: Driver) -> list[str]:
    return [each["KeyArn"] for each in in_central(driver, "kms").list_keys()["Keys"]]


def take_on(driver: Driver, external_id: str) -> None:
    driver.aws("sts").assume_role(RoleArn=ROLE, RoleSessionName="test", ExternalId=external_id)


def test_a_key_is_made_in_the_second_account_through_its_role_alone(central: Driver) -> None:
    workspace_id = central.workspace(keys={"managed_services": central.make_key()})
    before, fields = central.compute(workspace_id), central.fields(workspace_id)

    refused = central.rotate(workspace_id=workspace_id)
    assert (refused.status, refused.error) == ("FAILED", "RequestRefused"), refused
    assert f"rekey cannot take on the role {ROLE}" in refused.cause
    assert f"Fix: deploy templates/key-account.yaml in {CENTRAL}" in refused.cause
    assert (central.fields(workspace_id), central.compute(workspace_id), keys_of(central)) == (fields, before, [])

    deploy_template(central)
    # Its trust is for the stack's Lambdas, not for whoever is in the account and knows the external id.
    with pytest.raises(ClientError, match="AccessDenied"):
        take_on(central, EXTERNAL_ID)

    own = central.keys()
    ended = central.rotate(workspace_id=workspace_id)
    assert ended.status == "SUCCEEDED", ended.cause
    key_arn = ended.output["key_arn"]
    assert (keys_of(central), central.keys()) == ([key_arn], own)
    assert key_arn.split(":")[4] == CENTRAL
    shown = in_central(central, "kms").list_resource_tags(KeyId=key_arn.rpartition("/")[2])["Tags"]
    assert {"TagKey": "rekey:managed", "TagValue": "rekey"} in shown
    assert central.evidence(ended.name)["plan"]["key_account"] == CENTRAL
    assert central.evidence(ended.name)["plan"]["heed"] == []
    whole(central, workspace_id, before)
