"""From what was typed to a request, or to a message before anything is started."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.options import grouped
from cli.request import Asked, AskedAccess, checked
from cli.stack import Where
from rekey.base.errors import InvalidRequest
from rekey.model.request import Request, parse_request
from rekey.model.request_fields import FIELDS

INPUTS = Path(__file__).resolve().parents[2] / "stepfunctions" / "inputs"

OF_A_COMMAND = {"fleet", "operation", "workspace_id", "workspace", "dry_run"}
"""Given by the command's name and its argument."""


def run(*arguments: str, **more: Any) -> Any:
    return CliRunner().invoke(app, list(arguments), **more)


def test_every_field_of_the_request_can_be_typed() -> None:
    typed = {*Asked.__dataclass_fields__, *AskedAccess.__dataclass_fields__}
    assert typed - {"request"} == set(Request.model_fields) - OF_A_COMMAND


def test_options_win_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"workspace_id": 1, "reason": "file", "old_key": "retain"}), encoding="utf-8")
    assert Asked(reason="typed", ticket="jira:SEC-12", request=file).fields() == {
        "workspace_id": 1,
        "reason": "typed",
        "old_key": "retain",
        "ticket": {"provider": "jira", "key": "SEC-12"},
    }


@pytest.mark.parametrize("sample", ["add", "rotate", "rotate_material", "create_workspace"])
def test_the_samples_are_requests(sample: str) -> None:
    request = Asked(request=INPUTS / f"{sample}.json").fields()
    assert checked(request) == request


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rotate"], "workspace_id: it is missing. Fix:"),
        (["rotate", "1", "--use-case", "STORAGE"], "never replaced. Fix:"),
        (["rotate", "1", "--drain-minutes", "5"], "drain_minutes: it goes with jobs"),
        (["add", "1", "--not-before", "tomorrow"], "not_before:"),
        (["add", "1", "--ticket", "SEC-12"], "such as jira:SEC-12"),
        (["add", "1", "--request", "nothing.json"], "could not be read"),
        (["add", "--request", str(INPUTS / "rotate.json")], "the file asks for 'rotate'"),
        (["rotate", "--request", str(INPUTS / "dry_run.json")], "use `rekey plan"),
        (["create-workspace"], "workspace: it is missing"),
        (["rotate", "1"], "give --yes"),
        (["rotate", "1", "--json"], "give --yes"),
        (["cancel", "r1"], "give --yes"),
        (["approve", "r1", "--yes", "--reason", "x" * 501], "at most 500"),
    ],
)
def test_what_is_typed_wrongly_ends_with_2_and_the_fix(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert result.stdout == ""


def test_a_dataclass_becomes_options() -> None:
    seen: list[Where] = []

    def command(where: Where) -> None:
        seen.append(where)

    grouped(command)(stack="s", profile="p", region="r", local=True, state_file=Path("f"))
    assert seen == [Where("s", "p", "r", True, Path("f"))]


@pytest.mark.parametrize(
    ("where", "typed"),
    [
        (Where(), ""),
        (Where(profile="audit", region="eu-central-1"), " --profile audit --region eu-central-1"),
        (Where(local=True), " --local"),
        (Where(local=True, state_file=Path("my.json")), " --local --state-file my.json"),
    ],
)
def test_coming_back_is_typed_with_the_same_place(where: Where, typed: str) -> None:
    assert where.typed == typed


ODD: list[Any] = [True, 0, -1, 1.5, 10**30, "", "x", "x" * 5000, [], [1], ["STORAGE"] * 3, {}, {"a": 1}]


@pytest.mark.parametrize("field", FIELDS)
def test_no_sentence_of_the_parser_reaches_a_person(field: str) -> None:
    refusals = []
    for value in ODD:
        try:
            parse_request({"workspace_id": 7, field: value})
        except InvalidRequest as refused:
            refusals.append(str(refused))
    assert refusals
    assert not re.search(r"Input should|Value error|should (have|match)|pydantic|validation|Tuple", "\n".join(refusals))
    assert not [each for each in "\n".join(refusals).splitlines() if "Fix: " not in each]
