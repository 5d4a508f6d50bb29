"""`python -m demo.record docs/images/rotation.json`: a whole rotation of the local cloud, for the moving picture.

What is written is the execution's history in simulated seconds, cut to what the live view reads. What the Lambdas work
is not scaled, so it counts many times over: record on a machine that has nothing else to do.
"""

import json
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.follow.execution import read_object
from demo.clients import Clients
from demo.model import DemoError
from demo.seeding import make_managed_key
from local.cloud import cloud
from local.cloud.sample import SAMPLE
from local.cloud.side_door import SideDoor

NAME = "rotate-1234567890123456-3fc35dbb"
PATIENCE = 420.0
READ = ("plan", "waiting_for", "rotation_id")
"""What the view reads of an answer."""


def record() -> dict[str, Any]:
    """Start a cloud, rotate the sample workspace's key, and give {"command", "rotation_id", "events"}."""
    with TemporaryDirectory() as folder, cloud(state_file=Path(folder) / "local.json", progress=_tell) as running:
        clients = Clients.of(running)
        keys = {"managed_services": make_managed_key(running, clients.kms)}
        SideDoor(running.simulator_url).seed(**SAMPLE, keys=keys)
        request = {"workspace_id": SAMPLE["workspace_id"], "operation": "rotate", "use_cases": ["MANAGED_SERVICES"]}
        started = clients.sfn.start_execution(
            stateMachineArn=running.state_machine_arn, name=NAME, input=json.dumps(request)
        )
        deadline = time.monotonic() + PATIENCE
        while clients.sfn.describe_execution(executionArn=started["executionArn"])["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise DemoError(f"not over after {PATIENCE:g} s")
            time.sleep(1)
        pages = clients.sfn.get_paginator("get_execution_history").paginate(executionArn=started["executionArn"])
        events = [each for page in pages for each in page["events"]]
        told = list(_cut(events, running.scales.minute))
    return {"command": f"rekey rotate {SAMPLE['workspace_id']}", "rotation_id": NAME, "events": told}


def _cut(events: Iterable[Mapping[str, Any]], minute: float) -> Iterable[dict[str, Any]]:
    began = None
    for event in events:
        began = began or event["timestamp"]
        at = round((event["timestamp"] - began).total_seconds() / minute)
        kind = str(event["type"])
        if (told := _told(kind, event)) is not None:
            yield {"at": at, "type": kind, **told}


def _told(kind: str, event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is kept of an event beside its time; None where nothing of it is."""
    if kind in ("ExecutionStarted", "ExecutionSucceeded", "ExecutionFailed"):
        return {}
    if kind in ("TaskStateEntered", "WaitStateEntered"):
        return {"state": event["stateEnteredEventDetails"]["name"]}
    if kind == "TaskStateExited":
        answer = read_object(event["stateExitedEventDetails"].get("output"))
        kept = {name: answer[name] for name in READ if answer.get(name)}
        return {"answer": kept} if kept else None
    return None


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(record(), indent=1) + "\n", encoding="utf-8")
