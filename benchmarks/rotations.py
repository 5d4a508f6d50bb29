"""Downtime beside its lower bound, and cost, of rotations on the local cloud: from the executions' own histories."""

import json
import time
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from benchmarks import prices
from demo.seeding import make_managed_key
from local.cloud import LocalCloud, Scales, cloud
from local.cloud.side_door import SideDoor

SCALES = Scales(minute=1 / 40, day=1 / 2880)
PATIENCE_SECONDS = 300.0
MEMORY_MB = 256
"""cdk.json's default."""

COMPUTE = {"clusters": 8, "pools": 2, "warehouses": 4, "notebooks": 5, "secrets": 3, "files": 2}


@dataclass(frozen=True)
class Measured:
    """One rotation. Downtimes are in the story's seconds (real seconds divided by the minute scale)."""

    operation: str
    network: str
    downtime_seconds: float
    lower_bound_seconds: float
    times_the_bound: float
    states_entered: int
    lambda_calls: int
    lambda_seconds: float
    """Real seconds, from the history's TaskScheduled to TaskSucceeded: the queueing is in it, so it errs upward."""
    dollars: float


def measure() -> list[Measured]:
    """One rotation after the other, so that each has the machine for itself. The first pays for the cold starts."""
    with TemporaryDirectory() as folder, cloud(SCALES, Path(folder) / "local.json", print) as running:
        of(running, "rotate", "customer")  # warms the Lambdas up; what it took is not reported
        return [of(running, *each) for each in product(("add", "rotate"), ("customer", "databricks"))]


def of(running: LocalCloud, operation: str, network: str) -> Measured:
    """One rotation of a workspace that is made for it. Raises RuntimeError where it does not succeed."""
    options: Any = running.client_options
    door, sfn = SideDoor(running.simulator_url), boto3.client("stepfunctions", **options)
    wish: dict[str, Any] = {"workspace_name": f"{operation}-{network}", "network": network, **COMPUTE}
    if operation == "rotate":
        wish["keys"] = {"managed_services": make_managed_key(running, boto3.client("kms", **options))}
    workspace_id = int(door.seed(**wish)["workspace_id"])
    bound = door.lower_bound(workspace_id, operation, storage=operation == "add")
    request = {"workspace_id": workspace_id, "operation": operation}
    arn = sfn.start_execution(stateMachineArn=running.state_machine_arn, input=json.dumps(request))["executionArn"]
    output = _wait(sfn, arn)
    downtime = output["downtime_seconds"] / running.scales.minute
    counted, seconds = _history(sfn, arn)
    states, calls = counted["entered"], counted["TaskScheduled"]
    return Measured(
        operation=operation,
        network=network,
        downtime_seconds=round(downtime),
        lower_bound_seconds=round(bound),
        times_the_bound=round(downtime / bound, 2),
        states_entered=states,
        lambda_calls=calls,
        lambda_seconds=round(seconds, 1),
        dollars=round(prices.rotation(states, calls, seconds, MEMORY_MB), 5),
    )


def _wait(sfn: Any, arn: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        described = sfn.describe_execution(executionArn=arn)
        if described["status"] == "SUCCEEDED":
            output: dict[str, Any] = json.loads(described["output"])
            return output
        if described["status"] != "RUNNING":
            raise RuntimeError(f"the rotation ended {described['status']}: {described.get('cause')}")
        time.sleep(0.5)
    raise RuntimeError(f"the rotation was not over after {PATIENCE_SECONDS:g} seconds")


def _history(sfn: Any, arn: str) -> tuple[Counter[str], float]:
    """Events by type ("entered" for any state), and the seconds between each task's scheduling and its answer."""
    counted: Counter[str] = Counter()
    seconds, scheduled = 0.0, 0.0
    pages = sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
    for event in (event for page in pages for event in page["events"]):
        counted["entered" if event["type"].endswith("StateEntered") else event["type"]] += 1
        if event["type"] == "TaskScheduled":
            scheduled = event["timestamp"].timestamp()
        elif event["type"] in ("TaskSucceeded", "TaskFailed"):
            seconds += event["timestamp"].timestamp() - scheduled
    return counted, seconds
