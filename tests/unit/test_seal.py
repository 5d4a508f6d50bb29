"""The seal: whatever is altered in an evidence is noticed, and what has no seal is not called verified."""

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from rekey.model.chain import compare, verify
from rekey.model.contradictions import contradictions
from rekey.model.evidence import as_bytes
from tests.seals import sealed_anew, without_seal

DOCS = Path(__file__).resolve().parents[2] / "docs"
SAMPLE: dict[str, Any] = json.loads((DOCS / "evidence.sample.json").read_text(encoding="utf-8"))
"""As the real handlers wrote it (`make images`)."""
OTHER = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"

Spoil = Callable[[dict[str, Any]], object]


def altered(spoil: Spoil) -> dict[str, Any]:
    evidence = copy.deepcopy(SAMPLE)
    spoil(evidence)
    assert evidence != SAMPLE
    return evidence


ALTERATIONS: dict[str, Spoil] = {
    "the new key": lambda e: e["keys"].update(new_key_arn=OTHER),
    "a key before": lambda e: e["keys"]["before"].update(STORAGE={"configuration_id": "x", "key_arn": OTHER}),
    "a key after": lambda e: e["keys"]["after"]["STORAGE"].update(key_arn=OTHER),
    "a cluster that came back": lambda e: e["compute"]["compared"][0].update(back=False),
    "a cluster left out": lambda e: e["compute"]["interrupted"]["clusters"].pop(),
    "the downtime": lambda e: e.update(downtime_seconds=12.0),
    "a finding": lambda e: e["findings"].append("All is well."),
    "the outcome": lambda e: e.update(outcome="needs_attention"),
    "a moment": lambda e: e["timeline"].update(compute_back="2026-11-21T20:05:00.000Z"),
    "a phase": lambda e: e["phases"][0].update(seconds=1.0),
    "who asked": lambda e: e["request"].update(requested_by="eve"),
    "who approved": lambda e: e.update(approval={"by": "eve", "at": "2026-11-21T19:58:14.400Z", "reason": None}),
    "the reasons": lambda e: e["plan"].update(why=[]),
    "the workspace": lambda e: e["workspace"].update(workspace_id=1),
    "the HCL": lambda e: e.update(terraform=""),
    "a field more": lambda e: e.update(note="x"),
    "a number as text": lambda e: e.update(downtime_seconds=str(e["downtime_seconds"])),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_whatever_is_altered_in_the_document_breaks_the_seal(tmp_path: Path, name: str) -> None:
    code, _, err = rekey(tmp_path, as_bytes(altered(ALTERATIONS[name])))
    assert (code, "the document is not the one that entry" in err) == (1, True)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (ALTERATIONS["the new key"], "another keys.new_key_arn"),
        (ALTERATIONS["a key before"], "another STORAGE key before"),
        (ALTERATIONS["who asked"], "another request"),
        (ALTERATIONS["a moment"], "another moment than timeline.compute_back"),
        (ALTERATIONS["the downtime"], "downtime_seconds is not the time between"),
        (lambda e: e["plan"]["would_stop"].update(clusters=0), "another plan.would_stop"),
        (lambda e: e["keys"].update(new_configuration_id="x"), "another keys.new_configuration_id"),
    ],
)
def test_a_field_is_held_against_its_entry_also_under_a_forged_seal(spoil: Spoil, said: str) -> None:
    """Who can make a seal anew still contradicts the entries."""
    forged = sealed_anew(altered(spoil))
    problems = verify(forged).problems
    assert problems
    assert all("sealed" not in each for each in problems)
    assert any(said in each for each in problems), problems


def _later_clock_behind(evidence: dict[str, Any]) -> None:
    evidence["timeline"]["compute_back"] = evidence["timeline"]["blackout_started"]
    evidence["timeline"]["blackout_started"] = "2026-11-21T22:00:00.000Z"
    evidence["downtime_seconds"] = 0.0


def test_no_downtime_is_what_a_clock_that_was_behind_leaves() -> None:
    said = "downtime_seconds is not the time between blackout_started and compute_back"
    assert said not in contradictions(altered(_later_clock_behind), [])
    assert said in contradictions(altered(lambda e: e.update(downtime_seconds=0.0)), [])


def test_the_approver_is_held_against_the_entry() -> None:
    entry = {"action": "approved", "seq": 2, "detail": {"by": "grace", "reason": None}}
    evidence = {"approval": {"by": "eve", "at": "x", "reason": None}, "audit": {"entries": [entry], "head": ""}}
    assert "entry 2 has another approval.by than the document" in verify(evidence).problems


def test_what_has_no_seal_is_not_called_verified(tmp_path: Path) -> None:
    code, out, _ = rekey(tmp_path, as_bytes(without_seal(SAMPLE)))
    assert (code, "not fully verified" in out) == (5, True)
    code, out, _ = rekey(tmp_path, as_bytes(without_seal(SAMPLE)), "--json")
    told = json.loads(out)
    assert (code, told["holds"], told["fully_verified"], told["sealed"]) == (5, True, False, False)


def test_a_seal_that_was_cut_off_is_missed_by_the_ledger() -> None:
    entries = SAMPLE["audit"]["entries"]
    assert compare(entries, entries) == ()
    assert compare(entries[:-1], entries) == ("the ledger has the seal of this evidence, and the evidence has it not",)


def test_the_files_hash_can_be_given(tmp_path: Path) -> None:
    body = as_bytes(without_seal(SAMPLE))
    good = hashlib.sha256(body).hexdigest()
    code, out, _ = rekey(tmp_path, body, "--sha256", good.upper())
    assert (code, "has the SHA-256 that was given" in out) == (0, True)
    code, _, err = rekey(tmp_path, body, "--sha256", "0" * 64)
    assert (code, f"another SHA-256 than the one that was given: {good}" in err) == (1, True)
    assert rekey(tmp_path, body, "--sha256", "abc")[0] == 2


def test_the_sample_is_sealed_and_holds(tmp_path: Path) -> None:
    assert verify(SAMPLE).sealed
    code, out, _ = rekey(tmp_path, as_bytes(SAMPLE))
    assert (code, "its last entry seals this document" in out) == (0, True)


def rekey(folder: Path, body: bytes, *options: str) -> tuple[int, str, str]:
    file = folder / "evidence.json"
    file.write_bytes(body)
    ran = CliRunner().invoke(app, ["evidence", "--verify", *options, str(file)])
    return ran.exit_code, ran.stdout, ran.stderr
