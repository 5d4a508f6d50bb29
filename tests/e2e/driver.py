"""Drives the deployed stack as a user and an auditor would: executions, KMS, the ledger, the simulator."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import boto3
import requests

from demo.seeding import make_managed_key
from local.cloud import LocalCloud

PATIENCE_SECONDS = 240
"""How long a test waits for anything at the most."""

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    name: str
    status: str
    output: dict[str, Any]
    error: str
    cause: str
    states: list[str]


class LambdaFailed(Exception):
    """What a Lambda raised. `error` is the name of its class, as AwsUnavailable."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(f"{error}: {message}")
        self.error = error


class Driver:
    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud

    def aws(self, service: str) -> Any:
        return boto3.client(service, **self.cloud.client_options)  # type: ignore[call-overload]

    # --- the simulator's side door ---

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.cloud.simulator_url}/_sim/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.cloud.simulator_url}/_sim/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def refuse_the_switch(self, workspace_id: int) -> None:
        """Databricks sees instances that do not end: the blackout lasts until somebody cancels."""
        refused = {"status": 400, "error_code": "INVALID_STATE", "message": "It has running instances.", "times": None}
        self.post("faults", match={"method": "PATCH", "path": f"/{workspace_id}"}, fault="status", **refused)

    def delete(self, path: str) -> None:
        requests.delete(f"{self.cloud.simulator_url}/_sim/{path}", timeout=30).raise_for_status()

    def workspace(self, **seed: Any) -> int:
        """Seed a workspace with some of everything; gives its id."""
        some = {"clusters": 4, "pools": 1, "warehouses": 3, "notebooks": 3, "secrets": 2, "files": 1}
        name = f"test-{uuid.uuid4().hex[:8]}"
        return int(self.post("workspaces", **{"workspace_name": name, **some, **seed})["workspace_id"])

    def shown(self, workspace_id: int) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.get("state")["workspaces"]
        return next(each for each in found if each["workspace_id"] == workspace_id)

    def fields(self, workspace_id: int) -> tuple[str | None, str | None]:
        shown = self.shown(workspace_id)
        return (
            shown.get("managed_services_customer_managed_key_id"),
            shown.get("storage_customer_managed_key_id"),
        )

    def compute(self, workspace_id: int) -> dict[str, Any]:
        """What must be the same before and after: states of clusters and warehouses, settings of pools."""
        sim = self.shown(workspace_id)["sim"]
        lively = ("idle", "pending", "used", "ec2")
        return {
            "clusters": {each: cluster["state"] for each, cluster in sim["clusters"].items()},
            "warehouses": {each: warehouse["state"] for each, warehouse in sim["warehouses"].items()},
            "pools": {
                each: {name: value for name, value in pool.items() if name not in lively}
                for each, pool in sim["pools"].items()
            },
        }

    def unreadable(self, workspace_id: int) -> list[Any]:
        found: list[Any] = self.get(f"health?workspace_id={workspace_id}")["unreadable"]
        return found

    def violations(self, workspace_id: int) -> list[Any]:
        return [each for each in self.get("violations") if each["workspace_id"] == workspace_id]

    # --- executions ---

    def start(self, **request: Any) -> str:
        """Start a rotation; gives its name, which is the rotation id."""
        name = f"test-{uuid.uuid4().hex[:12]}"
        self.aws("stepfunctions").start_execution(
            stateMachineArn=self.cloud.state_machine_arn, name=name, input=json.dumps(request)
        )
        return name

    def states(self, name: str) -> list[str]:
        """Names of the states that an execution has entered."""
        history = self.aws("stepfunctions").get_execution_history(executionArn=self._arn(name), maxResults=1000)
        return [
            each["stateEnteredEventDetails"]["name"] for each in history["events"] if "stateEnteredEventDetails" in each
        ]

    def wait(self, name: str) -> Ended:
        described = until(
            f"execution {name} to end",
            lambda: self.aws("stepfunctions").describe_execution(executionArn=self._arn(name)),
            lambda answer: bool(answer["status"] != "RUNNING"),
        )
        return Ended(
            name=name,
            status=described["status"],
            output=json.loads(described.get("output") or "{}"),
            error=described.get("error", ""),
            cause=described.get("cause", ""),
            states=self.states(name),
        )

    def stop(self, name: str, cause: str) -> None:
        """End an execution as a person in the console does."""
        self.aws("stepfunctions").stop_execution(executionArn=self._arn(name), cause=cause)

    def redrive(self, name: str) -> None:
        """Let an execution go on where it ended, as a person in the console does."""
        self.aws("stepfunctions").redrive_execution(executionArn=self._arn(name))

    def rotate(self, **request: Any) -> Ended:
        return self.wait(self.start(**request))

    def wait_for_state(self, name: str, state: str) -> None:
        until(f"{name} to enter {state}", lambda: self.states(name), lambda states: state in states)

    def ledger(self, pk: str, sk: str) -> dict[str, Any] | None:
        found = self.aws("dynamodb").get_item(
            TableName=self.cloud.ledger_table, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        )
        item: dict[str, Any] | None = found.get("Item")
        return item

    def evidence(self, name: str) -> dict[str, Any]:
        key = f"rotations/{name}/evidence.json"
        body = self.aws("s3").get_object(Bucket=self.cloud.evidence_bucket, Key=key)["Body"]
        document: dict[str, Any] = json.loads(body.read())
        return document

    # --- keys ---

    def make_key(self, *, ours: bool = True) -> str:
        """A key as rekey would have made it earlier, or somebody else without its tag."""
        return make_managed_key(self.cloud, self.aws("kms"), tagged=ours)

    def key_state(self, key_arn: str) -> str:
        return str(self.aws("kms").describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"])

    def keys(self) -> set[str]:
        pages = self.aws("kms").get_paginator("list_keys").paginate()
        return {each["KeyArn"] for page in pages for each in page["Keys"]}

    # --- roles ---

    @contextmanager
    def without(self, function: str, action: str) -> Iterator[None]:
        """Take one action away from a Lambda's role for a while."""
        iam = self.aws("iam")
        role = self._role(function)
        taken = 0
        before: dict[str, str] = {}
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            before[policy] = json.dumps(document)
            for statement in document["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                taken += action in actions
                statement["Action"] = [each for each in actions if each != action] or ["rekey:nothing"]
            iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
        assert taken, f"the role of {function} has no action {action} to take away"
        try:
            yield
        finally:
            for policy, original in before.items():
                iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=original)

    def invoke(self, function: str, **event: Any) -> dict[str, Any]:
        """Call a Lambda as its schedule, or a person, would; gives its answer. Raises LambdaFailed."""
        answer = self.aws("lambda").invoke(
            FunctionName=self._lambda(function)["FunctionName"], Payload=json.dumps(event).encode()
        )
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise LambdaFailed(str(result.get("errorType")), str(result.get("errorMessage")))
        return result

    def finish(self, name: str, by: str) -> None:
        """Ask the finisher for a rotation until nothing is undone, as a person would: again where its own round is at
        work on it."""

        def undone() -> list[str]:
            try:
                left: list[str] = self.invoke("carry_on", rotation_id=name, by=by)["undone"]
            except LambdaFailed as failed:
                if failed.error != "AwsUnavailable":
                    raise
                return [str(failed)]
            return left

        until("the finisher to end it", undone, lambda left: not left)

    def rounds(self, name: str) -> list[dict[str, Any]]:
        """What each round of the finisher said that worked on a rotation, from the Lambda's log."""
        group = {"logGroupName": "/aws/lambda/rekey-carry-on"}
        pages = self.aws("logs").get_paginator("filter_log_events").paginate(**group)
        said = [each["message"] for page in pages for each in page["events"] if '"message":"done"' in each["message"]]
        results: list[dict[str, Any]] = [json.loads(each)["result"] for each in said]
        return [each for each in results if name in json.dumps(each) and each.get("outcome") != "at work"]

    def role(self, function: str) -> dict[str, Any]:
        """The role of a Lambda, as IAM shows it."""
        name = self._lambda(function)["Role"].rpartition("/")[2]
        found: dict[str, Any] = self.aws("iam").get_role(RoleName=name)["Role"]
        return found

    def renew(self, function: str) -> None:
        """Have the next call of a Lambda start with an empty memory, as after a deployment."""
        found = self._lambda(function)
        # The emulator keeps containers where only a description changes.
        self.aws("lambda").update_function_configuration(
            FunctionName=found["FunctionName"], MemorySize=found["MemorySize"]
        )

    def _role(self, function: str) -> str:
        return str(self._lambda(function)["Role"]).rsplit("/", 1)[-1]

    def _lambda(self, function: str) -> Any:
        pages = self.aws("lambda").get_paginator("list_functions").paginate()
        found = [each for page in pages for each in page["Functions"]]
        (one,) = [each for each in found if each["Handler"].endswith(f".{function}.handler")]
        return one

    def _arn(self, name: str) -> str:
        return f"{self.cloud.state_machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def until(what: str, look: Callable[[], Seen], good: Callable[[Seen], bool]) -> Seen:
    """Look until it is good; fails after PATIENCE_SECONDS with what was seen last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not good(seen := look()):
        assert time.monotonic() < deadline, f"waited in vain for {what}; last seen: {seen}"
        time.sleep(0.2)
    return seen
