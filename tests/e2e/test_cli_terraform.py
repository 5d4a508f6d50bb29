"""`rekey terraform` against the local cloud: what is true after a rotation, as Terraform would import it."""

from pathlib import Path

import hcl2
from typer.testing import CliRunner

from cli.main import app
from tests.e2e.driver import Driver


def test_the_keys_are_told_as_they_are_after_a_rotation(driver: Driver, tmp_path: Path) -> None:
    driver.cloud.save(tmp_path / "local.json")
    workspace_id = driver.workspace(clusters=1, pools=0, warehouses=0)
    ended = driver.rotate(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"])
    assert ended.status == "SUCCEEDED"
    options = ["--local", "--state-file", str(tmp_path / "local.json")]
    ran = CliRunner().invoke(app, ["terraform", *options, str(workspace_id)])
    assert ran.exit_code == 0
    (imported,) = hcl2.loads(ran.stdout)["import"]
    assert imported["id"] == f'"{driver.cloud.databricks_account_id}/{ended.output["configuration_id"]}"'
    assert ended.output["key_arn"] in ran.stdout
    assert driver.evidence(ended.name)["terraform"].strip() == ran.stdout.strip()
    refused = CliRunner().invoke(app, ["terraform", *options, "999"])
    assert (refused.exit_code, refused.stdout) == (1, "")
