"""`rekey doctor` against the local cloud, whose roles are enforced: its Lambda may do what it tries."""

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from tests.e2e.driver import Driver

STANDS = (
    "credentials",
    "stack",
    "state machine",
    "Lambdas",
    "Databricks account",
    "ledger",
    "evidence bucket",
    "KMS in us-east-1",
    "tagging in us-east-1",
    "key check",
    "finisher",
    "rules",
)
"""Whatever other tests have left behind in the cloud that all of them share."""


def test_the_doctor_reaches_what_rotations_need(driver: Driver, tmp_path: Path) -> None:
    driver.workspace()
    driver.cloud.save(tmp_path / "local.json")
    ran = CliRunner().invoke(app, ["doctor", "--local", "--state-file", str(tmp_path / "local.json"), "--json"])
    told = {each["name"]: each for each in json.loads(ran.stdout)["checks"]}
    assert {name: told[name]["said"] for name in STANDS if not told[name]["ok"]} == {}
