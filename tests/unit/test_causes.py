"""Causes: four labelled lines for every error name, each with its section in the runbook."""

import re
from pathlib import Path

import pytest

from rekey.base import errors
from rekey.model.causes import DO, LIKE, OTHERWISE, cause, link, section_of
from rekey.model.failure import Failure
from rekey.model.outcome import failure_cause
from tests.builders import a_rotation
from tests.runbook import page, reaching

ROOT = Path(__file__).resolve().parents[2]
LABELS = ("What happened: ", "State now: ", "Do this: ", "Evidence: rekey ")


def anchors() -> set[str]:
    """As GitHub makes them."""
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_runbook_is_current() -> None:
    assert (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8") == page(), "run `make runbook`"


@pytest.mark.parametrize("error", sorted(reaching()))
def test_every_error_that_can_end_a_rotation_has_its_section(error: str) -> None:
    assert section_of(error) != OTHERWISE
    path, _, anchor = link(error).partition("#")
    assert (path, anchor in anchors()) == ("docs/runbook.md", True)


@pytest.mark.parametrize("error", ["KeyError", "States.ItemReaderFailed", ""])
def test_an_error_that_nobody_foresaw_is_told_too(error: str) -> None:
    assert link(error) == "docs/runbook.md#any-other-error"
    assert "any-other-error" in anchors()


def test_there_is_nothing_to_do_for_errors_that_cannot_come() -> None:
    assert {*DO, *LIKE} - {OTHERWISE} == reaching()


def test_the_classes_are_seen() -> None:
    assert {"PolicyMismatch", "RequestRefused", "RekeyError"} <= reaching()
    assert issubclass(errors.Transient, errors.RekeyError)
    assert "Transient" not in reaching()


def test_a_failed_rotations_cause_has_the_four_lines() -> None:
    failure = Failure(state="Verify", error="PolicyMismatch", cause="the policy is another.")
    lines = failure_cause(a_rotation().model_copy(update={"status": "failed"}), failure, "bucket").splitlines()
    assert all(line.startswith(label) for line, label in zip(lines, LABELS, strict=True))
    assert lines[0] == "What happened: Verify failed (PolicyMismatch): the policy is another."
    assert lines[2].endswith("See docs/runbook.md#policymismatch")
    assert lines[3] == "Evidence: rekey evidence r1 (s3://bucket/rotations/r1/evidence.json)"


def test_a_failure_whose_rotation_goes_on_points_to_no_evidence_yet() -> None:
    failure = Failure(state="Verify", error="PolicyMismatch", cause="the policy is another.")
    _, state, do, evidence = failure_cause(a_rotation(), failure, "bucket").splitlines()
    assert state.endswith("The rotation is not over: rekey goes on by itself until all is put back.")
    assert do.startswith("Do this: nothing yet, rekey is at work; once it has ended")
    assert evidence == "Evidence: not yet: rekey status r1"


def test_a_refusals_lines_keep_each_fix() -> None:
    told = cause("a: no. Fix: b.\nc: no. Fix: d.", "Nothing was touched.", "InvalidRequest", "rekey status r1")
    assert [line for line in told.splitlines() if line.startswith(LABELS)] == [
        "What happened: a: no. Fix: b.",
        "State now: Nothing was touched.",
        "Do this: correct the fields that are named, and ask again. See docs/runbook.md#invalidrequest",
        "Evidence: rekey status r1",
    ]
