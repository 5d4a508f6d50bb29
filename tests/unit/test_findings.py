"""Findings decide by their code; what an earlier version wrote still reads."""

import json
from typing import Any

import pytest

from rekey.model.findings import Finding, FindingCode
from rekey.model.outcome import consequences
from rekey.model.rotation import Rotation, Seen
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
        (Finding(code=FindingCode.KEY_STAYS, text="There is no way to remove it."), "Both keys are kept"),
    ],
)
def test_what_became_of_the_keys_is_decided_by_the_code(found: Finding, said: str) -> None:
    failed_late = seen("cfg-new").model_copy(update={"findings": (found,)})
    assert said in consequences(failed_late)


def seen(configuration_id: str | None) -> Rotation:
    """A rotation that may have switched, and was rolled back as far as that goes, whose workspace shows this."""
    shown = Seen(managed_services_key_id=configuration_id, storage_key_id=None, at="2026-11-21T20:07:00.000Z")
    late = {"patch_outcome": "accepted", "configuration_id": "cfg-new", "seen": shown, "workspace_on": "new"}
    return a_rotation().model_copy(update=late)


def test_nothing_is_said_of_keys_that_nobody_has_seen() -> None:
    on_old = seen("cfg-old")
    before = {"MANAGED_SERVICES": "cfg-old"}
    on_old = on_old.model_copy(update={"plan": on_old.plan.model_copy(update={"before": before})})
    assert "on the keys it had before (seen at 2026-11-21T20:07" in consequences(on_old)
    for unsettled in ({"seen": None}, {"workspace_on": None}):
        said = consequences(on_old.model_copy(update=unsettled))
        assert "is not known" in said
        assert "Both keys are kept" in said
        assert "on the keys it had before" not in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "No compute was touched."),
        ({"snapshot_key": "s", "compute_back_at": "2026-11-21T20:07:00.000Z"}, "All compute is back."),
        ({"snapshot_key": "s", "down": ("cluster a", "pool b")}, "Not back: cluster a; pool b."),
        ({"snapshot_key": "s"}, "Whether all compute is back is not known."),
        (
            {"triggers_key": "t", "compute_back_at": "2026-11-21T20:07:00.000Z"},
            "No compute was stopped, and all triggers are back.",
        ),
        (
            {
                "snapshot_key": "s",
                "compute_back_at": "2026-11-21T20:07:00.000Z",
                "findings": (Finding(code=FindingCode.LOST, text="Could not be brought back: cluster a."),),
            },
            "All compute is back but for what the findings name.",
        ),
    ],
)
def test_compute_is_back_only_where_it_was_seen_to_be(changes: dict[str, Any], said: str) -> None:
    assert consequences(a_rotation().model_copy(update=changes)).endswith(said)


def test_an_outcome_that_an_earlier_version_wrote_reads_too() -> None:
    for outcome in (RENEWED, failed("left as it was: No: no."), skipped("a Git folder")):
        assert Row.model_validate({"path": "/a", "outcome": str(outcome)}) == Row(path="/a", outcome=outcome)
        assert Row.model_validate_json(Row(path="/a", outcome=outcome).model_dump_json()).outcome == outcome
