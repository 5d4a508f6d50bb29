"""Random workspaces on bad days: no start in the blackout, nothing left down untold, all back that can come back.

REKEY_MIXES is how many are tried (300 is what is promised; a few run each time).
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from rekey.model.findings import FindingCode
from tests.steps.looks import jobs, sim
from tests.steps.world import POLL_SECONDS, World

MIXES = int(os.environ.get("REKEY_MIXES", "4"))

PEOPLES = ("UI", "API", "MODELS", "LUNAR")
TRIGGERS = ("schedule", "continuous", "periodic", "file_arrival", "table_update", "none")
WAREHOUSE_TASKS = ("sql", "dbt", "dashboard", "notebook", "alert", "power_bi")
CALLS = (
    *("*/clusters/list", "*/clusters/start", "*/clusters/delete", "*/clusters/get", "*/instance-pools/*"),
    *("*/sql/warehouses", "*/warehouses/*/start", "*/warehouses/*/stop", "*/jobs/list", "*/jobs/update"),
    *("*/jobs/runs/list", "*/jobs/runs/cancel", "*/pipelines", "*/pipelines/*/stop", "*/pipelines/*/updates"),
)
FAULTS: tuple[dict[str, Any], ...] = (
    *({"fault": "status", "status": status} for status in (500, 502, 503, 504)),
    {"fault": "status", "status": 403, "error_code": "PERMISSION_DENIED", "message": "Not now."},
    {"fault": "status", "status": 400, "error_code": "INVALID_STATE", "message": "Not now."},
    *({"fault": fault} for fault in ("throttle", "reset", "applied_then_lost", "vanish")),
)


def wish(dice: random.Random) -> dict[str, Any]:
    """A workspace of every kind; what stands in a list is the list's."""
    clusters = [
        {
            "source": dice.choice(PEOPLES),
            "state": dice.choice(("RUNNING", "RUNNING", "RUNNING", "TERMINATED", "UNKNOWN", "RESIZING")),
            "num_workers": dice.randrange(20),
            "pooled": dice.random() < 0.2,
        }
        for _ in range(dice.randint(1, 5))
    ]
    warehouses = [{"type": "CLASSIC"}] + [
        {
            "type": dice.choice(("CLASSIC", "PRO")),
            "serverless": dice.random() < 0.3,
            "state": dice.choice(("RUNNING", "RUNNING", "STOPPED")),
        }
        for _ in range(dice.randrange(3))
    ]
    pipelines = [
        {"continuous": dice.random() < 0.5, "running": dice.random() < 0.6, "serverless": dice.random() < 0.3}
        for _ in range(dice.randint(1, 3))
    ]
    # Whatever the dice say, a job that runs on somebody's cluster has one.
    clusters[0] |= {"state": "RUNNING", "source": "UI"}
    sizes = {"warehouse": len(warehouses), "pipeline": len(pipelines)}
    return {
        "clusters": clusters,
        "pools": dice.randrange(3),
        "warehouses": warehouses,
        "pipelines": pipelines,
        "jobs": [job(dice, number, sizes) for number in range(dice.randint(1, 6))],
    }


def job(dice: random.Random, number: int, sizes: dict[str, int]) -> dict[str, Any]:
    ways = ["job_cluster", "new_cluster", "all_purpose", "pipeline", "warehouse", "dashboard", "unknown", "serverless"]
    compute = dice.choice(ways + ["run_job"] * (number > 0))
    return {
        "trigger": dice.choice(TRIGGERS),
        "compute": compute,
        "for_each": dice.randrange(4),
        "warehouse_task": dice.choice(WAREHOUSE_TASKS),
        "warehouse": 0 if compute == "dashboard" else dice.randrange(sizes["warehouse"]),
        "pipeline": dice.randrange(sizes["pipeline"]),
        "job": dice.randrange(number) if number else 0,
        "every_seconds": dice.choice((150, 400, 900)),
        "run_seconds": dice.choice((30, 300, 0)),
        "max_retries": dice.choice((0, 2, -1)),
        "paused": dice.random() < 0.2,
        "running": dice.random() < 0.4,
    }


def trouble(world: World, dice: random.Random, most: int) -> None:
    """A few faults that pass: none befalls a piece three times in a row."""
    for _ in range(dice.randint(0, most)):
        times = {"times": dice.randint(1, 2), "skip": dice.randrange(3)}
        world.post("faults", match={"path": dice.choice(CALLS)}, **{**dice.choice(FAULTS), **times})


def loop(world: World, name: str, rounds: int = 120) -> Any:
    for _ in range(rounds):
        answer = world.call(name, rotation_id="r1")
        if answer["done"]:
            return answer
        world.clock.advance(POLL_SECONDS)
    raise AssertionError(f"{name} was not done: {answer}")


def should_run(before: Any) -> Iterator[tuple[str, str]]:
    """(kind, id) of what ran and is to run again."""
    for id_, each in before["clusters"].items():
        if each["state"] != "TERMINATED" and each["source"] in PEOPLES:
            yield "clusters", id_
    for id_, each in before["warehouses"].items():
        if each["state"] == "RUNNING" and not each["serverless"]:
            yield "warehouses", id_


def is_up(now: Any, kind: str, id_: str) -> bool:
    return id_ in now[kind] and now[kind][id_]["state"] in ("RUNNING", "RESIZING")


@pytest.mark.parametrize("number", range(MIXES))
def test_a_random_workspace_on_a_bad_day(world: World, number: int) -> None:
    dice = random.Random(number)
    workspace = world.workspace(**wish(dice))
    before, triggers = sim(world, workspace), jobs(world, workspace)
    world.plan(workspace_id=workspace["workspace_id"], operation="add")
    for name in ("create_key", "set_policy", "register_config"):
        world.call(name, rotation_id="r1")
    trouble(world, dice, 2)
    loop(world, "pause_triggers")
    trouble(world, dice, 3)
    loop(world, "terminate_compute")
    world.switch()
    for _ in range(12):
        world.clock.advance(100)
    world.loop("verify")
    # Whoever cannot be paused is told of, and what it starts is its own.
    unpaused = world.rotation().has_found(FindingCode.NOT_PAUSED)
    if not unpaused:
        assert [each["rule"] for each in world.get("violations") if "started" in each["rule"]] == []
    trouble(world, dice, 3)
    loop(world, "restart_compute")
    summary = world.call("complete_rotation", rotation_id="r1")
    requests.delete(f"{world.url}/_sim/faults", timeout=10)
    now, findings = sim(world, workspace), [str(each) for each in world.rotation().findings]
    assert summary["status"] == "succeeded"
    for kind, id_ in should_run(before):
        told = [each for each in findings if f" {id_} " in each and each.startswith("Could not be brought back")]
        gone = id_ not in now[kind]
        assert gone <= bool(told), (kind, id_, findings)
        assert is_up(now, kind, id_) or told, (kind, id_, findings)
    for job_id, settings in triggers.items():
        shown = jobs(world, workspace).get(job_id)
        told = [each for each in findings if f" {job_id} " in each]
        assert shown in (None, settings) or told, (job_id, settings, shown, findings)
    for each in findings:
        if each.startswith("Could not be brought back: "):
            kind, id_ = each.removeprefix("Could not be brought back: ").split(" ")[:2]
            assert not is_up(now, f"{kind}s", id_) if kind in ("cluster", "warehouse") else True, each
    assert world.longest_call <= 60
