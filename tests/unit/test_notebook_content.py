"""What counts as a notebook's content: ids that an import gives anew do not, everything else does."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.databricks.routes.workspace.new_ids import renewed
from local.databricks.seeding.with_ids import CELL, NOTEBOOK, notebook
from rekey.rotation.notebooks.content import digest

Notebook = dict[str, Any]


def a_notebook() -> Notebook:
    made: Notebook = json.loads(notebook(1))
    output = {
        "output_type": "display_data",
        "data": {"application/json": {"nuid": "a", "commandId": 7}},
        "metadata": {},
    }
    made["cells"][1]["outputs"] = [output]
    made["metadata"][NOTEBOOK]["widgets"]["commandId"] = {"currentValue": "7", "nuid": "b"}
    return made


def changed(change: Callable[[Notebook], object]) -> bool:
    """Whether a change makes it another content."""
    before = a_notebook()
    after = copy.deepcopy(before)
    change(after)
    return digest(json.dumps(before).encode()) != digest(json.dumps(after).encode())


@pytest.mark.parametrize("reading", ["minus_one", "new", "kept"])
def test_an_import_changes_no_content(reading: Any) -> None:
    content = json.dumps(a_notebook()).encode()
    assert digest(renewed(content, reading)) == digest(content)


def about(found: Notebook) -> Notebook:
    part: Notebook = found["metadata"][NOTEBOOK]
    return part


def cell(found: Notebook) -> Notebook:
    part: Notebook = found["cells"][0]["metadata"][CELL]
    return part


SAME: dict[str, Callable[[Notebook], object]] = {
    "a cell's nuid": lambda found: cell(found).update(nuid="x"),
    "a cell without its nuid": lambda found: cell(found).pop("nuid"),
    "an input widget's nuid": lambda found: cell(found)["inputWidgets"]["day"].update(nuid="x"),
    "a widget's nuid": lambda found: about(found)["widgets"]["day"].update(nuid="x"),
    "a dashboard's ids": lambda found: about(found)["dashboards"][0].update(nuid="x", origId=1),
    "an element's cell": lambda found: about(found)["dashboards"][0]["elements"][0].update(elementNUID="x"),
    "the command": lambda found: about(found)["notebookMetadata"].update(
        mostRecentlyExecutedCommandWithImplicitDF={"commandId": -1, "dataframes": ["_sqldf"]}
    ),
    "where it comes from": lambda found: about(found).update(notebookOrigID=1),
    "an id of nbformat 4.5": lambda found: found["cells"][0].update(id="x"),
    "lines as one text": lambda found: found["cells"][1].update(source="%sql\nselect 1"),
    "what says nothing, left out": lambda found: [
        cell(found).pop(each) for each in ("cellMetadata", "showTitle", "title")
    ],
    "what says nothing, written": lambda found: about(found).update(
        environmentMetadata=None, inputWidgetPreferences={}
    ),
}

OTHER: dict[str, Callable[[Notebook], object]] = {
    "a line": lambda found: found["cells"][1]["source"].append(" "),
    "a cell less": lambda found: found["cells"].pop(),
    "cells in another order": lambda found: found["cells"].reverse(),
    "an output": lambda found: found["cells"][1]["outputs"].clear(),
    "an id of the user's, in an output": lambda found: found["cells"][1]["outputs"][0]["data"]["application/json"].pop(
        "nuid"
    ),
    "a number of the user's, in an output": lambda found: found["cells"][1]["outputs"][0]["data"][
        "application/json"
    ].update(commandId=8),
    "a cell's title": lambda found: cell(found).update(title="Sales", showTitle=True),
    "a dashboard's title": lambda found: about(found)["dashboards"][0].update(title="x"),
    "an element's place": lambda found: about(found)["dashboards"][0]["elements"][0]["position"].update(x=6),
    "a dashboard less": lambda found: about(found)["dashboards"].clear(),
    "a widget's value": lambda found: about(found)["widgets"]["day"].update(currentValue="2"),
    "a widget that is named as an id": lambda found: about(found)["widgets"].pop("commandId"),
    "its value": lambda found: about(found)["widgets"]["commandId"].update(currentValue="8"),
    "an input widget's name": lambda found: cell(found)["inputWidgets"]["day"]["widgetInfo"].update(name="x"),
    "the data frames": lambda found: about(found)["notebookMetadata"][
        "mostRecentlyExecutedCommandWithImplicitDF"
    ].update(dataframes=[]),
    "the language": lambda found: about(found).update(language="sql"),
    "another field of metadata": lambda found: found["metadata"].update(kernelspec={"name": "python3"}),
}


@pytest.mark.parametrize("name", SAME)
def test_what_an_import_may_change_is_no_difference(name: str) -> None:
    assert not changed(SAME[name])


@pytest.mark.parametrize("name", OTHER)
def test_what_a_person_wrote_is_one(name: str) -> None:
    assert changed(OTHER[name])
