"""Existing notebooks are renewed under the new key: none is lost, and what was not renewed is named."""

from collections import Counter
from typing import Any

import pytest

from rekey.databricks import WorkspaceApi
from tests.steps.renewing import EXPORT, IMPORT, REFUSED, api_of, everything, fault, finish, keys_of, ready, seeded
from tests.steps.world import World

pytestmark = pytest.mark.usefixtures("no_pauses")


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
