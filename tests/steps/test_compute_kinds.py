"""What users' workspaces hold and Databricks answers: all of it found, each piece by itself, and all of it back."""

from itertools import cycle
from typing import Any

import pytest
import requests

from rekey.databricks.connect import connect_workspace
from tests.steps.looks import jobs, paused, sim
from tests.steps.workloads import OFTEN
from tests.steps.world import World

INDIRECT: dict[str, dict[str, Any]] = {
    "loop": {"compute": "new_cluster", "for_each": 1},
    "three loops": {"compute": "job_cluster", "for_each": 3},
    "pipeline": {"compute": "pipeline"},
    **{kind: {"compute": "warehouse", "warehouse_task": kind} for kind in ("sql", "dbt", "dashboard", "notebook")},
    "another job": {"compute": "run_job", "job": 0},
    "a dashboard's own warehouse": {"compute": "dashboard"},
    "a type not known yet": {"compute": "unknown"},
}
UNSURE = ("a dashboard's own warehouse", "a type not known yet")


def run_through(world: World, workspace: Any) -> Any:
    """A whole rotation that puts a storage key on, so that there is a blackout to look at."""
    return world.rotate(workspace_id=workspace["workspace_id"], operation="add")


def cause(world: World, **failure: Any) -> None:
    world.post("failures", **failure)


# --- 1: jobs whose compute is not named on the outer task ---


@pytest.mark.parametrize("name", INDIRECT)
def test_a_job_that_reaches_classic_compute_indirectly_starts_nothing_in_the_blackout(world: World, name: str) -> None:
    wish = {**INDIRECT[name], **OFTEN}
    inner = {"trigger": "none", "name": "inner"}
    workspace = world.workspace(clusters=0, pools=0, warehouses=1, pipelines=[{}], jobs=[inner, wish])
    before = jobs(world, workspace)
    summary = run_through(world, workspace)
    assert (summary["status"], world.get("violations")) == ("succeeded", [])
    assert jobs(world, workspace) == before
    findings = " ".join(summary["findings"])
    assert ("Treated as classic compute" in findings) == (name in UNSURE)


@pytest.mark.parametrize("name", ["loop", "pipeline", "sql", "another job"])
def test_its_run_is_cut_short_by_its_own_api(world: World, name: str) -> None:
    inner = {"trigger": "none", "name": "inner"}
    running = {**INDIRECT[name], "trigger": "none", "running": True, "run_seconds": 0, "max_retries": -1}
    workspace = world.workspace(clusters=0, pools=0, warehouses=1, pipelines=[{}], jobs=[inner, running])
    run_through(world, workspace)
    assert world.get("violations") == []
    assert "RUNNING" not in sim(world, workspace)["runs"].values()


SERVERLESS: dict[str, dict[str, Any]] = {
    "condition": {"compute": "condition"},
    "loop": {"compute": "serverless", "for_each": 2},
    "pipeline": {"compute": "pipeline", "pipeline": 0},
    "warehouse": {"compute": "warehouse", "warehouse": 0},
}


@pytest.mark.parametrize("name", SERVERLESS)
def test_serverless_work_goes_on(world: World, name: str) -> None:
    wish = {**SERVERLESS[name], "trigger": "schedule", "running": True, "run_seconds": 0}
    workspace = world.workspace(
        clusters=1,
        pools=0,
        warehouses=[{"serverless": True, "type": "PRO"}],
        pipelines=[{"serverless": True}],
        jobs=[wish],
    )
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    assert not any(map(paused, jobs(world, workspace).values()))
    world.switch()
    assert list(sim(world, workspace)["runs"].values()) == ["RUNNING"]
    assert world.get("violations") == []


def test_a_trigger_whose_condition_is_asked_on_a_classic_warehouse_is_paused(world: World) -> None:
    wish = {"trigger": "sql_condition", "compute": "serverless", "condition_met": False, **OFTEN}
    workspace = world.workspace(clusters=1, pools=0, warehouses=1, jobs=[wish])
    before = jobs(world, workspace)
    summary = run_through(world, workspace)
    assert (summary["findings"], world.get("violations"), jobs(world, workspace)) == ([], [], before)


# --- 2: one object that answers badly for good ---

ANSWERS: dict[str, dict[str, Any]] = {
    "500": {"fault": "status", "status": 500},
    "501": {"fault": "not_implemented"},
    "429": {"fault": "throttle"},
    "403": {"fault": "status", "status": 403, "error_code": "PERMISSION_DENIED", "message": "No."},
    "INVALID_STATE": {"fault": "status", "status": 400, "error_code": "INVALID_STATE", "message": "Not now."},
}


@pytest.mark.parametrize(("name", "fails"), list(zip(ANSWERS, cycle((True, False)), strict=False)))
def test_one_warehouse_that_cannot_be_started_keeps_nothing_else_down(world: World, name: str, fails: bool) -> None:
    workspace = world.workspace(
        clusters=2, pools=1, warehouses=3, pipelines=[{"continuous": True, "running": True}], jobs=[OFTEN]
    )
    workspace_id = workspace["workspace_id"]
    before, all_jobs = sim(world, workspace), jobs(world, workspace)
    bad = next(id_ for id_, each in before["warehouses"].items() if not each["serverless"])
    world.prepare(workspace_id=workspace_id, operation="add")
    world.switch()
    world.post("faults", match={"path": f"*/warehouses/{bad}/start"}, times=None, **ANSWERS[name])
    failure = {"state": "Verify", "error": "SomeError", "cause": "it broke"}
    if fails:
        world.call("roll_back", rotation_id="r1", failure=failure)
    world.clock.advance(1200)
    for _ in range(40):
        answer = world.call("restart_compute", rotation_id="r1")
        world.clock.advance(30)
    waiting = [each for each in answer["waiting_for"] if "rate limit" not in each]
    assert all(each.startswith(f"warehouse {bad}") for each in waiting)
    if not fails:
        world.loop("verify")
    end: Any = {"failure": failure} if fails else {}
    ended = world.call("record_failure" if fails else "complete_rotation", rotation_id="r1", **end)
    # A failed rotation that lacks what may still come back is handed over: its cause says so.
    told = [*ended["findings"], *([ended["failure"]["cause"]] if fails else [])]
    assert any(f"warehouse {bad}" in each and "back" in each.lower() for each in told)
    now = sim(world, workspace)
    assert now["warehouses"].pop(bad)["state"] == "STOPPED"
    assert [each["state"] for each in now["warehouses"].values()] == [
        each["state"] for id_, each in before["warehouses"].items() if id_ != bad
    ]
    for kind in ("clusters", "pipelines"):
        shown = {id_: each for id_, each in now[kind].items() if id_ in before[kind]}
        of_people = {i for i in shown if kind == "pipelines" or shown[i]["source"] in ("UI", "API")}
        assert {id_: shown[id_] for id_ in of_people} == {id_: before[kind][id_] for id_ in of_people}
    assert jobs(world, workspace) == all_jobs
    assert world.get("violations") == []
    assert world.longest_call <= 60


@pytest.mark.parametrize("path", ["*/clusters/delete", "*/warehouses/*/stop", "*/runs/cancel", "*/pipelines/*/stop"])
def test_one_that_cannot_be_stopped_is_named_and_keeps_no_other_running(world: World, path: str) -> None:
    workspace = world.workspace(clusters=2, pools=1, warehouses=2, pipelines=2, jobs=[{**OFTEN, "running": True}] * 2)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    refusal = {"status": 500, "error_code": "INTERNAL_ERROR", "message": "Kaboom."}
    world.post("faults", match={"method": "POST", "path": path}, fault="status", times=2, **refusal)
    first = world.call("terminate_compute", rotation_id="r1")
    assert "Kaboom." in " ".join(first["waiting_for"])
    world.loop("terminate_compute")
    world.clock.advance(60)
    assert sim(world, workspace)["ec2"] == []
    assert world.get("violations") == []


@pytest.mark.parametrize(
    "order",
    [
        {"match": {"path": "*/instance-pools/list"}, "values": {"instance_pools": None}},
        {"match": {"path": "*/sql/warehouses"}, "absent": ["warehouses.*.state"], "times": 3},
        {"match": {"path": "*/jobs/runs/list"}, "values": {"runs": None}},
        {"match": {"path": "*/clusters/list"}, "absent": ["clusters.*.cluster_source"], "times": None},
    ],
    ids=["null pools", "warehouses without state", "null runs", "clusters without source"],
)
def test_nulls_and_fields_left_out_harm_nobody(world: World, order: dict[str, Any]) -> None:
    workspace = world.workspace(clusters=2, pools=0, warehouses=2)
    before = sim(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.post("faults", fault="rewrite", **{"times": None, **order})
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute")
    now = sim(world, workspace)
    assert (now["clusters"], now["warehouses"]) == (before["clusters"], before["warehouses"])


def test_a_list_that_fails_leaves_the_other_kinds_served_and_is_waited_for(world: World) -> None:
    workspace = world.workspace(clusters=2, pools=1, warehouses=2)
    before = sim(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    fault = {"fault": "status", "status": 500, "message": "Kaboom.", "times": None}
    world.post("faults", match={"method": "GET", "path": "*/sql/warehouses"}, **fault)
    for _ in range(20):
        answer = world.call("restart_compute", rotation_id="r1")
        world.clock.advance(30)
    assert not answer["done"]
    (waiting,) = answer["waiting_for"]
    assert waiting.startswith("the list of warehouses: ")
    assert "Kaboom." in waiting
    assert sim(world, workspace)["clusters"] == before["clusters"]
    requests.delete(f"{world.url}/_sim/faults", timeout=10)
    world.loop("restart_compute")
    assert sim(world, workspace)["warehouses"] == before["warehouses"]


def test_nothing_is_stopped_before_all_of_it_could_be_listed(world: World) -> None:
    workspace = world.workspace(clusters=2, pools=1, warehouses=2)
    before = sim(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.post("faults", match={"method": "GET", "path": "*/clusters/list"}, fault="status", status=500, times=None)
    answer = world.call("terminate_compute", rotation_id="r1")
    assert answer["waiting_for"][0].startswith("the list of clusters: ")
    assert (sim(world, workspace), world.rotation().snapshot_key) == (before, None)


# --- 3: clusters of other sources ---


@pytest.mark.parametrize("source", ["MODELS", "LUNAR"])
@pytest.mark.parametrize("startable", ["start", "refuse"])
def test_clusters_of_other_sources_come_back_or_are_named(world: World, source: str, startable: str) -> None:
    world.post("switches", clusters_of_other_sources=startable)
    workspace = world.workspace(clusters=[{"source": source}, {}], pools=0, warehouses=0)
    (odd, other) = sim(world, workspace)["clusters"]
    summary = run_through(world, workspace)
    now = sim(world, workspace)["clusters"]
    assert now[other]["state"] == "RUNNING"
    if startable == "start":
        assert (now[odd]["state"], summary["findings"]) == ("RUNNING", [])
    else:
        (finding,) = summary["findings"]
        assert finding.startswith(f"Could not be brought back: cluster {odd} ")
        assert "was launched to run a job and cannot be started" in finding


# --- 4: "does not exist" about something else ---


def test_a_jobs_cluster_that_is_gone_is_not_the_job(world: World) -> None:
    workspace = world.workspace(clusters=2, pools=0, warehouses=0, jobs=[{"compute": "all_purpose", "name": "mine"}])
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    gone = next(iter(sim(world, workspace)["clusters"]))
    world.post("delete", workspace_id=workspace["workspace_id"], kind="cluster", id=gone)
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute")
    findings = world.call("complete_rotation", rotation_id="r1")["findings"]
    (of_job,) = [each for each in findings if "of job" in each]
    assert "(mine)" in of_job
    assert f"Cluster {gone} does not exist" in of_job
    assert "no longer exists" not in of_job
    assert f"Could not be brought back: cluster {gone} no longer exists." in findings


# --- 5: objects that vanish between a list and a call ---

VANISH = {
    "run": "*/runs/cancel",
    "pipeline": "*/pipelines/*/stop",
    "cluster": "*/clusters/delete",
    "warehouse": "*/warehouses/*/stop",
    "pool": "*/instance-pools/edit",
}


@pytest.mark.parametrize("kind", VANISH)
def test_what_vanishes_when_it_is_to_be_stopped_is_passed_over(world: World, kind: str) -> None:
    workspace = world.workspace(
        clusters=2,
        pools=2,
        warehouses=2,
        pipelines=[{"continuous": True, "running": True}] * 2,
        jobs=[{"trigger": "none", "running": True, "run_seconds": 0}] * 2,
    )
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.post("faults", match={"method": "POST", "path": VANISH[kind]}, fault="vanish")
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute", rounds=30)
    findings = world.call("complete_rotation", rotation_id="r1")["findings"]
    named = [each for each in findings if "no longer exists" in each]
    assert [each.split(": ")[1].split(" ")[0] for each in named] == ([] if kind == "run" else [kind])
    assert (len(findings), world.get("violations")) == (len(named), [])


STARTS = {
    "pipeline": "*/pipelines/*/updates",
    "cluster": "*/clusters/start",
    "warehouse": "*/warehouses/*/start",
    "pool": "*/instance-pools/edit",
    "job": "*/jobs/update",
}


@pytest.mark.parametrize(("kind", "how"), list(zip(STARTS, cycle(("deleted", "expired")), strict=False)))
def test_what_vanishes_when_it_is_to_come_back_is_a_finding_and_not_waited_for(
    world: World, kind: str, how: str
) -> None:
    workspace = world.workspace(
        clusters=2, pools=2, warehouses=2, pipelines=[{"continuous": True, "running": True}] * 2, jobs=[OFTEN] * 2
    )
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.post("faults", match={"method": "POST", "path": STARTS[kind]}, fault="vanish", how=how)
    world.loop("restart_compute", rounds=30)
    (finding,) = world.call("complete_rotation", rotation_id="r1")["findings"]
    assert finding.startswith("Could not be brought back: ")
    assert finding.endswith("no longer exists.")


@pytest.mark.parametrize("shown", ["gone", "shown"])
def test_a_warehouse_that_somebody_deletes_meanwhile_is_not_waited_for(world: World, shown: str) -> None:
    world.post("switches", deleted_warehouses=shown)
    workspace = world.workspace(clusters=1, pools=0, warehouses=2)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    gone = next(iter(sim(world, workspace)["warehouses"]))
    world.post("delete", workspace_id=workspace["workspace_id"], kind="warehouse", id=gone)
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute", rounds=20)
    (finding,) = world.call("complete_rotation", rotation_id="r1")["findings"]
    assert finding.startswith(f"Could not be brought back: warehouse {gone} ")


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_job_that_is_deleted_while_triggers_are_paused_is_passed_over(world: World, status: int) -> None:
    world.post("switches", missing_job=status)
    workspace = world.workspace(clusters=0, pools=0, warehouses=0, jobs=[OFTEN] * 5)
    world.plan(workspace_id=workspace["workspace_id"], operation="add")
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    world.post("faults", match={"method": "POST", "path": "*/jobs/update"}, fault="vanish", skip=2)
    world.loop("pause_triggers")
    assert [paused(each) for each in jobs(world, workspace).values()] == [True] * 4
    assert world.rotation().findings == ()


# --- 6: clusters in states that tell nothing ---


@pytest.mark.parametrize("state", ["UNKNOWN", "ERROR"])
def test_clusters_whose_state_tells_nothing_are_stopped_and_named_to_who_waits(world: World, state: str) -> None:
    workspace = world.workspace(clusters=[{"state": state}, {}], pools=0, warehouses=0)
    (odd, other) = sim(world, workspace)["clusters"]
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    first = world.call("terminate_compute", rotation_id="r1")
    assert f"cluster {odd} {state}" in first["waiting_for"]
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute")
    findings = " ".join(world.call("complete_rotation", rotation_id="r1")["findings"])
    now = sim(world, workspace)["clusters"]
    assert now[other]["state"] == "RUNNING"
    # One in ERROR ran nothing, so it stays as it is; one in UNKNOWN may have run.
    assert now[odd]["state"] == ("ERROR" if state == "ERROR" else "RUNNING")
    assert f"cluster {odd}" in findings


# --- what is busiest comes first ---


def test_pools_come_back_first_and_then_what_was_busiest(world: World) -> None:
    workspace = world.workspace(
        clusters=[{"num_workers": 1}, {"num_workers": 40}, {"num_workers": 8}], pools=1, warehouses=0
    )
    names = {id_: each["name"] for id_, each in sim(world, workspace)["clusters"].items()}
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.call("restart_compute", rotation_id="r1")
    (started,) = [each["detail"]["started"] for each in world.ledger.trail("r1") if each["action"] == "started"]
    kinds = [each.split(" ")[0] for each in started]
    order = [names[each.split(" ")[1]] for each in started if each.startswith("cluster ")]
    assert kinds == ["pool", "cluster", "cluster", "cluster"]
    assert order == ["cluster-1", "cluster-2", "cluster-0"]


def test_triggers_that_somebody_switches_on_while_they_are_paused_come_back_too(world: World) -> None:
    workspace = world.workspace(clusters=0, pools=0, warehouses=0, jobs=[{**OFTEN, "paused": True}, OFTEN])
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    late = next(id_ for id_, each in jobs(world, workspace).items() if each["name"] == "job-0")
    api = connect_workspace(world.settings, workspace["deployment_name"])
    schedule = jobs(world, workspace)[late]["schedule"]
    api.update_job(late, {"schedule": {**schedule, "pause_status": "UNPAUSED"}})
    world.loop("pause_triggers")
    assert all(map(paused, jobs(world, workspace).values()))
    world.switch()
    world.clock.advance(1200)
    world.loop("verify")
    world.loop("restart_compute")
    assert not any(map(paused, jobs(world, workspace).values()))
