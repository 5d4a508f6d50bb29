"""A world to rotate in: the Lambdas' handlers, moto, and the simulator on a clock that tests move."""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import requests

from local.databricks.clock import ManualClock
from local.databricks.settings import Settings as SimulatorSettings
from rekey.aws import clients
from rekey.base import clock
from rekey.base.settings import Settings
from rekey.databricks.connect import connect_account
from rekey.ledger import Ledger
from rekey.model.actions import Action
from rekey.model.chain import verify, verify_trail
from rekey.model.contradictions import contradictions
from rekey.model.key import Key
from rekey.model.rotation import Rotation
from rekey.retirement.sweep import sweep
from tests import handlers
from tests.clients import client
from tests.enforced_roles import running_as
from tests.names import ACCOUNT_ID, BUCKET, TABLE
from tests.steps.executions import Executions

DATABRICKS = "arn:aws:iam::414351767826:root"
POLL_SECONDS = 30
"""Between two calls of a loop; the state machine itself polls oftener."""

A_DAY_LATER = 86_400 + 600
"""Later than the grace period by every clock."""

EXECUTIONS = "arn:aws:states:us-east-1:123456789012:execution:rekey-rotate-key:"
EXECUTION = f"{EXECUTIONS}r1"
EVIDENCE = json.loads((Path(__file__).resolve().parents[2] / "docs" / "evidence.schema.json").read_text("utf-8"))
"""The schema that every evidence of every test must be of."""
ADMINISTRATION = "arn:aws:iam::123456789012:root"


ENVELOPE = {
    **{"version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "account": "123456789012"},
    **{"region": "us-east-1", "time": "2026-11-26T12:00:00Z", "resources": []},
}
"""Of any event that EventBridge delivers."""


def environment(url: str) -> dict[str, str]:
    """What the stack sets for every Lambda, with the simulator for Databricks."""
    return {
        "REKEY_STAGE": "local",
        "LEDGER_TABLE": TABLE,
        "EVIDENCE_BUCKET": BUCKET,
        "DATABRICKS_ACCOUNT_ID": ACCOUNT_ID,
        "DATABRICKS_ACCOUNT_HOST": url,
        "DATABRICKS_WORKSPACE_HOST": url + "/w/{deployment_name}",
        "DATABRICKS_SECRET_ARN": "databricks",
        "DATABRICKS_SHARD": "commercial",
        "GRACE_SECONDS": "86400",
        "SETTLE_SECONDS": "1200",
        "EVENT_BUS": "rekey",
        "WATCH_SECONDS": "1209600",
        "REKEY_NAME": "rekey",
        "POWERTOOLS_SERVICE_NAME": "rekey",
        "POWERTOOLS_METRICS_NAMESPACE": "rekey",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


def keep_secret(simulator: SimulatorSettings) -> None:
    """Put the simulator's credential where the Lambdas look for it."""
    secret = {"client_id": simulator.client_id, "client_secret": simulator.client_secret}
    client("secretsmanager").create_secret(Name="databricks", SecretString=json.dumps(secret))


LAMBDA_SECONDS = 120.0
"""What the stack gives a Lambda (rekey:lambda_timeout_seconds)."""

ROUND_SECONDS = 300.0
FINISHER_SECONDS = 900.0
"""Between two of the finisher's rounds, and what each has."""


@dataclass
class Context:
    """What the runtime hands over; the time that is left goes by on the simulator's clock."""

    clock: ManualClock
    ends_at: float
    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:test"
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.ends_at - self.clock.now()) * 1000))


class PaceClock:
    """The simulator's clock for the pace of requests: who waits for a turn lets those before arrive, and moves it."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._clock.now()

    def sleep_until(self, moment: float) -> None:
        with self._lock:
            if moment > self._clock.now():
                time.sleep(0.004)
                self._clock.advance(max(0.0, moment - self._clock.now()))


@dataclass
class World:
    """The simulator, the ledger, and the one clock that both go by."""

    url: str
    clock: ManualClock
    ledger: Ledger
    settings: Settings
    executions: Executions = field(default_factory=Executions)
    rotation_id: str = "r1"
    longest_call: float = 0.0
    """Seconds on the simulator's clock."""

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/_sim/{path}", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/_sim/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def workspace(self, **seed: Any) -> Any:
        """Seed a workspace with some of everything."""
        some = {"clusters": 3, "pools": 1, "warehouses": 3, "notebooks": 3, "secrets": 2, "files": 1}
        return self.post("workspaces", **{"workspace_name": "prod", **some, **seed})

    def quiet_workspace(self, **seed: Any) -> Any:
        """Seed a workspace without compute, for a test of something else: nothing of it is waited for."""
        return self.workspace(**{"clusters": 0, "pools": 0, "warehouses": 0, **seed})

    def fields(self, workspace_id: int) -> tuple[str | None, str | None]:
        shown = connect_account(self.settings).get_workspace(workspace_id)
        return shown.managed_services_key_id, shown.storage_key_id

    def compute(self, workspace_id: int) -> dict[str, Any]:
        """State of every piece of compute by id, with pools' settings."""
        (workspace,) = [each for each in self.get("state")["workspaces"] if each["workspace_id"] == workspace_id]
        return {name: workspace["sim"][name] for name in ("clusters", "pools", "warehouses")}

    def rotation(self, rotation_id: str = "r1") -> Rotation:
        return self.ledger.load(rotation_id)

    def call(self, name: str, /, *, seconds: float = LAMBDA_SECONDS, **event: Any) -> Any:
        """Call one Lambda's handler, which has that many seconds."""
        began = self.clock.now()
        with running_as(name):
            answer = handlers.module(name).handler(event, Context(self.clock, began + seconds))
        self.longest_call = max(self.longest_call, self.clock.now() - began)
        return answer

    def loop(self, name: str, *, rounds: int = 100, **event: Any) -> Any:
        """Call a level-triggered Lambda until it is done, as the state machine's loops do."""
        for _ in range(rounds):
            answer = self.call(name, rotation_id=self.rotation_id, **event)
            if answer["done"]:
                return answer
            self.clock.advance(POLL_SECONDS)
        raise AssertionError(f"{name} was not done after {rounds} rounds: {answer}")

    def plan(self, rotation_id: str | None = None, **request: Any) -> Any:
        name = rotation_id or self.rotation_id
        return self.call("plan_rotation", rotation_id=name, execution_arn=f"{EXECUTIONS}{name}", request=request)

    def prepare(self, **request: Any) -> Any:
        """Everything that needs no downtime."""
        planned = self.plan(**request)
        self.register()
        self.loop("pause_triggers")
        return planned["plan"]

    def register(self) -> None:
        """A key, its policy and its configuration, from the plan on."""
        for name in ("create_key", "set_policy", "register_config"):
            self.call(name, rotation_id=self.rotation_id)

    def until(self, moment: str | None) -> None:
        """Let the moment come, as the state machine's waits do."""
        if moment is not None:
            ahead = (clock.moment(moment) - clock.now()).total_seconds()
            self.clock.advance(max(0.0, ahead + 0.001))  # The two clocks' fractions are not the same.

    def switch(self) -> Any:
        """Terminate and patch until the workspace shows the new configuration. Gives Switch workspace key's answer."""
        for _ in range(200):
            self.loop("terminate_compute")
            answer = self.call("patch_workspace", rotation_id=self.rotation_id)
            if answer["done"]:
                return answer
            self.clock.advance(POLL_SECONDS)
        raise AssertionError(f"the workspace did not switch: {answer}")

    def switch_and_verify(self) -> None:
        """The switch until it has settled and is proven; compute is still down."""
        self.until(self.switch()["settle_until"])
        self.loop("verify")

    def finish(self) -> Any:
        """What is left of the good route once all is prepared. Gives the summary."""
        if self.rotation(self.rotation_id).switch_verified_at is None:
            self.switch_and_verify()
        self.loop("restart_compute")
        if self.rotation(self.rotation_id).plan.renew_notebooks:
            self.renew_notebooks()
        return self.complete()

    def complete(self) -> Any:
        """The last step. Gives the summary."""
        return self.call("complete_rotation", rotation_id=self.rotation_id)

    def rotate(self, **request: Any) -> Any:
        """A whole rotation on the good route. Gives the summary."""
        self.prepare(**request)
        return self.finish()

    def renew_notebooks(self) -> None:
        """List them, and renew one batch after the other."""
        for number in self.loop("list_notebooks")["batches"]:
            self.loop("renew_notebooks", batch=number)

    def fail(self, state: str = "Verify", error: str = "SomeError", cause: str = "it broke") -> Any:
        """The failure route. Gives what Record failure gives."""
        failure = {"state": state, "error": error, "cause": cause}
        answer = self.loop("roll_back", rounds=5400 // POLL_SECONDS, failure=failure)
        self.until(answer["settle_until"])
        self.loop("restart_compute")
        return self.call("record_failure", rotation_id=self.rotation_id, failure=failure)

    def round(self, after_seconds: float = ROUND_SECONDS) -> Any:
        """The finisher's scheduled round, that much later than the last one."""
        self.clock.advance(after_seconds)
        return self.call("carry_on", seconds=FINISHER_SECONDS)

    def carried_on(self, *, rounds: int = 60, step_seconds: float = ROUND_SECONDS) -> Rotation:
        """Rounds of the finisher until the rotation is closed."""
        for _ in range(rounds):
            if self.rotation(self.rotation_id).is_closed:
                return self.rotation(self.rotation_id)
            self.round(step_seconds)
        raise AssertionError(f"not closed after {rounds} rounds: {self.rotation(self.rotation_id).finishing}")

    def sweep(self, after_seconds: float) -> Any:
        """The scheduled sweep, that much later than the last one."""
        self.clock.advance(after_seconds)
        with running_as("disable_old_key"):
            # With a client of the Lambda's own: the tests' ledger may do all.
            ledger = Ledger(clients.dynamodb(), TABLE)
            swept = sweep(self.settings, ledger, connect_account(self.settings), now=clock.now())
        return swept.model_dump(mode="json")

    def refused_use(self, **record: Any) -> Any:
        """A refused use of a key, as CloudTrail tells of it through EventBridge. What was done, by key."""
        return self._delivered("reenable_key", "aws.kms", "AWS API Call via CloudTrail", record)["keys"]

    def execution_ended(self, name: str, status: str) -> Any:
        """Step Functions tells EventBridge that an execution is over. Gives what the finisher did."""
        detail = {"name": name, "status": status}
        return self._delivered("carry_on", "aws.states", "Step Functions Execution Status Change", detail)

    def _delivered(self, function: str, source: str, kind: str, detail: dict[str, Any]) -> Any:
        event: dict[str, Any] = {**ENVELOPE, "source": source, "detail-type": kind, "detail": detail}
        return self.call(function, **event)

    def key(self, key_arn: str) -> Key:
        """A key as the ledger has it."""
        found = self.ledger.keys.find(key_arn)
        assert found is not None
        return found

    def next_rotation(self) -> None:
        """The next rotation of this test gets an id of its own."""
        self.rotation_id = f"r{int(self.rotation_id[1:]) + 1}"

    def evidence(self) -> Any:
        body = client("s3").get_object(Bucket=BUCKET, Key=f"rotations/{self.rotation_id}/evidence.json")["Body"]
        evidence = json.loads(body.read())
        jsonschema.validate(evidence, EVIDENCE)
        verdict = verify(evidence)
        assert (verdict.problems, verdict.sealed) == ((), True)
        return evidence

    def broken_chains(self) -> dict[str, tuple[str, ...]]:
        """What is wrong with the audit trail of any rotation or key in the ledger, by its id or ARN."""
        items = client("dynamodb").scan(TableName=TABLE, ProjectionExpression="pk, sk")["Items"]
        rotations = [each["pk"]["S"].partition("#")[2] for each in items if each["sk"]["S"] == "ROTATION"]
        trails = [(name, self._trail(self.rotation(name))) for name in rotations]
        for key in self.ledger.keys.all():
            audit = {"entries": self.ledger.keys.trail(key.key_arn), "head": key.audit_head}
            trails.append((key.key_arn, {"audit": audit}))
        problems = {
            name: (*verify_trail(trail).problems, *contradictions(trail, _unsealed(trail))) for name, trail in trails
        }
        return {name: found for name, found in problems.items() if found}

    def _trail(self, rotation: Rotation) -> dict[str, Any]:
        """What an evidence of the rotation as it is now would have of its trail."""
        return {
            **rotation.model_dump(mode="json", include={"rotation_id", "status", "request", "plan"}),
            "audit": {"entries": self.ledger.trail(rotation.rotation_id), "head": rotation.audit_head},
        }

    def make_key(self, *, ours: bool = True) -> str:
        """A key as rekey would have made it earlier, with Databricks' statement."""
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": DATABRICKS},
                "Action": ["kms:Encrypt", "kms:Decrypt"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": [ACCOUNT_ID]}},
            },
        ]
        made = client("kms").create_key(
            Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}),
            KeyUsage="ENCRYPT_DECRYPT",
            Tags=[{"TagKey": "rekey:managed", "TagValue": "rekey"}] if ours else [],
        )
        return str(made["KeyMetadata"]["Arn"])

    def key_state(self, key_arn: str) -> str:
        return str(client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"])


def _unsealed(trail: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in trail["audit"]["entries"] if each["action"] != Action.SEALED]
