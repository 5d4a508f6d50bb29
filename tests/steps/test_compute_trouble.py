"""Bad days: what fails at each start, jobs that refuse, hours of 429 and 503, a call's time that is over."""

import json
from typing import Any

import pytest
import requests

from tests.clients import client
from tests.names import BUCKET
from tests.steps.looks import jobs, paused, sim
from tests.steps.steering import switched
from tests.steps.workloads import OFTEN, REASON
from tests.steps.world import LAMBDA_SECONDS, POLL_SECONDS, World

TWO_HOURS = 7200.0


def asked(world: World, part: str) -> int:
    return sum(part in each["path"] for each in world.get("requests"))


def wait(world: World, name: str, seconds: float) -> list[Any]:
    """The loop of a state for so long, or until it is done. Gives what the calls answered."""
    answers: list[Any] = []
    until = world.clock.now() + seconds
    while world.clock.now() < until and not (answers and answers[-1]["done"]):
        answers.append(world.call(name, rotation_id="r1"))
        world.clock.advance(max(POLL_SECONDS, answers[-1]["poll_seconds"]))
    return answers


# --- what fails at each start ---


def test_a_cluster_that_fails_at_each_start_is_tried_three_times_and_named_with_databricks_reason(world: World) -> None:
    workspace = switched(world, clusters=[{"fails": REASON}, {}], pools=0, warehouses=0)
    (bad, good) = sim(world, workspace)["clusters"]
    world.loop("restart_compute", rounds=40)
    summary = world.call("complete_rotation", rotation_id="r1")
    (finding,) = summary["findings"]
    assert finding.startswith(f"Could not be brought back: cluster {bad} was started 3 times")
    assert "INIT_SCRIPT_FAILURE (CLIENT_ERROR): x.sh failed" in finding
    assert asked(world, "/clusters/start") == 3 + 1
    assert sim(world, workspace)["clusters"][good]["state"] == "RUNNING"
    (row,) = [each for each in world.evidence()["compute"]["compared"] if each["id"] == bad]
    assert (row["back"], "INIT_SCRIPT_FAILURE" in row["note"]) == (False, True)


def test_a_cluster_that_fails_twice_comes_back(world: World) -> None:
    workspace = switched(world, clusters=[{"fails": {**REASON, "times": 2}}], pools=0, warehouses=0)
    world.loop("restart_compute", rounds=60)
    assert world.call("complete_rotation", rotation_id="r1")["findings"] == []
    assert [each["state"] for each in sim(world, workspace)["clusters"].values()] == ["RUNNING"]


@pytest.mark.parametrize("after", [60, None], ids=["stops again", "hangs in STARTING"])
def test_a_warehouse_that_cannot_start_is_named_with_databricks_reason(world: World, after: float | None) -> None:
    workspace = switched(world, clusters=1, pools=0, warehouses=[{"fails": {**REASON, "after": after}}, {}])
    (bad, good) = sim(world, workspace)["warehouses"]
    world.loop("restart_compute", rounds=60)
    (finding,) = world.call("complete_rotation", rotation_id="r1")["findings"]
    assert finding.startswith(f"Could not be brought back: warehouse {bad} ")
    assert "INIT_SCRIPT_FAILURE (CLIENT_ERROR): x.sh failed" in finding
    assert sim(world, workspace)["warehouses"][good]["state"] == "RUNNING"


def test_jobs_that_refuse_any_update_are_named_and_hold_nobody_up(world: World) -> None:
    refused = {**OFTEN, "update_refused": "Cluster validation error: no such version", "name": "invalid"}
    workspace = world.workspace(clusters=0, pools=0, warehouses=0, jobs=[OFTEN, refused, OFTEN])
    world.plan(workspace_id=workspace["workspace_id"], operation="add")
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    first = world.call("pause_triggers", rotation_id="r1")
    bad = next(id_ for id_, each in jobs(world, workspace).items() if each["name"] == "invalid")
    assert [paused(each) for each in jobs(world, workspace).values()].count(True) == 2
    (waiting,) = first["waiting_for"]
    assert f"schedule of job {bad} (invalid)" in waiting
    world.loop("pause_triggers", rounds=5)
    (finding,) = map(str, world.rotation().findings)
    assert f"job {bad} (invalid)" in finding
    assert "Cluster validation error: no such version" in finding


# --- a sustained 429 or 503 ---


@pytest.mark.parametrize("name", ["terminate_compute", "restart_compute"])
@pytest.mark.parametrize("fault", ["429", "503"])
def test_two_hours_of_refusals_only_make_it_slower(world: World, name: str, fault: str) -> None:
    seed: dict[str, Any] = {"clusters": 3, "pools": 1, "warehouses": 2, "jobs": [OFTEN]}
    workspace = world.workspace(**seed)
    before, triggers = sim(world, workspace), jobs(world, workspace)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    if name == "restart_compute":
        world.switch()
        world.clock.advance(1200)
        world.loop("verify")
    orders: dict[str, dict[str, Any]] = {
        "429": {"fault": "throttle"},
        "503": {"fault": "status", "status": 503, "message": "Busy."},
    }
    world.post("faults", match={"path": "/api/"}, times=None, **orders[fault])
    answers = wait(world, name, TWO_HOURS)
    assert not any(each["done"] for each in answers)
    assert answers != []
    assert all(each["waiting_for"] for each in answers)
    if fault == "429":
        assert all("waiting for Databricks' rate limit" in each["waiting_for"] for each in answers)
    requests.delete(f"{world.url}/_sim/faults", timeout=10)
    if name == "terminate_compute":
        world.switch()
        world.clock.advance(1200)
        world.loop("verify")
    world.loop("restart_compute")
    summary = world.call("complete_rotation", rotation_id="r1")
    now = sim(world, workspace)
    assert (summary["status"], summary["findings"], world.get("violations")) == ("succeeded", [], [])
    for kind in ("clusters", "warehouses"):
        # A job that is on again may have made a cluster of its own.
        assert {id_: now[kind].get(id_) for id_ in before[kind]} == before[kind]
    assert jobs(world, workspace) == triggers
    assert world.longest_call <= LAMBDA_SECONDS / 2


def test_a_rate_limit_costs_few_requests_more(world: World) -> None:
    """How fast it goes is measured by `make bench-compute`."""
    workspace = switched(world, clusters=60, pools=0, warehouses=0)
    world.post("limits", families={"clusters": {"per_second": 5}})
    before = asked(world, "/clusters/")
    running = sum(each["state"] != "TERMINATED" for each in sim(world, workspace)["clusters"].values())
    answers: list[Any] = []
    while not answers or answers[-1]["remaining"] > 0:
        answers.append(world.call("restart_compute", rotation_id="r1"))
        world.clock.advance(10)
    assert running == 0
    assert asked(world, "/clusters/") - before < 2 * 45 + 60
    assert world.longest_call <= LAMBDA_SECONDS / 2


def test_a_call_hands_over_what_it_has_done_before_its_time_is_over(world: World) -> None:
    workspace = switched(world, clusters=40, pools=0, warehouses=0, jobs=[OFTEN])
    world.post("limits", families={"clusters": {"per_second": 0.4}})
    first = world.call("restart_compute", rotation_id="r1")
    assert world.longest_call <= LAMBDA_SECONDS / 2
    assert not first["done"]
    assert "waiting for Databricks' rate limit" in first["waiting_for"]
    (started,) = [each["detail"]["started"] for each in world.ledger.trail("r1") if each["action"] == "started"]
    up = [id_ for id_, each in sim(world, workspace)["clusters"].items() if each["state"] != "TERMINATED"]
    assert sorted(up) == sorted(each.split(" ")[1] for each in started if each.startswith("cluster "))
    assert 0 < len(up) < 30
    assert len(first["waiting_for"]) <= 12
    # The next call goes on at once where this one stopped, and does not list everything again.
    lists = asked(world, "/list")
    second = world.call("restart_compute", rotation_id="r1")
    assert first["poll_seconds"] == 0
    assert asked(world, "/list") <= lists + 2
    now = [id_ for id_, each in sim(world, workspace)["clusters"].items() if each["state"] != "TERMINATED"]
    assert len(now) > len(up)
    assert second["remaining"] < first["remaining"]
    requests.delete(f"{world.url}/_sim/limits", timeout=10)
    world.loop("restart_compute")
    assert world.call("complete_rotation", rotation_id="r1")["findings"] == []


def test_a_call_that_stops_hands_over_too(world: World) -> None:
    workspace = world.workspace(clusters=40, pools=0, warehouses=0)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")

    def stopped() -> int:
        return sum(each["state"] != "RUNNING" for each in sim(world, workspace)["clusters"].values())

    world.post("limits", families={"clusters": {"per_second": 0.4}})
    first = world.call("terminate_compute", rotation_id="r1")
    assert (first["done"], first["poll_seconds"]) == (False, 0)
    assert 0 < stopped() < 40
    lists, before = asked(world, "/list"), stopped()
    world.call("terminate_compute", rotation_id="r1")
    assert asked(world, "/list") == lists
    assert stopped() > before
    requests.delete(f"{world.url}/_sim/limits", timeout=10)
    world.loop("terminate_compute")
    assert stopped() == 40


def test_lists_and_objects_cost_at_most_two_requests_each(world: World) -> None:
    seed: dict[str, Any] = {"clusters": 12, "pools": 3, "warehouses": 8, "pipelines": 6, "jobs": [OFTEN] * 6}
    workspace = world.workspace(**seed)
    world.prepare(workspace_id=workspace["workspace_id"], operation="add")
    objects = sum(len(sim(world, workspace)[kind]) for kind in ("clusters", "pools", "warehouses", "pipelines", "jobs"))
    for name in ("terminate_compute", "restart_compute"):
        if name == "restart_compute":
            world.clock.advance(1200)
            world.loop("verify")
        before, calls = len(world.get("requests")), 0
        while True:
            calls += 1
            answer = world.call(name, rotation_id="r1")
            if answer["done"]:
                break
            world.clock.advance(POLL_SECONDS)
        lists = 8 * calls
        assert len(world.get("requests")) - before <= 2 * objects + lists
        if name == "terminate_compute":
            world.switch()


# --- the right to see everything is away ---


def test_without_the_admin_right_nothing_is_taken_for_gone(world: World) -> None:
    workspace = switched(world, clusters=2, pools=1, warehouses=2, jobs=[OFTEN])
    no_admin = {"groups": [{"display": "users"}]}
    match = {"path": "/scim/v2/Me"}
    world.post("faults", match=match, fault="status", status=200, body=json.dumps(no_admin), times=None)
    for path in ("*/warehouses/*/start", "*/clusters/start", "*/instance-pools/edit", "*/jobs/update"):
        gone = {"status": 404, "error_code": "RESOURCE_DOES_NOT_EXIST", "message": ""}
        world.post("faults", match={"path": path}, fault="status", times=None, **gone)
    answers = wait(world, "restart_compute", 600)
    assert not answers[-1]["done"]
    assert answers[-1]["waiting_for"] != []
    assert all("no admin of this workspace" in each for each in answers[-1]["waiting_for"])
    requests.delete(f"{world.url}/_sim/faults", timeout=10)
    world.loop("restart_compute")
    assert world.call("complete_rotation", rotation_id="r1")["findings"] == []
    assert not any(map(paused, jobs(world, workspace).values()))


# --- what was stored before, and what is stored now ---


def test_snapshots_that_an_earlier_version_wrote_come_back(world: World) -> None:
    workspace = switched(world, clusters=2, pools=1, warehouses=2, pipelines=1, jobs=[OFTEN])
    for key in ("rotations/r1/snapshot.json", "rotations/r1/triggers.json"):
        stored = json.loads(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())
        for pieces in stored.values():
            for each in pieces if isinstance(pieces, list) else []:
                for new in ("size", "unsure"):
                    each.pop(new, None)
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(stored).encode())
    client("s3").delete_object(Bucket=BUCKET, Key="rotations/r1/compute.json")
    world.loop("restart_compute")
    assert world.call("complete_rotation", rotation_id="r1")["findings"] == []
    assert not any(map(paused, jobs(world, workspace).values()))


def test_compute_that_was_back_and_is_stopped_on_the_way_back_comes_back_again(world: World) -> None:
    workspace = switched(world, clusters=2, pools=1, warehouses=1)
    before = world.loop("restart_compute")
    assert (before["done"], world.rotation().compute_back_at is None) == (True, False)
    world.call("terminate_compute", rotation_id="r1")
    assert world.rotation().compute_back_at is None
    world.loop("terminate_compute")
    world.loop("restart_compute")
    assert {each["state"] for each in sim(world, workspace)["clusters"].values()} == {"RUNNING"}
