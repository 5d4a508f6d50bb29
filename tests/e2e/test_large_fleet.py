"""A hundred workspaces on the local cloud, stopped half-way and started again, then the rest of them: `make fleet` runs
it, by itself."""

import json
import os
import time
import uuid
from typing import Any

import pytest

from tests.e2e.driver import Driver, until
from tests.e2e.fleets import arn_of, executions_of, report, start, workspaces

pytestmark = pytest.mark.skipif("REKEY_FLEET" not in os.environ, reason="make fleet: some minutes by itself")
PATIENCE_SECONDS = 3000


def waits(driver: Driver, arn: str) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := driver.aws("stepfunctions").describe_execution(executionArn=arn))["status"] == "RUNNING":
        assert time.monotonic() < deadline, report(driver, arn.rpartition(":")[2][:-2])["said"]
        time.sleep(1)
    return found


def test_a_hundred_workspaces_stopped_half_way_and_started_again(
    driver: Driver, capsys: pytest.CaptureFixture[str]
) -> None:
    began, name = time.monotonic(), f"fleet-{uuid.uuid4().hex[:6]}"
    going = workspaces(driver, name, 98)
    forbidden = workspaces(driver, f"{name}-x", 2, workspace_admin=False)
    # In the order of their names, as the fleet takes them.
    going.sort(key=lambda each: str(driver.shown(each)["workspace_name"]))
    failing = [going[7], going[40], going[70]]
    refused = {"status": 400, "error_code": "BAD_REQUEST", "message": "No.", "times": None}
    for each in failing:
        driver.post("faults", match={"method": "PATCH", "path": f"/{each}"}, fault="status", **refused)
    keys = len(driver.keys())
    seeded = time.monotonic()
    request = {"fleet": {"name": name, "named": f"{name}-*", "waves": [1, 5, 25, 100], "concurrency": 8}}
    first = start(driver, f"{name}-1", **request)
    until("the third wave to begin", lambda: executions_of(driver, name), lambda found: len(found) >= 12)
    driver.aws("stepfunctions").stop_execution(executionArn=first, cause="half-way")
    begun = executions_of(driver, name)
    for rotation in begun:
        driver.wait(rotation)
    assert executions_of(driver, name) == begun
    again = waits(driver, start(driver, f"{name}-2", **request))
    assert (again["status"], again.get("error")) == ("FAILED", "FleetIncomplete"), again
    found = report(driver, name)
    assert found["outcomes"] == {"succeeded": 95, "failed": 3, "forbidden": 2}
    outcomes = {each["workspace_id"]: each["outcome"] for each in found["rotations"]}
    assert outcomes == {
        **dict.fromkeys(going, "succeeded"),
        **dict.fromkeys(failing, "failed"),
        **dict.fromkeys(forbidden, "forbidden"),
    }
    assert [sum(each["outcomes"].values()) for each in found["waves"]] == [1, 5, 25, 67]
    assert executions_of(driver, name) == sorted(f"{name}-{each}" for each in going), "each was started once"
    assert len(driver.keys()) == keys + 98, "and has made one key"
    driver.delete("faults")
    rest = {"name": f"{name}-rest", "rest_of": name}
    assert waits(driver, start(driver, f"{name}-rest-1", fleet=rest))["status"] == "SUCCEEDED"
    left = report(driver, rest["name"])
    assert left["outcomes"] == {"succeeded": 3, "forbidden": 2}
    assert len(driver.keys()) == keys + 98 + 3
    assert driver.get("health")["unreadable"] == []
    assert [each for each in driver.get("violations") if each["workspace_id"] in going] == []
    figures = {
        "workspaces": 100,
        "outcomes": found["outcomes"],
        "outcomes_of_the_rest": left["outcomes"],
        "seconds": round(time.monotonic() - seeded),
        "seconds_to_seed": round(seeded - began),
        "begun_before_the_stop": len(begun),
        "events_of_the_second_execution": len(history(driver, arn_of(driver, f"{name}-2"))),
    }
    with capsys.disabled():
        print(f"\n{json.dumps(figures)}")  # noqa: T201, what make fleet tells


def history(driver: Driver, arn: str) -> list[Any]:
    pages = driver.aws("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]
