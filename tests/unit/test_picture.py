"""The picture of the state machine: complete, in plain Mermaid, and current in its page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stepfunctions.picture import BEGIN, DEFINITION, END, PictureError, draw, main, with_picture

CURRENT = Path(__file__).resolve().parents[2] / "docs" / "state-machine.md"

# The plain part of Mermaid's flowchart language, which every version and every viewer knows.
NODE = re.compile(r'    (\w+)(\["[^"]+"\]|\(\["[^"]+"\]\)|\{\{"[^"]+"\}\})')
ARROW = re.compile(r'    (\w+) (?:-->|-- "([^"]+)" -->|-\. "([^"]+)" \.->) (\w+)')
CLASS = re.compile(r"    class ([\w,]+) (\w+)")
CLASS_DEFINITION = re.compile(r"    classDef (\w+) (?:\w+:#[0-9a-f]{6},?)+")


@pytest.fixture
def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def lines(definition: dict[str, Any]) -> list[str]:
    return draw(definition).splitlines()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n\n{BEGIN}\nold\n{END}\n\nThe rest.\n", encoding="utf-8")
    return page


def found(pattern: re.Pattern[str], lines: list[str]) -> list[re.Match[str]]:
    return [match for line in lines if (match := pattern.fullmatch(line))]


def test_every_line_is_plain_mermaid(lines: list[str]) -> None:
    assert lines[0] == "flowchart TD"
    patterns = (NODE, ARROW, CLASS, CLASS_DEFINITION)
    assert [line for line in lines[1:] if line and not any(each.fullmatch(line) for each in patterns)] == []


def test_arrows_join_nodes_and_every_node_has_its_types_colour(definition: dict[str, Any], lines: list[str]) -> None:
    nodes = {match[1] for match in found(NODE, lines)}
    assert {end for match in found(ARROW, lines) for end in (match[1], match[4])} == nodes
    coloured = {node: match[2] for match in found(CLASS, lines) for node in match[1].split(",")}
    assert coloured.keys() == nodes
    for name, state in definition["States"].items():
        node = re.sub(r"\W+", "_", name).strip("_").lower()
        assert coloured.get(node, state["Type"].lower()) == state["Type"].lower()


def test_only_polls_and_overrun_budgets_are_folded(definition: dict[str, Any], lines: list[str]) -> None:
    drawn = {re.split(r"<br/>", match[2].strip("[](){}"))[0].strip('"✔✘ ') for match in found(NODE, lines)}
    assert definition["States"].keys() - drawn == {
        *("Are jobs quiet?", "Wait for job runs to end", "Triggers were not paused"),
        *("Is compute gone?", "Wait for compute to stop", "Compute did not stop"),
        *("Wait for the switch", "Workspace did not switch"),
        *("Does the workspace run?", "Wait for the workspace", "Workspace did not come up"),
        *("Wait for the proof", "Switch was not proven"),
        *("Is compute back?", "Wait for compute to come back"),
        *("Are notebooks listed?", "Wait for the list"),
        *("Is the material rotated?", "Wait for the new material", "Material was not rotated"),
        *("Is access revoked?", "Wait for cached data keys", "Access was not revoked"),
        *("Is access restored?", "Wait for access", "Access was not restored"),
        *("Wait for the roll back", "Wait for the end"),
        *("Is compute restored?", "Wait for compute to be restored"),
    }


def test_the_picture_reads_from_the_plan_to_the_end(lines: list[str]) -> None:
    text = "\n".join(lines)
    for arrow in (
        'route_by_plan -- "report" --> report_plan',
        "terminate_compute --> switch_workspace_key",
        'has_the_workspace_switched -- "done and settle" --> settle_wait',
        'has_the_workspace_switched -- "compute in the way" --> wait_for_instances_to_stop',
        'are_notebooks_to_be_renewed -- "otherwise" --> complete_rotation',
        "renew_notebooks --> complete_rotation",
        "complete_rotation --> has_the_rotation_ended",
        "has_the_rotation_ended -- \"status = 'succeeded'\" --> rotation_succeeded",
        'has_the_rotation_ended -- "not within 240 min" --> rotation_did_not_end',
        'is_it_rolled_back -- "not within 240 min" --> record_failure',
        "record_failure --> rotation_failed",
    ):
        assert f"    {arrow}\n" in text
    assert 'terminate_compute["Terminate compute<br/>↻ as planned"]' in text


def test_all_catches_are_a_few_dotted_arrows(lines: list[str]) -> None:
    dotted = [(match[1], match[4]) for match in found(ARROW, lines) if match[3]]
    assert dotted == [
        ("plan_rotation", "record_refusal"),
        ("wait_for_approval", "roll_back"),
        ("list_notebooks", "complete_rotation"),
        ("revoke_access", "record_failure"),
        ("restore_access", "record_failure"),
    ]


def test_the_picture_is_written_between_the_markers_and_nowhere_else(page: Path, definition: dict[str, Any]) -> None:
    assert main([str(page)]) == 0
    picture = draw(definition)
    assert page.read_text(encoding="utf-8") == (f"# Title\n\n{BEGIN}\n```mermaid\n{picture}```\n{END}\n\nThe rest.\n")


def test_writing_twice_changes_nothing(page: Path) -> None:
    main([str(page)])
    once = page.read_bytes()
    main([str(page)])
    assert page.read_bytes() == once


def test_check_tells_an_old_picture_from_a_current_one(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = page.read_bytes()
    assert main([str(page), "--check"]) == 1
    assert "not current" in capsys.readouterr().err
    assert page.read_bytes() == old
    main([str(page)])
    assert main([str(page), "--check"]) == 0


def test_a_changed_definition_changes_the_picture(definition: dict[str, Any]) -> None:
    before = draw(definition)
    definition["States"]["Verify"]["Next"] = "Complete rotation"
    assert draw(definition) != before


@pytest.mark.parametrize("text", ["no markers", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_page_without_a_place_for_the_picture_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PictureError, match="each must be there once"):
        with_picture(text, "flowchart TD\n")
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    assert main([str(page)]) == 1
    assert "each must be there once" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == text


def test_readme_has_the_current_picture(page: Path) -> None:
    if not CURRENT.exists():  # Then the page stands for it.
        main([str(page)])
    assert main([str(CURRENT if CURRENT.exists() else page), "--check"]) == 0


def test_the_fleets_picture_is_current() -> None:
    """Fix: make picture"""
    page = CURRENT.with_name("fleet.md")
    assert main([str(page), "--machine", "rotate_fleet", "--check"]) == 0
