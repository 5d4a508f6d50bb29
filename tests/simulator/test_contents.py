"""Workspace objects, secrets and DBFS: shapes and refusals, whatever the key."""

import base64
import json

import pytest

from tests.simulator.bench import Bench, Json


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def import_notebook(bench: Bench, workspace: Json, **more: object) -> tuple[int, str]:
    body = {"path": "/Shared/a", "format": "SOURCE", "language": "SQL", "content": encoded("select 1"), **more}
    answer = bench.workspace(workspace, "POST", "/api/2.0/workspace/import", body)
    return answer.status_code, answer.json().get("error_code", "")


def export(bench: Bench, workspace: Json, form: str) -> str:
    path = f"/api/2.0/workspace/export?path=/Shared/a&format={form}"
    return base64.b64decode(bench.workspace(workspace, "GET", path).json()["content"]).decode()


def test_folders(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)

    def listing(path: str) -> list[tuple[str, str]]:
        objects = bench.workspace(workspace, "GET", f"/api/2.0/workspace/list?path={path}").json().get("objects", [])
        return [(entry["object_type"], entry["path"]) for entry in objects]

    assert listing("/") == [("DIRECTORY", "/Shared")]
    bench.workspace(workspace, "POST", "/api/2.0/workspace/mkdirs", {"path": "/Shared/x/y"})
    assert listing("/Shared") == [("DIRECTORY", "/Shared/x"), ("NOTEBOOK", "/Shared/notebook-0")]
    assert listing("/Shared/x/y") == []
    assert listing("/Shared/notebook-0") == [("NOTEBOOK", "/Shared/notebook-0")]
    status = bench.workspace(workspace, "GET", "/api/2.0/workspace/get-status?path=/Shared/notebook-0").json()
    assert (status["language"], status["resource_id"]) == ("PYTHON", str(status["object_id"]))
    missing = bench.workspace(workspace, "GET", "/api/2.0/workspace/list?path=/nowhere")
    assert (missing.status_code, missing.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    delete = {"path": "/Shared"}
    refused = bench.workspace(workspace, "POST", "/api/2.0/workspace/delete", delete)
    assert refused.json()["error_code"] == "DIRECTORY_NOT_EMPTY"
    bench.workspace(workspace, "POST", "/api/2.0/workspace/delete", {**delete, "recursive": True})
    assert listing("/") == []


def test_import_and_export(bench: Bench) -> None:
    workspace = bench.seed()
    assert import_notebook(bench, workspace) == (200, "")
    assert import_notebook(bench, workspace) == (400, "RESOURCE_ALREADY_EXISTS")
    assert import_notebook(bench, workspace, overwrite=True) == (200, "")
    assert export(bench, workspace, "SOURCE") == "select 1"
    assert json.loads(export(bench, workspace, "JUPYTER"))["cells"][0]["source"] == ["select 1"]
    path = "/api/2.0/workspace/export?path=/Shared/a&format=SOURCE&direct_download=true"
    assert bench.workspace(workspace, "GET", path).content == b"select 1"


@pytest.mark.rule("notebook-format")
def test_jupyter_keeps_outputs_and_source_drops_them(bench: Bench) -> None:
    workspace = bench.seed()
    cell = {"cell_type": "code", "source": ["1 + 1"], "outputs": [{"output_type": "stream", "text": ["2"]}]}
    notebook = json.dumps({"cells": [cell, cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 0})
    import_notebook(bench, workspace, format="JUPYTER", language="PYTHON", content=encoded(notebook))
    assert export(bench, workspace, "JUPYTER") == notebook
    source = export(bench, workspace, "SOURCE")
    assert source == "# Databricks notebook source\n1 + 1\n\n# COMMAND ----------\n\n1 + 1"


@pytest.mark.rule("notebook-format", "notebook-size")
@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"path": "/nowhere/a"}, (404, "RESOURCE_DOES_NOT_EXIST")),
        ({"path": "a"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"path": "/Shared"}, (400, "RESOURCE_ALREADY_EXISTS")),
        ({"content": "%"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"language": "COBOL"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"format": "DBC"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"format": "JUPYTER"}, (400, "INVALID_PARAMETER_VALUE")),
        ({"content": encoded("x" * (10 * 1024 * 1024 + 1))}, (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")),
    ],
)
def test_bad_imports(bench: Bench, more: Json, refusal: tuple[int, str]) -> None:
    assert import_notebook(bench, bench.seed(), **more) == refusal


def test_secrets(bench: Bench) -> None:
    workspace = bench.seed()

    def post(path: str, body: Json) -> tuple[int, str]:
        answer = bench.workspace(workspace, "POST", f"/api/2.0/secrets{path}", body)
        return answer.status_code, answer.json().get("error_code", "")

    def get(path: str) -> Json:
        found: Json = bench.workspace(workspace, "GET", f"/api/2.0/secrets{path}").json()
        return found

    assert post("/put", {"scope": "s", "key": "k", "string_value": "v"}) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert post("/scopes/create", {"scope": "s"}) == (200, "")
    assert post("/scopes/create", {"scope": "s"}) == (400, "RESOURCE_ALREADY_EXISTS")
    assert get("/scopes/list") == {"scopes": [{"name": "s", "backend_type": "DATABRICKS"}]}
    assert get("/list?scope=s") == {}
    assert post("/put", {"scope": "s", "key": "k"}) == (400, "INVALID_PARAMETER_VALUE")
    assert post("/put", {"scope": "s", "key": "k", "bytes_value": encoded("v")}) == (200, "")
    assert get("/get?scope=s&key=k") == {"key": "k", "value": encoded("v")}
    assert [entry["key"] for entry in get("/list?scope=s")["secrets"]] == ["k"]
    assert post("/delete", {"scope": "s", "key": "k"}) == (200, "")
    assert post("/delete", {"scope": "s", "key": "k"}) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert get("/get?scope=s")["error_code"] == "INVALID_PARAMETER_VALUE"


def test_dbfs(bench: Bench) -> None:
    workspace = bench.seed()
    put = {"path": "/f", "contents": encoded("hello")}
    assert bench.workspace(workspace, "POST", "/api/2.0/dbfs/put", put).json() == {}
    again = bench.workspace(workspace, "POST", "/api/2.0/dbfs/put", put)
    assert again.json()["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert bench.workspace(workspace, "POST", "/api/2.0/dbfs/put", {**put, "overwrite": True}).json() == {}
    assert bench.workspace(workspace, "GET", "/api/2.0/dbfs/read?path=/g").status_code == 404
    large = {"path": "/g", "contents": encoded("x" * (1024 * 1024 + 1))}
    refused = bench.workspace(workspace, "POST", "/api/2.0/dbfs/put", large)
    assert refused.json()["error_code"] == "MAX_BLOCK_SIZE_EXCEEDED"


def archive(bench: Bench, workspace: Json, path: str) -> str:
    exported = bench.workspace(workspace, "GET", f"/api/2.0/workspace/export?path={path}&format=DBC").json()
    assert exported["file_type"] == "dbc"
    return str(exported["content"])


def bring_in(bench: Bench, workspace: Json, path: str, content: str, **more: object) -> tuple[int, str]:
    body = {"path": path, "format": "DBC", "content": content, **more}
    answer = bench.workspace(workspace, "POST", "/api/2.0/workspace/import", body)
    return answer.status_code, answer.json().get("error_code", "")


def test_an_archive_holds_a_folder_or_a_notebook_and_never_overwrites(bench: Bench) -> None:
    workspace = bench.seed(notebooks=2)
    folder, alone = archive(bench, workspace, "/Shared"), archive(bench, workspace, "/Shared/notebook-1")
    assert bring_in(bench, workspace, "/Copy", folder) == (200, "")
    assert bring_in(bench, workspace, "/One", alone) == (200, "")
    for path, number in (("/Copy/notebook-0", 0), ("/Copy/notebook-1", 1), ("/One", 1)):
        source = bench.workspace(workspace, "GET", f"/api/2.0/workspace/export?path={path}&direct_download=true").text
        assert source.endswith(f"print({number})")
    for path in ("/Copy", "/Copy/notebook-0"):
        assert bring_in(bench, workspace, path, folder) == (400, "RESOURCE_ALREADY_EXISTS")
    assert bring_in(bench, workspace, "/Other", "aGVsbG8=") == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("reading", ["refuse", "ignore"])
def test_an_archive_that_is_to_overwrite_is_a_switch(bench: Bench, reading: str) -> None:
    bench.side("POST", "/switches", {"dbc_with_overwrite": reading})
    workspace = bench.seed(notebooks=1)
    content = archive(bench, workspace, "/Shared/notebook-0")
    code = "INVALID_PARAMETER_VALUE" if reading == "refuse" else "RESOURCE_ALREADY_EXISTS"
    assert bring_in(bench, workspace, "/Shared/notebook-0", content, overwrite=True) == (400, code)
