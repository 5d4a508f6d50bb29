"""Notebooks as a re-import finds them: formats, other objects, limits, permissions, and the key they are under."""

import base64
import json
from urllib.parse import quote

import pytest

from tests.simulator.bench import Bench, Json

WORKSPACE = "/api/2.0/workspace"


def walk(bench: Bench, workspace: Json, path: str = "/") -> list[Json]:
    """Every object, depth first, as lists show it."""
    listed = bench.workspace(workspace, "GET", f"{WORKSPACE}/list?path={quote(path)}").json().get("objects", [])
    found = []
    for entry in listed:
        found.append(entry)
        if entry["object_type"] in ("DIRECTORY", "REPO"):
            found += walk(bench, workspace, entry["path"])
    return found


def export(bench: Bench, workspace: Json, path: str, form: str = "SOURCE") -> tuple[int, Json]:
    answer = bench.workspace(workspace, "GET", f"{WORKSPACE}/export?path={quote(path)}&format={form}")
    return answer.status_code, answer.json()


def reimport(bench: Bench, workspace: Json, found: Json, form: str = "JUPYTER") -> None:
    """Export and import again, in its own place."""
    _, exported = export(bench, workspace, found["path"], form)
    body = {"path": found["path"], "format": form, "content": exported["content"], "overwrite": True}
    body |= {"language": found["language"]} if form == "SOURCE" else {}
    answer = bench.workspace(workspace, "POST", f"{WORKSPACE}/import", body)
    assert answer.status_code == 200, answer.text


def permissions(bench: Bench, workspace: Json, found: Json) -> list[Json]:
    path = f"/api/2.0/permissions/notebooks/{found['object_id']}"
    shown: Json = bench.workspace(workspace, "GET", path).json()
    assert (shown["object_id"], shown["object_type"]) == (f"/notebooks/{found['object_id']}", "notebook")
    acl: list[Json] = shown["access_control_list"]
    return acl


def outputs(exported: Json) -> list[Json]:
    cells = json.loads(base64.b64decode(exported["content"]))["cells"]
    return [output for cell in cells for output in cell["outputs"]]


def keys(bench: Bench, workspace: Json) -> dict[str, str | None]:
    return {entry["name"]: entry["key_arn"] for entry in bench.sim(workspace)["objects"]}


def test_mixed_notebooks_differ_and_survive_a_round_trip(bench: Bench) -> None:
    workspace = bench.seed(mixed_notebooks=8)
    before = [found for found in walk(bench, workspace) if found["object_type"] == "NOTEBOOK"]
    assert {found["language"] for found in before} == {"PYTHON", "SQL", "SCALA", "R"}
    sources = [export(bench, workspace, found["path"])[1]["content"] for found in before]
    with_outputs = [bool(outputs(export(bench, workspace, found["path"], "JUPYTER")[1])) for found in before]
    assert sorted(with_outputs) == [False] * 4 + [True] * 4
    acls = [permissions(bench, workspace, found) for found in before]
    bench.clock.advance(10)
    for found in before:
        reimport(bench, workspace, found)
    after = [found for found in walk(bench, workspace) if found["object_type"] == "NOTEBOOK"]
    for old, new in zip(before, after, strict=True):
        assert {**new, "modified_at": old["modified_at"]} == old
        assert new["modified_at"] == old["modified_at"] + 10_000
    assert [export(bench, workspace, found["path"])[1]["content"] for found in after] == sources
    kept = [bool(outputs(export(bench, workspace, found["path"], "JUPYTER")[1])) for found in after]
    assert kept == with_outputs
    assert [permissions(bench, workspace, found) for found in after] == acls


def test_source_drops_outputs(bench: Bench) -> None:
    workspace = bench.seed(mixed_notebooks=2)
    found = next(n for n in walk(bench, workspace) if n["path"].endswith("mixed-1"))
    reimport(bench, workspace, found, "SOURCE")
    assert outputs(export(bench, workspace, found["path"], "JUPYTER")[1]) == []


@pytest.mark.rule("not-reencrypted")
def test_only_rewriting_moves_a_notebook_under_the_first_key(bench: Bench) -> None:
    workspace, key = bench.seed(notebooks=2), bench.key()
    bench.patch(workspace, managed=bench.register(key, "MANAGED_SERVICES"))
    bench.clock.advance(120)
    bench.pass_time(10 * 86400)
    assert keys(bench, workspace) == {"/Shared/notebook-0": None, "/Shared/notebook-1": None}
    first = next(found for found in walk(bench, workspace) if found["object_type"] == "NOTEBOOK")
    reimport(bench, workspace, first)
    assert keys(bench, workspace) == {"/Shared/notebook-0": key, "/Shared/notebook-1": None}


def test_other_objects_are_shown_and_their_like_refused(bench: Bench) -> None:
    workspace = bench.seed(other_objects=4)
    found = {entry["object_type"]: entry for entry in walk(bench, workspace) if entry["object_type"] != "DIRECTORY"}
    assert set(found) == {"FILE", "LIBRARY", "DASHBOARD", "REPO", "NOTEBOOK"}
    assert found["NOTEBOOK"]["path"] == f"{found['REPO']['path']}/notebook"
    assert found["FILE"]["size"] == len(b"FILE 0")
    status, exported = export(bench, workspace, found["FILE"]["path"], "AUTO")
    assert (status, base64.b64decode(exported["content"])) == (200, b"FILE 0")
    assert export(bench, workspace, found["DASHBOARD"]["path"], "AUTO")[0] == 200
    assert export(bench, workspace, found["LIBRARY"]["path"], "AUTO")[0] == 400
    assert export(bench, workspace, found["REPO"]["path"])[0] == 400
    assert export(bench, workspace, found["NOTEBOOK"]["path"])[0] == 200
    body = {"format": "SOURCE", "language": "PYTHON", "content": "", "overwrite": True}
    for kind in ("NOTEBOOK", "FILE", "DASHBOARD"):
        refused = bench.workspace(workspace, "POST", f"{WORKSPACE}/import", {**body, "path": found[kind]["path"]})
        assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    bench.side("POST", "/switches", {"import_into_repos": "allow"})
    answer = bench.workspace(workspace, "POST", f"{WORKSPACE}/import", {**body, "path": found["NOTEBOOK"]["path"]})
    assert answer.status_code == 200
    raw = {**body, "path": found["FILE"]["path"], "format": "RAW", "content": base64.b64encode(b"new").decode()}
    assert bench.workspace(workspace, "POST", f"{WORKSPACE}/import", raw).status_code == 200
    again = bench.workspace(workspace, "GET", f"{WORKSPACE}/get-status?path={raw['path']}").json()
    assert (again["object_type"], again["size"], again["object_id"]) == ("FILE", 3, found["FILE"]["object_id"])


def test_a_notebook_over_ten_megabytes_cannot_be_exported(bench: Bench) -> None:
    workspace = bench.seed(large_notebooks=1)
    status, refused = export(bench, workspace, "/Shared/large-0")
    assert (status, refused["error_code"]) == (400, "MAX_NOTEBOOK_SIZE_EXCEEDED")


def test_permissions_are_set_added_and_inherited(bench: Bench) -> None:
    workspace = bench.seed(notebooks=1)
    found = bench.workspace(workspace, "GET", f"{WORKSPACE}/get-status?path=/Shared/notebook-0").json()
    folder = bench.workspace(workspace, "GET", f"{WORKSPACE}/get-status?path=/Shared").json()
    admins = {
        "group_name": "admins",
        "all_permissions": [
            {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": ["/directories/0"]}
        ],
    }
    assert permissions(bench, workspace, found) == [admins]

    def change(method: str, family: str, object_id: int, **level: str) -> int:
        acl = [{"user_name": name, "permission_level": level[name]} for name in level]
        body = {"access_control_list": acl}
        return bench.workspace(workspace, method, f"/api/2.0/permissions/{family}/{object_id}", body).status_code

    def levels() -> dict[str, list[tuple[str, bool]]]:
        return {
            str(entry.get("user_name")): [(p["permission_level"], p["inherited"]) for p in entry["all_permissions"]]
            for entry in permissions(bench, workspace, found)
            if "user_name" in entry
        }

    assert change("PUT", "notebooks", found["object_id"], a="CAN_READ", b="CAN_EDIT") == 200
    assert change("PATCH", "notebooks", found["object_id"], a="CAN_RUN") == 200
    assert change("PATCH", "directories", folder["object_id"], a="CAN_MANAGE") == 200
    assert levels() == {"a": [("CAN_RUN", False), ("CAN_MANAGE", True)], "b": [("CAN_EDIT", False)]}
    assert change("PUT", "notebooks", found["object_id"]) == 200
    assert levels() == {"a": [("CAN_MANAGE", True)]}
    assert change("PUT", "notebooks", found["object_id"], a="CAN_FLY") == 400
    assert change("PUT", "notebooks", folder["object_id"], a="CAN_READ") == 404
    two = {"access_control_list": [{"user_name": "a", "group_name": "b", "permission_level": "CAN_READ"}]}
    path = f"/api/2.0/permissions/notebooks/{found['object_id']}"
    assert bench.workspace(workspace, "PUT", path, two).status_code == 400


@pytest.mark.parametrize("keeps", [True, False])
def test_overwriting_keeps_id_and_permissions_or_not(bench: Bench, keeps: bool) -> None:
    bench.side("POST", "/switches", {"overwrite_keeps_permissions": keeps})
    workspace = bench.seed(mixed_notebooks=1)
    before = walk(bench, workspace)[-1]
    reimport(bench, workspace, before)
    after = walk(bench, workspace)[-1]
    named = {str(entry.get("user_name") or entry.get("group_name")) for entry in permissions(bench, workspace, after)}
    assert (after["object_id"] == before["object_id"]) == keeps
    assert ("reader-0@example.com" in named) == keeps
    caller = [entry for entry in permissions(bench, workspace, after) if "service_principal_name" in entry]
    assert [entry["service_principal_name"] for entry in caller] == ([] if keeps else [bench.settings.client_id])
