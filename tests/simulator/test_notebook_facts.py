"""Notebooks as they really are: names that no path leads to, ids that an import changes, objects of no known type."""

import base64
import json
from typing import Any

import pytest

from local.databricks.seeding.with_ids import CELL, NOTEBOOK
from tests.simulator.bench import Bench, Json

API = "/api/2.0/workspace"


def listed(bench: Bench, workspace: Json, path: str = "/Shared") -> list[Json]:
    found: list[Json] = bench.workspace(workspace, "GET", f"{API}/list?path={path}").json().get("objects", [])
    return found


def export(bench: Bench, workspace: Json, path: str) -> Json:
    answer = bench.workspace(workspace, "GET", f"{API}/export?path={path}&format=JUPYTER").json()
    found: Json = json.loads(base64.b64decode(answer["content"]))
    return found


def bring_in(bench: Bench, workspace: Json, path: str, notebook: Json) -> int:
    content = base64.b64encode(json.dumps(notebook).encode()).decode()
    body = {"path": path, "format": "JUPYTER", "content": content, "overwrite": True}
    return bench.workspace(workspace, "POST", f"{API}/import", body).status_code


def ids_in(notebook: Json) -> dict[str, Any]:
    about = notebook["metadata"][NOTEBOOK]
    (dashboard,) = about["dashboards"]
    return {
        "commandId": about["notebookMetadata"]["mostRecentlyExecutedCommandWithImplicitDF"]["commandId"],
        "notebookOrigID": about["notebookOrigID"],
        "origId": dashboard["origId"],
        "dashboard's nuid": dashboard["nuid"],
        "widget's nuid": about["widgets"]["day"]["nuid"],
        "cell's nuid": notebook["cells"][0]["metadata"][CELL]["nuid"],
        "cell's widget's nuid": notebook["cells"][0]["metadata"][CELL]["inputWidgets"]["day"]["nuid"],
    }


@pytest.mark.parametrize("reading", ["minus_one", "new", "kept"])
def test_an_import_gives_new_ids(bench: Bench, reading: str) -> None:
    bench.side("POST", "/switches", {"import_renews_ids": reading})
    workspace = bench.seed(notebooks_with_ids=1)
    before = export(bench, workspace, "/Shared/with-ids-0")
    assert bring_in(bench, workspace, "/Shared/with-ids-0", before) == 200
    after = export(bench, workspace, "/Shared/with-ids-0")
    old, new = ids_in(before), ids_in(after)
    assert {name for name in old if old[name] == new[name]} == (set(old) if reading == "kept" else set())
    assert (new["commandId"] == -1) == (reading == "minus_one")
    # What the dashboard shows is still its cell.
    (element,) = after["metadata"][NOTEBOOK]["dashboards"][0]["elements"]
    assert element["elementNUID"] == new["cell's nuid"]
    assert [cell["source"] for cell in after["cells"]] == [cell["source"] for cell in before["cells"]]


def test_a_notebook_of_another_kind_is_kept_as_it_is(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)
    plain: Json = {
        "cells": [{"source": ["1"]}],
        "metadata": {"a": [1, {"b": None}]},
        "nbformat": 4,
        "nbformat_minor": 0,
    }
    assert bring_in(bench, workspace, "/Shared/plain", plain) == 200
    assert export(bench, workspace, "/Shared/plain") == plain


def test_a_name_with_a_slash_is_listed_and_no_path_leads_to_it(bench: Bench) -> None:
    """ISSUE terraform-provider-databricks#3081, #4527."""
    workspace = bench.seed(notebooks=1, slashed_notebooks=2)
    paths = [each["path"] for each in listed(bench, workspace)]
    assert paths == ["/Shared/notebook-0", "/Shared/Read / write back 0", "/Shared/Read / write back 1"]
    assert {each["object_type"] for each in listed(bench, workspace)} == {"NOTEBOOK"}
    path = paths[1]
    for way in ("get-status", "export", "list"):
        refused = bench.workspace(workspace, "GET", f"{API}/{way}?path={path}")
        assert (refused.status_code, refused.json()["message"]) == (404, f"Path ({path}) doesn't exist.")
    body = {"path": path, "format": "SOURCE", "language": "PYTHON", "content": "", "overwrite": True}
    assert bench.workspace(workspace, "POST", f"{API}/import", body).status_code == 404
    assert len(listed(bench, workspace)) == 3
    object_id = listed(bench, workspace)[1]["object_id"]
    assert bench.workspace(workspace, "GET", f"/api/2.0/permissions/notebooks/{object_id}").status_code == 200
    # It is encrypted as any other.
    assert bench.side("GET", "/health")["objects"] == 3


def test_objects_of_no_type_and_of_an_unknown_one(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1, odd_objects=2)
    types = [each.get("object_type") for each in listed(bench, workspace)]
    assert sorted(types, key=str) == ["GENIE_SPACE", "NOTEBOOK", None]
    for each in listed(bench, workspace):
        exported = bench.workspace(workspace, "GET", f"{API}/export?path={each['path']}")
        assert exported.status_code == (200 if each.get("object_type") == "NOTEBOOK" else 400)


def test_a_folder_that_may_not_be_listed(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1, unlistable_folders=1)
    assert [each["path"] for each in listed(bench, workspace)] == ["/Shared/locked-0", "/Shared/notebook-0"]
    refused = bench.workspace(workspace, "GET", f"{API}/list?path=/Shared/locked-0")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_folder_that_is_deleted_takes_all_along(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1, slashed_notebooks=1)
    assert (
        bench.workspace(workspace, "POST", f"{API}/delete", {"path": "/Shared", "recursive": True}).status_code == 200
    )
    assert bench.side("GET", "/health")["objects"] == 0
