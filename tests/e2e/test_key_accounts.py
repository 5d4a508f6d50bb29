"""Keys in a second account: deployed with the setting, and refused while that account has no role."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.cloud import cloud
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver

CENTRAL, EXTERNAL_ID = "444455556666", "rekey-0123456789"
ROLE = f"arn:aws:iam::{CENTRAL}:role/rekey-keys"

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


def keys_of(driver: Driver) -> list[str]:
    return [each["KeyArn"] for each in in_central(driver, "kms").list_keys()["Keys"]]


def test_without_the_role_in_the_second_account_nothing_is_touched(central: Driver) -> None:
    workspace_id = central.workspace(keys={"managed_services": central.make_key()})
    before, fields = central.compute(workspace_id), central.fields(workspace_id)

    refused = central.rotate(workspace_id=workspace_id)
    assert (refused.status, refused.error) == ("FAILED", "RequestRefused"), refused
    assert f"rekey cannot take on the role {ROLE}" in refused.cause
    assert f"Fix: deploy templates/key-account.yaml in {CENTRAL}" in refused.cause
    assert (central.fields(workspace_id), central.compute(workspace_id), keys_of(central)) == (fields, before, [])
