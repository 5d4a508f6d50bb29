"""`rekey plan`: which request it plans. The plan itself comes from the deployed stack; see tests/e2e."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.plan import request_of
from rekey.request import parse_request

INPUTS = Path(__file__).resolve().parents[2] / "stepfunctions" / "inputs"


@pytest.mark.parametrize("sample", sorted(INPUTS.glob("*.json")), ids=lambda path: path.stem)
def test_a_request_file_is_planned_as_it_is_and_never_carried_out(sample: Path) -> None:
    request = request_of({}, sample)
    assert request == {**json.loads(sample.read_text()), "dry_run": True}
    assert parse_request(request).dry_run


def test_a_workspace_is_planned_from_the_command_line() -> None:
    given: dict[str, Any] = {"workspace_id": 7, "operation": "rotate"}
    assert request_of(given, None) == {**given, "dry_run": True}


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        ([], None, "it takes a workspace or a request file"),
        (["7", "--request", "{file}"], "{}", "it takes a workspace or a request file"),
        (["--request", "{file}"], None, "could not be read"),
        (["--request", "{file}"], "{", "could not be read"),
        (["--request", "{file}"], "[]", "has no JSON object"),
    ],
)
def test_what_is_no_request_is_said_with_its_mend(
    tmp_path: Path, arguments: list[str], content: str | None, said: str
) -> None:
    file = tmp_path / "request.json"
    if content is not None:
        file.write_text(content)
    ran = CliRunner().invoke(app, ["plan", *(each.format(file=file) for each in arguments)])
    assert ran.exit_code == 1
    assert said in ran.stderr
    assert "Mend: " in ran.stderr
