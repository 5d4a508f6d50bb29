"""Existing notebooks are renewed under the new key: none is lost, and what was not renewed is named."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from rekey.databricks import WorkspaceApi
from rekey.databricks.connect import connect_workspace
from rekey.errors import InvalidRequest, OutcomeUnknown, RequestRefused
from rekey.notebooks import batch as batches
from rekey.notebooks import renew, walk
from rekey.switch import is_canary
from tests.names import BUCKET
from tests.steps.world import World

SOURCE, JUPYTER = "SOURCE", "JUPYTER"
EXPORT = {"method": "GET", "path": "/workspace/export"}
IMPORT = {"method": "POST", "path": "/workspace/import"}
REFUSED = {"status": 400, "error_code": "INVALID_PARAMETER_VALUE", "message": "No."}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renew, "PAUSES", (0.0,) * len(renew.PAUSES))


def seeded(world: World, **seed: Any) -> dict[str, Any]:
    none = dict.fromkeys(("clusters", "pools", "warehouses", "notebooks", "secrets", "files"), 0)
    keys = {"managed_services": world.make_key()}
    workspace: dict[str, Any] = world.workspace(**{**none, "keys": keys, **seed})
    return workspace


def api_of(world: World, workspace: dict[str, Any]) -> WorkspaceApi:
    return connect_workspace(world.settings, workspace["deployment_name"])


def listed(api: WorkspaceApi, folder: str = "/") -> Iterator[dict[str, Any]]:
    for each in api.list_objects(folder):
        if each["object_type"] == "DIRECTORY":
            yield from listed(api, each["path"])
        elif not is_canary(each["path"]):
            yield each


def everything(api: WorkspaceApi) -> dict[str, Any]:
    """Content in both formats, language and permissions of every notebook that can be exported, by its path."""
    found = {}
    for each in listed(api):
        if each["object_type"] == "NOTEBOOK" and "large" not in each["path"]:
            path = each["path"]
            cells = json.loads(api.export_object(path, JUPYTER))["cells"]
            found[path] = (
                api.export_object(path, SOURCE),
                [("".join(cell["source"]), cell["outputs"]) for cell in cells],
                each["language"],
                renew._own_permissions(api, each["object_id"]),
            )
    return found


def keys_of(world: World, workspace: dict[str, Any]) -> dict[str, str]:
    (shown,) = [e for e in world.get("state")["workspaces"] if e["workspace_id"] == workspace["workspace_id"]]
    return {each["name"]: each["key_arn"] for each in shown["sim"]["objects"] if each["kind"] == "notebook"}


def ready(world: World, workspace: dict[str, Any], *paths: str, **request: Any) -> None:
    """A rotation up to the moment in which compute is back."""
    world.prepare(workspace_id=workspace["workspace_id"], renew_notebooks=list(paths or ("/",)), **request)
    world.switch()
    world.loop("verify")
    world.loop("restart_compute")


def finish(world: World) -> tuple[dict[str, Any], dict[str, str]]:
    """(summary, outcome by path)."""
    summary = world.call("complete_rotation", rotation_id=world.rotation_id)
    return summary, {row["path"]: row["outcome"] for row in world.evidence()["notebooks"]["table"]}


def fault(world: World, match: dict[str, str], kind: str, skip: int, **more: Any) -> None:
    world.post("faults", match=match, fault=kind, skip=skip, **more)


@pytest.mark.rule("notebook-size", "op-renew-notebooks")
def test_notebooks_under_the_paths_are_renewed_and_nothing_else(world: World) -> None:
    workspace = seeded(world, notebooks=3, mixed_notebooks=12, large_notebooks=1, other_objects=4)
    api = api_of(world, workspace)
    before = everything(api)
    summary = world.rotate(workspace_id=workspace["workspace_id"], renew_notebooks=["/Users", "/Shared", "/Repos"])
    assert summary["status"] == "succeeded"
    assert summary["findings"] == ["1 notebook over 10 MB could not be renewed, which Databricks' API cannot move."]
    assert everything(api) == before
    notebooks = world.evidence()["notebooks"]
    assert notebooks["counts"] == {"renewed": 15, "skipped": 5, "failed": 0}
    outcomes = {row["path"]: row["outcome"] for row in notebooks["table"]}
    keys = keys_of(world, workspace)
    new = world.rotation().key_arn
    assert {path for path, key in keys.items() if key == new} == {p for p, o in outcomes.items() if o == "renewed"}
    assert Counter(o for o in outcomes.values() if o != "renewed") == {
        "skipped: larger than the 10 MB that Databricks exports and imports": 1,
        "skipped: a FILE, no notebook": 1,
        "skipped: a LIBRARY, no notebook": 1,
        "skipped: a DASHBOARD, no notebook": 1,
        "skipped: a Git folder, whose remote has it": 1,
    }
    assert world.get("violations") == []


def test_only_the_paths_are_touched(world: World) -> None:
    workspace = seeded(world, notebooks=2, mixed_notebooks=6)
    world.rotate(
        workspace_id=workspace["workspace_id"], renew_notebooks=["/Users/user-1@example.com", "/Shared/notebook-1"]
    )
    renewed = {path for path, key in keys_of(world, workspace).items() if key == world.rotation().key_arn}
    assert renewed == {path for path in keys_of(world, workspace) if "user-1@" in path} | {"/Shared/notebook-1"}
    assert len(renewed) == 3


@pytest.mark.rule("op-renew-notebooks")
def test_200_notebooks_and_20_faults_and_none_is_lost(world: World) -> None:
    """Faults that pass are outlived; those that stay leave their notebook as it was, and are counted exactly."""
    workspace = seeded(world, notebooks=60, mixed_notebooks=140)
    api = api_of(world, workspace)
    before = everything(api)
    assert len(before) == 200
    ready(world, workspace)
    for number in range(2):
        fault(world, EXPORT, "status", 11 + 150 * number, status=500)
        fault(world, EXPORT, "reset", 31 + 150 * number)
        fault(world, EXPORT, "throttle", 51 + 150 * number, times=2)
        fault(world, EXPORT, "status", 70 + 150 * number, **REFUSED)
        fault(world, IMPORT, "status", 7 + 90 * number, status=503, error_code="TEMPORARILY_UNAVAILABLE")
        fault(world, IMPORT, "status", 17 + 90 * number, status=500)
        fault(world, IMPORT, "reset", 27 + 90 * number)
        fault(world, IMPORT, "applied_then_lost", 37 + 90 * number)
        fault(world, IMPORT, "throttle", 47 + 90 * number, times=2)
        fault(world, IMPORT, "status", 67 + 90 * number, **REFUSED)
    assert len(world.get("state")["faults"]) == 20
    world.renew_notebooks()
    assert world.get("state")["faults"] == []
    summary, outcomes = finish(world)
    assert everything(api) == before
    new, keys = world.rotation().key_arn, keys_of(world, workspace)
    assert outcomes.keys() == before.keys()
    assert {path for path, outcome in outcomes.items() if outcome == "renewed"} == {p for p in keys if keys[p] == new}
    refused = {path: outcome for path, outcome in outcomes.items() if outcome != "renewed"}
    number = len(refused)
    assert 2 <= number <= 4
    assert all(outcome.startswith("failed: left as it was: Databricks refused") for outcome in refused.values())
    assert world.evidence()["notebooks"]["counts"] == {"renewed": 200 - number, "skipped": 0, "failed": number}
    assert (summary["status"], summary["findings"]) == (
        "succeeded",
        [f"{number} notebooks could not be renewed, see the evidence."],
    )
    assert world.get("health")["unreadable"] == []


@pytest.mark.rule("notebook-identity")
@pytest.mark.parametrize("kind", ["status", "applied_then_lost"])
def test_permissions_are_put_back_where_an_import_loses_them(world: World, kind: str) -> None:
    workspace = seeded(world, mixed_notebooks=6)
    world.post("switches", overwrite_keeps_permissions=False)
    api = api_of(world, workspace)
    before = everything(api)
    assert any(permissions for _, _, _, permissions in before.values())
    ready(world, workspace)
    fault(world, IMPORT, kind, 0, status=500, times=3)
    fault(world, {"method": "PUT", "path": "/permissions/notebooks/"}, "throttle", 0, times=2)
    world.renew_notebooks()
    summary, outcomes = finish(world)
    assert set(outcomes.values()) == {"renewed"}
    assert everything(api) == before
    assert summary["findings"] == []


def test_a_call_that_dies_after_an_import_loses_neither_content_nor_permissions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = seeded(world, mixed_notebooks=6)
    world.post("switches", overwrite_keeps_permissions=False)
    api = api_of(world, workspace)
    before = everything(api)
    ready(world, workspace)
    world.loop("list_notebooks")
    deaths = iter([True])
    whole = WorkspaceApi.import_object

    def dies(self: WorkspaceApi, *args: Any, **kwargs: Any) -> None:
        whole(self, *args, **kwargs)
        if next(deaths, False):
            raise KeyboardInterrupt  # No answer at all, as when Lambda kills the process.

    monkeypatch.setattr(WorkspaceApi, "import_object", dies)
    with pytest.raises(KeyboardInterrupt):
        world.call("renew_notebooks", rotation_id="r1", batch=0)
    assert everything(api) != before
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert set(outcomes.values()) == {"renewed"}
    assert everything(api) == before


def test_a_notebook_over_which_calls_die_does_not_take_the_others_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = seeded(world, notebooks=4)
    ready(world, workspace)
    world.loop("list_notebooks")
    whole = WorkspaceApi.export_object

    def dies(self: WorkspaceApi, path: str, form: str) -> bytes:
        if path.endswith("-1"):
            raise KeyboardInterrupt
        return whole(self, path, form)

    monkeypatch.setattr(WorkspaceApi, "export_object", dies)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            world.call("renew_notebooks", rotation_id="r1", batch=0)
    assert world.call("renew_notebooks", rotation_id="r1", batch=0)["done"] is True
    _, outcomes = finish(world)
    assert [path for path, outcome in outcomes.items() if outcome != "renewed"] == ["/Shared/notebook-1"]
    assert outcomes["/Shared/notebook-1"].startswith("failed: the call that renewed it died 2 times")


def mangled(content: bytes) -> bytes:
    notebook = json.loads(content)
    notebook["cells"] = notebook["cells"][:-1]
    return json.dumps(notebook).encode()


@pytest.mark.parametrize("times", [1, 2])
def test_what_reads_back_differently_is_written_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    workspace = seeded(world, notebooks=1)
    api = api_of(world, workspace)
    before = everything(api)
    ready(world, workspace)
    whole = WorkspaceApi.import_object
    imported: list[bytes] = []

    def mangles(self: WorkspaceApi, path: str, content: bytes, form: str, **kwargs: Any) -> None:
        imported.append(content)
        whole(self, path, mangled(content) if len(imported) <= times else content, form, **kwargs)

    monkeypatch.setattr(WorkspaceApi, "import_object", mangles)
    world.renew_notebooks()
    _, outcomes = finish(world)
    assert len(imported) == 2
    assert imported[0] == imported[1]
    if times == 1:
        assert outcomes == {"/Shared/notebook-0": "renewed"}
        assert everything(api) == before
    else:
        reason = "it reads back differently, also after its original was written a second time"
        assert outcomes == {"/Shared/notebook-0": f"failed: {reason}"}


def edit(world: World, api: WorkspaceApi, path: str) -> None:
    world.clock.advance(1)
    api.import_object(path, b"# Databricks notebook source\nedited", SOURCE, language="PYTHON", overwrite=True)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_somebody_writes_meanwhile_is_kept(world: World, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Before the import the notebook is put off and renewed with the edit; after it, it is left as it is."""
    workspace = seeded(world, notebooks=1)
    api = api_of(world, workspace)
    ready(world, workspace)
    exports, whole = [], WorkspaceApi.export_object

    def somebody_edits(self: WorkspaceApi, path: str, form: str) -> bytes:
        exports.append(path)
        if moment == "after" and len(exports) == 2:
            edit(world, api, path)
        content = whole(self, path, form)
        if moment == "before" and len(exports) == 1:
            edit(world, api, path)
        return content

    monkeypatch.setattr(WorkspaceApi, "export_object", somebody_edits)
    world.renew_notebooks()
    _, outcomes = finish(world)
    assert b"edited" in api.export_object("/Shared/notebook-0", SOURCE)
    left = "failed: somebody edited it before it could be compared; it was left as it is"
    assert outcomes["/Shared/notebook-0"] == ("renewed" if moment == "before" else left)


def test_trouble_that_stays_is_reported_and_fails_nothing(world: World) -> None:
    workspace = seeded(world, notebooks=3)
    api = api_of(world, workspace)
    before = everything(api)
    ready(world, workspace)
    fault(world, IMPORT, "throttle", 0, times=None)
    world.renew_notebooks()
    summary, outcomes = finish(world)
    assert summary["status"] == "succeeded"
    assert summary["findings"] == ["3 notebooks could not be renewed, see the evidence."]
    assert all(each.startswith("failed: left as it was, after 5 tries") for each in outcomes.values())
    assert everything(api) == before


def test_a_list_or_a_batch_that_was_given_up_is_a_finding(world: World) -> None:
    workspace = seeded(world, notebooks=3)
    ready(world, workspace)
    world.loop("list_notebooks")
    summary, outcomes = finish(world)
    assert summary["findings"] == ["3 notebooks could not be renewed, see the evidence."]
    assert set(outcomes.values()) == {"failed: not reached before the renewal ended; it is whole, as it was or renewed"}
    world.next_rotation()
    ready(world, workspace)
    summary, outcomes = finish(world)
    assert summary["findings"] == ["The notebooks could not be listed, so none was renewed; all are as they were."]
    assert outcomes == {}


def test_a_long_list_is_made_in_several_calls_and_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = seeded(world, mixed_notebooks=12)
    ready(world, workspace, "/Users")
    with monkeypatch.context() as short:
        short.setattr(walk, "WORK_SECONDS", -1)
        assert world.call("list_notebooks", rotation_id="r1")["batches"] == []
    fault(world, {"method": "GET", "path": "/workspace/list"}, "throttle", 2)
    first = world.call("list_notebooks", rotation_id="r1")
    assert (first["done"], first["batches"]) == (False, [])
    fault(world, {"method": "GET", "path": "/workspace/list"}, "throttle", 3)
    last = world.call("list_notebooks", rotation_id="r1", waited_seconds=walk.LAST_CALL_SECONDS)
    assert (last["done"], last["batches"]) == (True, [0])
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert "failed: this folder could not be listed in time" in outcomes.values()
    assert "renewed" in outcomes.values()


def test_a_call_does_no_more_than_it_has_time_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = seeded(world, notebooks=3)
    ready(world, workspace)
    world.loop("list_notebooks")
    monkeypatch.setattr(batches, "WORK_SECONDS", -1)
    answers = [world.call("renew_notebooks", rotation_id="r1", batch=0) for _ in range(3)]
    assert [(each["done"], each["remaining"]) for each in answers] == [(False, 2), (False, 1), (True, 0)]
    assert answers[0]["waiting_for"] == ["2 notebooks of batch 0"]
    assert world.call("renew_notebooks", rotation_id="r1", batch=0)["done"] is True
    entries = [each for each in world.ledger.trail("r1") if each["action"] == "batch renewed"]
    assert [each["detail"] for each in entries] == [{"batch": 0, "renewed": 3, "skipped": 0, "failed": 0}]


def test_batches_stay_few_and_have_each_notebook_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "BATCH_SIZE", 1)
    workspace = seeded(world, notebooks=45)
    ready(world, workspace)
    assert world.loop("list_notebooks")["batches"] == list(range(walk.MOST_BATCHES))
    for number in range(walk.MOST_BATCHES):
        world.loop("renew_notebooks", batch=number)
    _, outcomes = finish(world)
    assert Counter(outcomes.values()) == {"renewed": 45}


def test_a_git_folder_is_left_alone_also_when_it_is_named_itself(world: World) -> None:
    workspace = seeded(world, other_objects=4)
    api = api_of(world, workspace)
    (repo,) = [each["path"] for each in listed(api) if each["object_type"] == "REPO"]
    world.rotate(workspace_id=workspace["workspace_id"], renew_notebooks=[repo, f"{repo}/notebook"])
    table = world.evidence()["notebooks"]["table"]
    assert {row["outcome"] for row in table} == {"skipped: in a Git folder, whose remote has it"}
    assert world.evidence()["notebooks"]["counts"] == {"renewed": 0, "skipped": 2, "failed": 0}


def test_no_content_is_in_the_bucket(world: World) -> None:
    workspace = seeded(world, mixed_notebooks=6)
    world.rotate(workspace_id=workspace["workspace_id"], renew_notebooks=["/Users"])
    client = boto3.client("s3")
    versions = client.list_object_versions(Bucket=BUCKET)["Versions"]
    assert any("/notebooks/0.json" in each["Key"] for each in versions)
    for each in versions:
        text = client.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read()
        assert b"select 2" not in text
        assert base64.b64encode(b"select 2") not in text
        assert b"language_info" not in text


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "rotate_material"},
        {"operation": "add", "use_cases": ["STORAGE"]},
        {"use_cases": ["STORAGE"]},
    ],
)
def test_a_renewal_without_a_new_managed_services_key_is_refused(world: World, request_: dict[str, Any]) -> None:
    workspace = seeded(world)
    with pytest.raises(InvalidRequest, match=r"renew_notebooks: .* Mend: leave it out"):
        world.plan(workspace_id=workspace["workspace_id"], renew_notebooks=["/Shared"], **request_)


def test_a_renewal_that_the_decided_operation_cannot_do_is_refused(world: World) -> None:
    workspace = seeded(world)
    with pytest.raises(RequestRefused, match=r"renew_notebooks: .* Mend: leave it out"):
        world.plan(workspace_id=workspace["workspace_id"], operation="add", renew_notebooks=["/Shared"])


def test_a_path_that_is_not_there_is_refused_before_anything_is_touched(world: World) -> None:
    workspace = seeded(world)
    with pytest.raises(RequestRefused, match=r"renew_notebooks: the workspace has no /Sharde\. Mend: correct"):
        world.plan(workspace_id=workspace["workspace_id"], renew_notebooks=["/Shared", "/Sharde"])


def test_an_answer_that_stays_lost_is_not_taken_for_success(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = seeded(world, notebooks=1)
    ready(world, workspace)

    def lost(*_: Any, **__: Any) -> None:
        raise OutcomeUnknown("lost")

    monkeypatch.setattr(WorkspaceApi, "import_object", lost)
    world.renew_notebooks()
    _, outcomes = finish(world)
    assert outcomes["/Shared/notebook-0"].startswith("failed: an import may have been applied; its content was as")
