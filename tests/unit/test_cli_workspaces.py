"""`rekey workspaces`: what it asks of AWS, and what it says of the estate."""

import csv
import io
import json
from pathlib import Path

import pytest
from botocore.response import StreamingBody

from rekey.model.inventory import LATEST, Inventory, Reason
from tests import estates
from tests.unit.commands_aws import Aws, run

ESTATE = estates.inventory(
    [
        estates.workspace("bare", 7, estates.without("MANAGED_SERVICES"), estates.without("STORAGE")),
        estates.workspace("old", 8, estates.use("MANAGED_SERVICES", 400, "a-1"), estates.use("STORAGE", 5, "b-2")),
        estates.workspace("young", 9, estates.use("MANAGED_SERVICES", 5, "c-3")),
    ]
)


def in_the_bucket(aws: Aws, found: Inventory) -> None:
    body = found.model_dump_json().encode()
    answer = {"Body": StreamingBody(io.BytesIO(body), len(body))}
    aws.answers("s3", "get_object", answer, {"Bucket": "evidence", "Key": LATEST})


@pytest.fixture
def estate(aws: Aws) -> Aws:
    """An inventory that is taken anew."""
    counts = ESTATE.counts.model_dump(mode="json")
    aws.invoked("rekey-inventory", {}, {"counts": counts, "written": [LATEST]})
    in_the_bucket(aws, ESTATE)
    return aws


@pytest.mark.usefixtures("estate")
def test_every_workspace_is_a_line_and_the_last_line_counts() -> None:
    lines = run("workspaces").stdout.splitlines()
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["bare", "no", "none", "none"],
        ["old", "no", "400", "d"],
        ["young", "yes", "5", "d"],
    ]
    assert lines[4:] == ["1 of 3 comply: 1 no key, 1 key too old"]


@pytest.mark.usefixtures("estate")
@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--not-compliant"], ["bare", "old"]),
        (["--reason", "too_old"], ["old"]),
        (["--workspace", "9"], ["young"]),
        (["--workspace", "old", "--reason", "no_key"], []),
    ],
)
def test_filters_leave_rows_and_never_the_count(options: list[str], left: list[str]) -> None:
    *rows, last = run("workspaces", *options).stdout.splitlines()
    assert [line.split()[0] for line in rows[1:]] == left
    assert last == f"{len(left)} shown; 1 of 3 comply: 1 no key, 1 key too old"


@pytest.mark.usefixtures("estate")
def test_programs_get_the_inventory_as_it_is() -> None:
    found = json.loads(run("workspaces", "--json", "--reason", "too_old").stdout)
    assert [each["name"] for each in found["workspaces"]] == ["old"]
    assert found["counts"] == ESTATE.counts.model_dump(mode="json")
    assert found["workspaces"][0]["keys"][0]["whys"][0]["reason"] == Reason.TOO_OLD


@pytest.mark.usefixtures("estate")
def test_a_spreadsheet_gets_a_row_for_each_use_case() -> None:
    rows = list(csv.DictReader(io.StringIO(run("workspaces", "-o", "csv").stdout)))
    assert [(each["name"], each["use_case"], each["reasons"]) for each in rows] == [
        ("bare", "MANAGED_SERVICES", "no_key"),
        ("bare", "STORAGE", "no_key"),
        ("old", "MANAGED_SERVICES", "too_old"),
        ("old", "STORAGE", ""),
        ("young", "MANAGED_SERVICES", ""),
    ]
    assert rows[1]["key_arn"] == ""
    assert rows[3]["key_arn"].endswith("/b-2")


def test_the_last_inventory_is_shown_without_another_and_drawn(aws: Aws, tmp_path: Path) -> None:
    in_the_bucket(aws, ESTATE)
    page = tmp_path / "estate.html"
    result = run("workspaces", "--last", "--html", str(page))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"wrote {page}" in result.stderr
    assert "<h1>1 of 3 workspaces comply</h1>" in page.read_text(encoding="utf-8")


def test_without_an_inventory_the_fix_is_told(aws: Aws) -> None:
    aws.refuses("s3", "get_object", "NoSuchKey")
    result = run("workspaces", "--last")
    assert result.exit_code == 1
    assert "run this without --last" in result.stderr


def test_a_page_that_cannot_be_written_is_told(aws: Aws, tmp_path: Path) -> None:
    in_the_bucket(aws, ESTATE)
    result = run("workspaces", "--last", "--html", str(tmp_path / "none" / "estate.html"))
    assert result.exit_code == 1
    assert "could not be written" in result.stderr
