"""A workspace that Terraform made, rotated by rekey: what `rekey terraform` prints leaves Terraform nothing to do."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.e2e.driver import Driver
from tests.terraform.hosts import ACCOUNT, Front, front
from tests.terraform.program import SOURCE, Terraform, changed

KEYS = "databricks_mws_customer_managed_keys"
WORKSPACE = "databricks_mws_workspaces.analytics"

MAIN = """
terraform {{
  required_providers {{
    databricks = {{ source = "{source}" }}
  }}
}}

provider "databricks" {{
  host       = "https://{host}"
  account_id = "{account_id}"
}}

resource "{keys}" "first" {{
  account_id = "{account_id}"
  use_cases  = ["MANAGED_SERVICES"]
  aws_key_info {{
    key_arn = "{key_arn}"
  }}
}}

resource "databricks_mws_workspaces" "analytics" {{
  account_id               = "{account_id}"
  workspace_name           = "{name}"
  aws_region               = "us-east-1"
  credentials_id           = "{credentials_id}"
  storage_configuration_id = "{storage_configuration_id}"
  network_id               = "{network_id}"
{arguments}
}}
"""

MANAGED, STORAGE = "managed_services_customer_managed_key_id", "storage_customer_managed_key_id"
FIRST = {MANAGED: f"{KEYS}.first.customer_managed_key_id"}


def _credential(driver: Driver) -> dict[str, str]:
    kept = driver.aws("secretsmanager").get_secret_value(SecretId=driver.cloud.databricks_secret_arn)["SecretString"]
    return {f"DATABRICKS_{name.upper()}": value for name, value in json.loads(kept).items()}


class Project:
    """A Terraform project with a key configuration, and a workspace that has it or none."""

    def __init__(self, driver: Driver, hosts: Front, folder: Path, arguments: dict[str, str]) -> None:
        self._driver, self._folder = driver, folder
        cloud = driver.cloud
        self.key_arn = driver.make_key()
        self._values = {
            "source": SOURCE,
            "host": ACCOUNT,
            "account_id": cloud.databricks_account_id,
            "keys": KEYS,
            "key_arn": self.key_arn,
            "name": f"tf-{uuid.uuid4().hex[:8]}",
            "credentials_id": driver.post("credentials", credentials_name=folder.name)["credentials_id"],
            "storage_configuration_id": driver.post("storage_configurations")["storage_configuration_id"],
            "network_id": driver.post("networks")["network_id"],
        }
        self.terraform = Terraform.found(
            folder,
            {
                "HTTPS_PROXY": hosts.address,
                "SSL_CERT_FILE": str(hosts.authority.file),
                **_credential(driver),
            },
        )
        self.uses(arguments)

    def uses(self, arguments: dict[str, str]) -> None:
        """Write the workspace's resource with these key arguments."""
        lines = "\n".join(f"  {name} = {value}" for name, value in arguments.items())
        (self._folder / "main.tf").write_text(MAIN.format(**self._values, arguments=lines), encoding="utf-8")

    def takes_over(self, workspace_id: int, *fields: str) -> None:
        """Do what `rekey terraform` prints: its file beside the others, its locals in the workspace's resource."""
        state = self._folder / "local.json"
        self._driver.cloud.save(state)
        ran = CliRunner().invoke(app, ["terraform", "--local", "--state-file", str(state), str(workspace_id)])
        assert ran.exit_code == 0, ran.output
        (self._folder / "rekey.tf").write_text(ran.stdout, encoding="utf-8")
        self.uses({each: f"local.rekey_{workspace_id}_{each}" for each in fields})

    def workspace_id(self) -> int:
        shown = self._driver.get("state")["workspaces"]
        return int(next(each["workspace_id"] for each in shown if each["workspace_name"] == self._values["name"]))


@pytest.mark.parametrize(
    ("arguments", "given"),
    [(FIRST, [MANAGED]), ({}, [MANAGED, STORAGE])],
    ids=["rotated", "given its first keys"],
)
def test_rekey_between_two_plans(driver: Driver, tmp_path: Path, arguments: dict[str, str], given: list[str]) -> None:
    with front(driver.cloud.simulator_url, tmp_path) as hosts:
        project = Project(driver, hosts, tmp_path, arguments)
        terraform = project.terraform
        terraform.apply()
        assert terraform.has_nothing_to_do()
        workspace_id = project.workspace_id()
        before = dict(zip((MANAGED, STORAGE), driver.fields(workspace_id), strict=True))

        ended = driver.rotate(workspace_id=workspace_id)
        assert ended.status == "SUCCEEDED", ended.cause
        after = dict(zip((MANAGED, STORAGE), driver.fields(workspace_id), strict=True))
        assert [name for name in after if after[name] != before[name]] == given

        # Whoever applies the project as it is undoes the rotation. The provider sees no difference in an argument that
        # the project leaves out, so that first keys are no drift to it.
        planned = terraform.plan()
        assert changed(planned) == ({WORKSPACE: ["update"]} if arguments else {})
        if arguments:
            assert _planned(planned, given) == [(after[each], before[each]) for each in given]

        project.takes_over(workspace_id, *arguments)
        planned = terraform.plan()
        assert changed(planned) == {}, "an import only"
        terraform.apply()
        assert terraform.has_nothing_to_do()
        if not arguments:
            # An argument that is new to the project is new to the provider's state, whatever the workspace has.
            project.takes_over(workspace_id, *given)
            assert changed(terraform.plan()) == {WORKSPACE: ["update"]}
        assert dict(zip((MANAGED, STORAGE), driver.fields(workspace_id), strict=True)) == after
        assert driver.unreadable(workspace_id) == []


def _planned(planned: dict[str, Any], fields: list[str]) -> list[tuple[str | None, str | None]]:
    """(now, as it would be) of each of the workspace's fields; Terraform has "" where there is none."""
    (change,) = [each["change"] for each in planned["resource_changes"] if each["address"] == WORKSPACE]
    return [(change["before"][each] or None, change["after"].get(each) or None) for each in fields]
