"""`rekey plan` against the local cloud."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.e2e.common import wish
from tests.e2e.driver import Driver


@pytest.fixture
def state_file(driver: Driver, tmp_path: Path) -> Path:
    driver.cloud.save(tmp_path / "local.json")
    return tmp_path / "local.json"


def rekey(state_file: Path, *arguments: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["plan", "--local", "--state-file", str(state_file), *arguments])
    return ran.exit_code, ran.stdout


def test_the_plan_is_told_as_text_and_as_json(driver: Driver, state_file: Path) -> None:
    workspace_id = str(driver.workspace())
    code, text = rekey(state_file, workspace_id)
    assert code == 0
    assert re.search("Settle wait +about 20 min", text)
    assert f"Next: rekey add {workspace_id} --local" in text
    code, text = rekey(state_file, "--json", workspace_id)
    assert (code, json.loads(text)["possible"]) == (0, True)


def test_a_workspace_that_is_to_be_made_is_planned_from_a_request_file(
    driver: Driver, state_file: Path, tmp_path: Path
) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"operation": "create_workspace", "workspace": wish(driver, {})}))
    made = len(driver.get("state")["workspaces"])
    code, text = rekey(state_file, "--json", "--request", str(request))
    assert (code, json.loads(text)["possible"]) == (0, True)
    assert [each["name"] for each in json.loads(text)["phases"]] == ["Create workspace", "Verify"]
    assert len(driver.get("state")["workspaces"]) == made


def test_what_is_not_possible_is_said_with_its_fix(driver: Driver, state_file: Path) -> None:
    code, text = rekey(state_file, "--operation", "rotate", str(driver.workspace()))
    assert code == 1
    assert "Not possible now: 1 reason" in text
    assert 'Fix: ask for operation "add"' in text


def test_a_refused_request_is_explained_without_a_traceback(driver: Driver, state_file: Path) -> None:
    code, text = rekey(state_file, "--json", "999")
    assert code == 1
    assert "Traceback" not in text
