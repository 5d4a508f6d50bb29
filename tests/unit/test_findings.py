"""Findings decide by their code; what an earlier version wrote still reads."""

import json

import pytest

from rekey.model.findings import Finding, FindingCode
from rekey.model.outcome import consequences
from rekey.model.rotation import Rotation
from rekey.rotation.notebooks.store import RENEWED, Row, failed, skipped
from tests.builders import a_rotation

KEPT = Finding(code=FindingCode.NEW_KEY_KEPT, text="In whatever words.")


def test_what_an_earlier_version_wrote_reads_as_text() -> None:
    written = {**a_rotation().model_dump(mode="json"), "findings": ["The key stays.", KEPT.model_dump()]}
    read = Rotation.model_validate_json(json.dumps(written))
    assert read.findings == (Finding(code=FindingCode.EARLIER, text="The key stays."), KEPT)
    assert [each.text for each in read.findings] == ["The key stays.", "In whatever words."]


def test_each_finding_is_there_once() -> None:
    rotation = a_rotation().model_copy(update={"findings": (KEPT,)})
    lost = Finding(code=FindingCode.LOST, text="It is gone.")
    assert rotation.with_findings([lost, KEPT, lost]) == (KEPT, lost)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (KEPT, "which Databricks cannot remove"),
        (Finding(code=FindingCode.KEY_STAYS, text="There is no way to remove it."), "on the keys it had before"),
    ],
)
def test_what_became_of_the_keys_is_decided_by_the_code(found: Finding, said: str) -> None:
    failed_late = a_rotation().model_copy(update={"patch_outcome": "accepted", "findings": (found,)})
    assert said in consequences(failed_late)


def test_an_outcome_that_an_earlier_version_wrote_reads_too() -> None:
    for outcome in (RENEWED, failed("left as it was: No: no."), skipped("a Git folder")):
        assert Row.model_validate({"path": "/a", "outcome": str(outcome)}) == Row(path="/a", outcome=outcome)
        assert Row.model_validate_json(Row(path="/a", outcome=outcome).model_dump_json()).outcome == outcome
