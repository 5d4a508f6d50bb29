"""The evidence on its own: its chain, its page's text and its timeline; no AWS, no browser."""

import copy
import html.parser
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from cli.main import app
from rekey.model.chain import compare, verify
from rekey.model.entries import entry_hash
from rekey.model.evidence import as_bytes
from rekey.pages.evidence import render
from rekey.pages.evidence.html import tag, visible
from rekey.pages.evidence.timeline import timeline
from rekey.pages.evidence.wording import duration
from tests.seals import without_seal

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SEALED: dict[str, Any] = json.loads((DOCS / "evidence.sample.json").read_text(encoding="utf-8"))
"""As the real handlers wrote it (`make images`)."""
SAMPLE = without_seal(SEALED)
"""tests/unit/test_seal.py sees to the seal."""

HOSTILE = (
    "</title><script>alert(1)</script>",
    '" onload="alert(1)',
    "' x='",
    "<!--",
    "]]>",
    "{{7*7}}",
    "\u202eevil",
    "a" * 9000,
)


def spoiled(spoil: Any) -> dict[str, Any]:
    evidence = copy.deepcopy(SAMPLE)
    spoil(evidence)
    return evidence


def rehash(evidence: dict[str, Any], number: int) -> None:
    entry = evidence["audit"]["entries"][number - 1]
    entry["hash"] = entry_hash(entry)


def change_and_rehash(evidence: dict[str, Any]) -> None:
    evidence["audit"]["entries"][2]["detail"]["key_arn"] = "other"
    rehash(evidence, 3)


def ends(action: str, status: str) -> Callable[[dict[str, Any]], None]:
    """Another last entry and another status, with a chain that holds."""

    def spoil(evidence: dict[str, Any]) -> None:
        last = evidence["audit"]["entries"][-1]
        last["action"] = action
        rehash(evidence, len(evidence["audit"]["entries"]))
        evidence["audit"]["head"], evidence["status"] = last["hash"], status

    return spoil


@pytest.mark.parametrize(
    ("spoil", "trouble"),
    [
        (
            lambda e: e["audit"]["entries"][1].update(action="other"),
            "entry 2 was changed: its content has another hash",
        ),
        (change_and_rehash, "entry 4 does not follow the one before it"),
        (lambda e: e["audit"]["entries"].pop(1), "entry 2 says that it is entry 3"),
        (lambda e: e["audit"]["entries"].pop(), "its hash is not the head"),
        (lambda e: e["audit"]["entries"].clear(), "the audit trail is empty"),
        (lambda e: e["audit"]["entries"].reverse(), "entry 1 says that it is entry"),
        (lambda e: e["audit"].update(head="0"), "its hash is not the head"),
        (lambda e: e.update(rotation_id="other"), "entry 1 is of another rotation: r1"),
        (lambda e: e["request"].update(requested_by="eve"), "entry 1 has another request than the document"),
        (lambda e: e["plan"].update(why=[]), "entry 1 has another plan.why than the document"),
        (lambda e: e.update(status="failed"), "says succeeded, the document failed"),
        (ends("cancelled", "failed"), "says cancelled, the document failed"),
        (ends("failed", "cancelled"), "says failed, the document cancelled"),
        (ends("cancelled", "succeeded"), "says cancelled, the document succeeded"),
        (ends("started", "succeeded"), "says started, the document succeeded"),
        (lambda e: e["audit"]["entries"].insert(3, None), "entry 4 is no object"),
        (lambda e: e.update(audit=[]), "there is no audit trail"),
    ],
)
def test_whatever_is_changed_in_the_trail_is_named_with_its_entry(spoil: Any, trouble: str) -> None:
    assert verify(SAMPLE).holds
    verdict = verify(spoiled(spoil))
    assert any(trouble in each for each in verdict.problems), verdict.problems


def test_the_ledger_may_have_gone_on_but_not_say_otherwise() -> None:
    entries = SAMPLE["audit"]["entries"]
    assert compare(entries, [*entries, {"seq": 99}]) == ()
    assert compare(entries, entries[:-1]) == (
        f"entry {len(entries)} is not in the ledger, which has {len(entries) - 1}",
    )
    assert compare(entries, [*entries[:2], {}, *entries[3:]]) == ("entry 3 is not the one in the ledger",)


def test_the_sample_is_of_the_schema_and_what_is_not_in_the_schema_is_refused() -> None:
    schema = json.loads((DOCS / "evidence.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(SAMPLE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SAMPLE, "other": 1}, schema)


def test_the_same_evidence_gives_the_same_page_and_the_same_bytes() -> None:
    again = json.loads(as_bytes(SAMPLE))
    assert as_bytes(again) == as_bytes(SAMPLE)
    assert render(again) == render(SAMPLE)


class Tags(html.parser.HTMLParser):
    """The elements and attributes of a page, as a browser would read them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((name, tuple(key for key, _ in attributes)))


def structure(page: str) -> list[tuple[str, tuple[str, ...]]]:
    tags = Tags()
    tags.feed(page)
    return tags.found


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_the_evidence_becomes_markup_wherever_it_stands(text: str) -> None:
    """Every text of the whole document is replaced: the page keeps exactly the elements and attributes it had."""
    assert structure(render(poisoned(SAMPLE, text))) == structure(render(poisoned(SAMPLE, "harmless")))


def poisoned(value: Any, text: str, path: str = "") -> Any:
    """The document with `text` in each of its texts, but for those that decide what the page is made of."""
    if isinstance(value, dict):
        return {key: poisoned(each, text, f"{path}.{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [poisoned(each, text, path) for each in value]
    decides = path.endswith((".status", ".at", ".from", ".to", "_at", ".action", ".policy")) or ".timeline." in path
    return value if not isinstance(value, str) or decides else text


def test_what_hides_or_turns_text_is_written_as_its_number() -> None:
    assert visible("a\u202eb\u200bc\ud800d\x00") == r"a\u202eb\u200bc\ud800d\u0000"
    assert visible("Zürich, 東京, مرحبا") == "Zürich, 東京, مرحبا"
    assert tag("p", "<&>\"'", title='"<').text == '<p title="&quot;&lt;">&lt;&amp;&gt;&quot;&#x27;</p>'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "under 1 s"),
        (59.9, "59 s"),
        (1784, "29 min 44 s"),
        (3600, "1 h 00 min 00 s"),
        (187_200, "2 d 4 h 00 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_rotation_without_any_length_has_no_drawing() -> None:
    phase = {"phase": "Prepare", "from": "2026-11-21T20:00:00.000Z", "to": "2026-11-21T20:00:00.000Z"}
    assert timeline([], None) is None
    assert timeline([{**phase, "seconds": 0.0, "downtime": False}], None) is None


def rekey(*arguments: str) -> tuple[int, str, str]:
    ran = CliRunner().invoke(app, ["evidence", *arguments])
    return ran.exit_code, ran.stdout, ran.stderr


def test_a_file_is_verified_without_any_cloud(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(as_bytes(SEALED))
    bad.write_bytes(as_bytes(spoiled(lambda e: e["audit"]["entries"][4].update(at="2026-01-01T00:00:00.000Z"))))
    code, out, _ = rekey("--verify", str(good))
    assert (code, "its last entry seals this document" in out) == (0, True)
    code, out, err = rekey("--verify", str(bad))
    assert (code, out) == (1, "")
    assert "entry 5 was changed" in err
    code, out, _ = rekey("--verify", "--json", str(bad))
    assert (code, json.loads(out)["holds"], json.loads(out)["same_in_ledger"]) == (1, False, None)


@pytest.mark.parametrize("content", ["", "[]", "{}", "nonsense", '{"audit": {"entries": []}}'])
def test_a_file_that_is_no_evidence_is_refused_readably(tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content, encoding="utf-8")
    code, out, err = rekey(str(file))
    assert (code, out) == (1, "")
    assert "Fix:" in err
    assert rekey("--verify", str(file))[:2] == (1, "")


def test_the_page_can_be_drawn_again_from_a_file(tmp_path: Path) -> None:
    file, page = tmp_path / "evidence.json", tmp_path / "evidence.html"
    file.write_bytes(as_bytes(SAMPLE))
    assert rekey(str(file), "--html", str(page))[0] == 0
    assert page.read_text(encoding="utf-8") == render(SAMPLE)
    assert "payments-prod" in rekey(str(file))[1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (dict, "and is back."),
        (lambda e: e["compute"]["compared"][0].update(back=False), "1 resource did not come back"),
        (lambda e: e["compute"].update(compared=None), "how it is now could not be read"),
        (lambda e: e.update(downtime_seconds=None), "Not all compute was seen to be back"),
        (
            lambda e: (e.update(downtime_seconds=None), e["timeline"].update(blackout_started=None)),
            "No compute was stopped.",
        ),
        (lambda e: e["findings"].append("Odd."), "Succeeded, with findings"),
        (lambda e: e["audit"]["entries"][1].update(action="other"), "The chain does not hold:"),
    ],
)
def test_the_page_says_no_more_than_the_evidence_has(spoil: Any, said: str) -> None:
    assert said in render(spoiled(spoil))


@pytest.mark.parametrize("left", [None, {}])
def test_evidence_that_does_not_say_what_stays_down_has_a_page(left: dict[str, int] | None) -> None:
    """An earlier version did not write it."""

    def spoil(evidence: dict[str, Any]) -> None:
        evidence["compute"].pop("still_down", None)
        if left is not None:
            evidence["compute"]["still_down"] = left

    page = render(spoiled(spoil))
    assert "not over" not in page
    assert duration(SAMPLE["downtime_seconds"]) in page
