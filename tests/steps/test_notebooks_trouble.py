"""Existing notebooks that change, stay unread or are not to be touched while others are renewed."""

import base64
import json
from collections import Counter
from typing import Any

import pytest
import requests

from rekey.base.errors import InvalidRequest, OutcomeUnknown, RequestRefused
from rekey.databricks import WorkspaceApi
from rekey.rotation.notebooks import batch as batches
from rekey.rotation.notebooks import walk
from tests.clients import client
from tests.names import BUCKET
from tests.steps.renewing import (
    EXPORT,
    SOURCE,
    api_of,
    everything,
    fault,
    finish,
    listed,
    ready,
    seeded,
)
from tests.steps.world import World

pytestmark = pytest.mark.usefixtures("no_pauses")


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


def test_trouble_of_its_own_that_stays_is_reported_and_fails_nothing(world: World) -> None:
    workspace = seeded(world, notebooks=3)
    api = api_of(world, workspace)
    before = everything(api)
    ready(world, workspace)
    fault(world, EXPORT, "status", 0, status=500, times=None)
    world.renew_notebooks()
    summary, outcomes = finish(world)
    assert summary["status"] == "succeeded"
    assert summary["findings"] == ["3 notebooks could not be renewed, see the evidence."]
    assert len(outcomes) == 3
    assert all(each.startswith("failed: left as it was, after 5 tries") for each in outcomes.values())
    requests.delete(f"{world.url}/_sim/faults", timeout=10)
    assert everything(api) == before


KEPT_OUT: dict[str, dict[str, Any]] = {
    "throttle": {"fault": "throttle"},
    "away": {"fault": "status", "status": 503},
    "network": {
        "fault": "status",
        "status": 403,
        "body": '{"error_code": 403, "message": "Source IP address: 198.51.100.7 is blocked by Databricks IP ACL"}',
    },
    "credential": {"fault": "status", "status": 401},
}
"""What meets every notebook alike, and passes."""


@pytest.mark.parametrize("kind", KEPT_OUT)
@pytest.mark.parametrize("path", ["/workspace/export", "/workspace/get-status", "/workspace/import"])
def test_what_meets_all_of_them_is_waited_for(world: World, kind: str, path: str) -> None:
    """More often than a notebook is tried for trouble of its own; a call ends soon, and the next goes on."""
    workspace = seeded(world, notebooks=2)
    ready(world, workspace, "/Shared")
    world.loop("list_notebooks")
    times = 120 if path == "/workspace/import" else 24  # An import is tried four times in a call.
    world.post("faults", match={"path": path}, times=times, **KEPT_OUT[kind])
    calls = 0
    while not world.call("renew_notebooks", rotation_id="r1", batch=0)["done"]:
        calls += 1
        assert calls < 60
    assert calls > batches.MOST_TRIES
    _, outcomes = finish(world)
    assert set(outcomes.values()) == {"renewed"}


@pytest.mark.parametrize("kind", KEPT_OUT)
@pytest.mark.parametrize("path", ["/workspace/list", "/workspace/get-status"])
def test_a_listing_waits_for_what_meets_every_folder(world: World, kind: str, path: str) -> None:
    workspace = seeded(world, mixed_notebooks=6)
    ready(world, workspace, "/Users")
    world.post("faults", match={"path": path}, times=3, **KEPT_OUT[kind])
    first = world.call("list_notebooks", rotation_id="r1")
    assert (first["done"], first["batches"]) == (False, [])
    assert first["waiting_for"][0].startswith("1 folders to be listed: ")
    world.renew_notebooks()
    _, outcomes = finish(world)
    assert Counter(outcomes.values()) == {"renewed": 6}


def test_what_is_waited_for_in_vain_is_named_with_its_reason(world: World) -> None:
    workspace = seeded(world, notebooks=3)
    ready(world, workspace, "/Shared")
    world.loop("list_notebooks")
    world.post("faults", match={"path": "/workspace/export"}, times=None, **KEPT_OUT["network"])
    for _ in range(3):
        assert world.call("renew_notebooks", rotation_id="r1", batch=0)["done"] is False
    summary, outcomes = finish(world)
    assert summary["findings"] == ["3 notebooks could not be renewed, see the evidence."]
    assert all("not reached before the renewal ended (" in each for each in outcomes.values())
    assert all("IP access list" in each for each in outcomes.values())


def test_a_folder_that_fails_alone_does_not_keep_the_others(world: World) -> None:
    workspace = seeded(world, mixed_notebooks=6)
    ready(world, workspace, "/Users")
    match = {"path": "/workspace/list", "query": "path=/Users/user-0@example.com"}
    world.post("faults", match=match, fault="status", status=500, times=None)
    assert world.call("list_notebooks", rotation_id="r1")["waiting_for"][0].startswith("1 folders to be listed: ")
    world.clock.advance(walk.LIST_SECONDS + 1)
    last = world.call("list_notebooks", rotation_id="r1")
    assert last["done"] is True
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert Counter(each.partition(":")[0] for each in outcomes.values()) == {"renewed": 4, "failed": 1}
    assert outcomes["/Users/user-0@example.com"].startswith("failed: it could not be listed in time: ")


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
    world.clock.advance(walk.LIST_SECONDS + 1)
    last = world.call("list_notebooks", rotation_id="r1")
    assert (last["done"], last["batches"]) == (True, [0])
    world.loop("renew_notebooks", batch=0)
    _, outcomes = finish(world)
    assert any(each.startswith("failed: it could not be listed in time: ") for each in outcomes.values())
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


def throttled(world: World) -> int:
    """How many exports were turned away: one puts its notebook off."""
    return sum(each.get("fault") == "throttle" for each in world.get("requests"))


def test_two_notebooks_put_off_in_a_row_end_the_call(world: World) -> None:
    """Databricks needs a rest: the others would be put off as well."""
    workspace = seeded(world, notebooks=5)
    ready(world, workspace)
    world.loop("list_notebooks")
    fault(world, EXPORT, "throttle", 0, times=None)
    assert world.call("renew_notebooks", rotation_id="r1", batch=0)["remaining"] == 5
    assert throttled(world) == 2


def test_a_notebook_that_is_renewed_between_two_put_off_lets_the_call_go_on(world: World) -> None:
    workspace = seeded(world, notebooks=4)
    ready(world, workspace)
    world.loop("list_notebooks")
    fault(world, EXPORT, "throttle", 0)
    fault(world, EXPORT, "throttle", 2)  # The second notebook is exported twice: before its import and after.
    assert world.call("renew_notebooks", rotation_id="r1", batch=0)["remaining"] == 2
    assert throttled(world) == 2
    world.renew_notebooks()
    _, outcomes = finish(world)
    assert set(outcomes.values()) == {"renewed"}


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
    bucket = client("s3")
    versions = bucket.list_object_versions(Bucket=BUCKET)["Versions"]
    assert any("/notebooks/0.json" in each["Key"] for each in versions)
    for each in versions:
        text = bucket.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
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
    with pytest.raises(InvalidRequest, match=r"renew_notebooks: .* Fix: leave it out"):
        world.plan(workspace_id=workspace["workspace_id"], renew_notebooks=["/Shared"], **request_)


def test_a_renewal_that_the_decided_operation_cannot_do_is_refused(world: World) -> None:
    workspace = seeded(world)
    with pytest.raises(RequestRefused, match=r"renew_notebooks: .* Fix: leave it out"):
        world.plan(workspace_id=workspace["workspace_id"], operation="add", renew_notebooks=["/Shared"])


def test_a_path_that_is_not_there_is_refused_before_anything_is_touched(world: World) -> None:
    workspace = seeded(world)
    with pytest.raises(RequestRefused, match=r"renew_notebooks: the workspace has no /Sharde\. Fix: correct"):
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
