"""`make drill`: access is revoked and restored on the local cloud, and timed. The exit status is 0 when all held."""

import json
import sys
import time
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from cli.wording import duration
from local.cloud import CloudError, LocalCloud, Scales, cloud
from local.cloud.side_door import SideDoor
from rekey.base import clock
from rekey.model.actions import Action

SCALES = Scales(minute=1 / 30, day=1 / 3600)
CACHE_SECONDS = 300
"""For how long Databricks' stand-in keeps data keys: Databricks publishes no figure."""

REQUESTER, APPROVER = "grace (the drill)", "ada (the drill)"
PATIENCE_SECONDS = 240.0


class DrillError(Exception):
    """It did not go as it should."""


class Drill:
    """One workspace, and two people."""

    def __init__(self, running: LocalCloud) -> None:
        self._cloud = running
        self._door = SideDoor(running.simulator_url)

    def run(self) -> bool:
        """Whether all held."""
        self._door.turn(dek_cache_seconds=CACHE_SECONDS)
        seed = {"workspace_name": "drill", "clusters": 0, "pools": 0, "warehouses": 0, "notebooks": 0, "files": 0}
        workspace_id = int(self._door.seed(**seed)["workspace_id"])
        self._ended(self._start(operation="add", workspace_id=workspace_id))
        self._door.fill(workspace_id, notebooks=20, secrets=5, files=5)
        refused = self._stands_without_approval(workspace_id)
        print(f"without a second person: {'nothing is touched' if refused else 'IT WENT ON'}")  # noqa: T201
        lost = []
        for operation in ("revoke", "restore"):
            document = self._approved(operation, workspace_id)
            unreadable = len(self._door.health(workspace_id)["unreadable"])
            self._tell(operation, document, unreadable)
            lost.append(unreadable)
        held = refused and lost[0] > 0 and lost[1] == 0
        print("nothing is lost" if held else "IT DID NOT HOLD")  # noqa: T201
        return held

    def _stands_without_approval(self, workspace_id: int) -> bool:
        """Whether an approval by the requester is refused, and the plan ends untouched."""
        name = self._start(operation="revoke", workspace_id=workspace_id, requested_by=REQUESTER, reason="drill")
        self._wait_for_token(name)
        answer = self._answer(name, REQUESTER)
        self._answer(name, APPROVER, "decline")
        self._wait(name)
        return "errorMessage" in answer and "somebody else must approve" in answer["errorMessage"]

    def _approved(self, operation: str, workspace_id: int) -> Any:
        name = self._start(operation=operation, workspace_id=workspace_id, requested_by=REQUESTER, reason="drill")
        self._wait_for_token(name)
        self._answer(name, APPROVER)
        self._ended(name)
        body = self._aws("s3").get_object(Bucket=self._cloud.evidence_bucket, Key=f"rotations/{name}/evidence.json")
        return json.loads(body["Body"].read())

    def _tell(self, operation: str, document: Any, unreadable: int) -> None:
        at = {each["action"]: each["at"] for each in document["audit"]["entries"]}
        begun, done = clock.moment(at[Action.WINDOW_OPENED]), clock.moment(at[Action.ACCESS_CHANGED])
        proven = next(each for each in document["audit"]["entries"] if each["action"] == Action.ACCESS_PROVEN)
        # What KMS and the Lambdas take is real; what the stand-in's cache takes is scaled.
        policy = (done - begun).total_seconds()
        taken, until = ("out", "reads fail") if operation == "revoke" else ("back", "data reads")
        after = proven["detail"]["seconds"] / document["time_scale"]
        print(  # noqa: T201
            f"{operation}: statements {taken} {policy:.1f} s after the approval; {until} {duration(after)} later by "
            f"the stand-in's clock (its cache: {duration(CACHE_SECONDS)}); {unreadable} objects unreadable"
        )

    def _start(self, **request: Any) -> str:
        name = f"drill-{request['operation']}-{uuid.uuid4().hex[:8]}"
        states, machine = self._aws("stepfunctions"), self._cloud.state_machine_arn
        states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
        return name

    def _ended(self, name: str) -> None:
        described = self._wait(name)
        if described["status"] != "SUCCEEDED":
            raise DrillError(f"{name} ended {described['status']}: {described.get('cause', '')}")

    def _wait(self, name: str) -> Any:
        arn = f"{self._cloud.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        states, deadline = self._aws("stepfunctions"), time.monotonic() + PATIENCE_SECONDS
        while (described := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            self._patience(deadline, f"{name} to end")
        return described

    def _wait_for_token(self, name: str) -> None:
        key = {"pk": {"S": f"ROTATION#{name}"}, "sk": {"S": "APPROVAL"}}
        table, deadline = self._aws("dynamodb"), time.monotonic() + PATIENCE_SECONDS
        while "Item" not in table.get_item(TableName=self._cloud.ledger_table, Key=key, ConsistentRead=True):
            self._patience(deadline, f"{name} to ask for its approval")

    def _answer(self, name: str, by: str, decision: str = "approve") -> Any:
        event = {"rotation_id": name, "decision": decision, "by": by, "reason": None}
        [function] = [
            each["FunctionName"]
            for page in self._aws("lambda").get_paginator("list_functions").paginate()
            for each in page["Functions"]
            if each["Handler"].endswith(".answer_approval.handler")
        ]
        answer = self._aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    def _patience(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise DrillError(f"waited in vain for {what}")
        time.sleep(0.2)

    def _aws(self, service: str) -> Any:
        return boto3.client(service, **self._cloud.client_options)  # type: ignore[call-overload]


def main() -> int:
    """Gives the exit status."""
    try:
        with (
            TemporaryDirectory(prefix="rekey-drill-") as folder,
            cloud(SCALES, Path(folder) / "cloud.json", print) as running,
        ):
            return 0 if Drill(running).run() else 1
    except (CloudError, DrillError) as error:
        print(error)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
