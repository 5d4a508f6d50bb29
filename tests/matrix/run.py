"""One cell: a request on its way through one trouble, and on until nothing is left to happen."""

import io
import json
import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import count
from typing import Any

import requests

from local.databricks.rules import pools
from local.databricks.state.account import Workspace
from rekey.aws.policy_access import parted, principals
from rekey.base.observability import logger
from rekey.model import outcome
from rekey.model.rotation import Rotation
from tests import handlers
from tests.clients import client
from tests.matrix.afterwards import PUBLISHED, REFUSED_USE, deliver_refused_use, deliver_stream, stream_record
from tests.matrix.cloud import ACCOUNT, START, Cloud
from tests.matrix.execution import Execution, TaskError, definition
from tests.matrix.scenarios import Request, Scenario
from tests.matrix.timeline import Process
from tests.names import ACCOUNT_ID
from tests.steps.world import ENVELOPE, ROUND_SECONDS

MACHINE = definition()
FINISHER = "carry_on" in handlers.MODULES
LATEST = START + 20 * 86_400
DAYS_OF_SWEEPS = 3 * 86_400.0
DAY = 86_400.0
KEY_CHECK = "Key check"
"""A row of its own that is no state: its troubles begin with the first check that may disable the old key."""
BESIDE = {KEY_CHECK: "disable_old_key", PUBLISHED: "publish_events", REFUSED_USE: "reenable_key"}
"""Rows that are no states, and their Lambdas."""
SWEEPS = (900.0, 23.9 * 3_600, 24.2 * 3_600, 25 * 3_600, 36 * 3_600, 49 * 3_600, 60 * 3_600, 75 * 3_600)
"""Seconds after all is at rest: the sweep is level-triggered, so that those between change nothing."""


@dataclass(frozen=True)
class Trouble:
    """What begins when a state is entered for the first time; `begin` is told the state's Lambda."""

    state: str
    begin: Callable[["Run", str], None]
    passes: bool = False
    """Whether a rotation must get over it."""


@dataclass(frozen=True)
class Said:
    """A sentence for people, who said it, and what was so in that moment."""

    by: str
    text: str
    world: Mapping[str, Any]
    idle: bool = False
    """Whether who says it has asked Databricks and KMS for no change at all."""


class Ears(logging.Handler):
    """Everything that is logged, as one text."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.getMessage()} {vars(record)} {record.exc_info}")


@dataclass
class Run:
    """The world before, the execution, and what the trouble has done."""

    cloud: Cloud
    scenario: Scenario
    seed: int
    troubles: Sequence["Trouble"] = ()
    request: Request = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    """Which of the troubles have begun."""
    deleted: set[str] = field(default_factory=set)
    started: set[str] = field(default_factory=set)
    """Compute that was off, and that somebody else has started."""
    disabled_by_hand: set[str] = field(default_factory=set)
    asked_for: set[str] = field(default_factory=set)
    """Keys whose use was refused once they had gone; `untaken` those of which nobody heard but a queue."""
    untaken: set[str] = field(default_factory=set)
    to_be_told: list[Any] = field(default_factory=list)
    """The events of all that is in the ledger, without any trouble."""
    too_old: int = 0
    """How many entries of the ledger only a queue has."""
    edited: set[str] = field(default_factory=set)
    """Keys whose owner has added a statement to their policies."""
    their_violations: list[dict[str, object]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    seeded_keys: list[str] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, list[int]] = field(default_factory=dict)
    """By state: numbers of the calls that change something, of its Lambda's first invocation."""
    busy: set[str] = field(default_factory=set)
    """Executions that have asked Databricks or KMS for a change."""
    ears: Ears = field(default_factory=Ears)

    def __post_init__(self) -> None:
        self.cloud.reset(self.seed)
        self.request = self.scenario.make(self.cloud)
        self.seeded_keys = [each["KeyArn"] for each in client("kms").list_keys()["Keys"]]
        self.before = self.world_now()
        if self.scenario.fails:
            self.scenario.fails(self.cloud)
        self.execution = self._start("r1", self.request)

    # --- what happens ---

    def to_rest(self) -> None:
        """The execution, the finisher's rounds and three days of sweeps."""
        timeline = self.cloud.timeline
        if self.request.get("approval"):
            timeline.start(self._approver(), timeline.now() + 600, "approver")
        if FINISHER:
            timeline.start(self._finisher(), timeline.now() + ROUND_SECONDS, "finisher")
        timeline.run(self._at_rest, LATEST)
        at_rest = timeline.now()
        self._ledger_says()
        self._quiet_days()
        for after in SWEEPS:
            timeline.run_to(at_rest + after)
            if after >= DAY:
                self._entering("r1", KEY_CHECK)
            self._noting_calls(KEY_CHECK, lambda: self._call("disable_old_key", {}))
            if self.scenario.refused_use and after >= 2 * DAY and not self.asked_for and self._old_key_is_gone():
                self._refused_use()
        self._publish()

    def _quiet_days(self) -> None:
        """Jobs run four times a day from here on: whether they run is known by now, and each run leaves a cluster."""
        for workspace in self.cloud.simulator.workspaces.values():
            for job in workspace.jobs.values():
                job.fires_every = DAY / 4 if job.fires_every else 0.0

    def _at_rest(self) -> bool:
        if any(each.running for each in self.executions):
            return False
        return not FINISHER or all(each.is_closed for each in self.rotations())

    def _finisher(self) -> Process:
        """Each fifth minute, and every half hour after six hours. While executions run it finds nothing to do: rounds
        that a busy execution sees pass are fewer, since each proves the same."""
        for number in count():
            if number % 6 == 0 or not all(each.running for each in self.executions):
                self._call("carry_on", {})
            now = self.cloud.clock.now()
            yield now + (ROUND_SECONDS if now < START + 6 * 3_600 else 6 * ROUND_SECONDS)

    def _approver(self) -> Process:
        for _ in range(100):
            answer = {"rotation_id": "r1", "decision": "approve", "by": "ada"}
            if self._call("answer_approval", answer) is not None:
                return
            yield self.cloud.clock.now() + 600

    def _call(self, function: str, event: Any) -> Any:
        """What nobody waits for; None when it failed."""
        try:
            return self.cloud.lambdas.call(function, event)
        except TaskError:
            return None

    def _publish(self) -> None:
        """All that the ledger wrote, by the outbox; and what a day without trouble would have told."""
        self.cloud.boundary.faults.clear()
        self._entering("r1", PUBLISHED)
        fresh = [each for each in self.cloud.aws.streamed if each["sk"]["S"].startswith("AUDIT#")]
        records = [stream_record(number, item) for number, item in enumerate(fresh)]
        clock, call, aws = self.cloud.clock, self.cloud.lambdas.call, self.cloud.aws
        too_old = self._noting_calls(PUBLISHED, lambda: list(deliver_stream(records, call, clock)))
        self.cloud.boundary.faults.clear()
        self.cloud.lambdas.refused.clear()
        self.too_old = len(too_old)
        told = list(aws.published)
        kept = [each for each in records if each not in too_old]
        list(deliver_stream(kept, call, clock))
        self.to_be_told, aws.published[:] = aws.published[len(told) :], told

    def _old_key_is_gone(self) -> bool:
        """KMS refuses no use before that."""
        (old,) = self.seeded_keys[:1]
        return bool(client("kms").describe_key(KeyId=old)["KeyMetadata"]["KeyState"] != "Enabled")

    def _refused_use(self) -> None:
        """Somebody needs the old key after it has gone."""
        (old,) = self.seeded_keys[:1]
        self.asked_for.add(old)
        self._entering("r1", REFUSED_USE)
        call, clock = self.cloud.lambdas.call, self.cloud.clock
        taken = self._noting_calls(REFUSED_USE, lambda: deliver_refused_use(old, call, clock))
        if not taken:
            self.untaken.add(old)

    def _start(self, name: str, request: Request) -> Execution:
        execution = Execution(
            MACHINE,
            name,
            f"arn:aws:states:us-east-1:{ACCOUNT}:execution:rekey-rotate-key:{name}",
            request,
            self.cloud.timeline,
            partial(self._invoke, name),
            random.Random(self.seed),
            lambda state: self._entering(name, state),
        )
        self.executions.append(execution)
        self.cloud.tasks.start(execution, lambda: self._ended(execution))
        return execution

    def start_another(self, request: Request) -> None:
        self._start(f"r{len(self.executions) + 1}", request)

    def _entering(self, name: str, state: str) -> None:
        for number, trouble in enumerate(self.troubles):
            if name == "r1" and state == trouble.state and number not in self.begun:
                self.begun.add(number)
                known = len(self.cloud.simulator.violations.as_list())
                trouble.begin(self, function_of(state))
                self.their_violations += self.cloud.simulator.violations.as_list()[known:]

    def _invoke(self, name: str, function: str, payload: Any) -> Any:
        state = self.execution.states[-1]
        since = len(self.cloud.boundary.log)
        try:
            return self._noting_calls(state, lambda: self.cloud.lambdas.of_placeholder(function, payload))
        finally:
            if any(each.changing and each.service in ("databricks", "kms") for each in self.cloud.boundary.log[since:]):
                self.busy.add(name)

    def _noting_calls(self, state: str, invoke: Callable[[], Any]) -> Any:
        since = len(self.cloud.boundary.log)
        try:
            return invoke()
        finally:
            if not self.calls.get(state):
                self.calls[state] = [each.number for each in self.cloud.boundary.log[since:] if each.changing]

    def _ledger_says(self) -> None:
        """What events, tickets and `rekey status` make of the ledger once all is at rest."""
        for each in self.rotations():
            # Where a later request has changed the keys, what the ended one left is told by that one.
            if each.failure and each.ended and not self._changed_since(each):
                said = outcome.consequences(each)
                self.said.append(Said(f"the ledger of {each.rotation_id}", said, self.world_now()))

    def _changed_since(self, rotation: Rotation) -> bool:
        later = [each for each in self.rotations() if each.created_at > rotation.created_at]
        return any(each.switched_at and each.failure is None for each in later)

    def _ended(self, execution: Execution) -> None:
        if execution.cause:
            idle = execution.name not in self.busy
            self.said.append(Said(f"execution {execution.name}", execution.cause, self.world_now(), idle))
        if FINISHER and execution.status != "SUCCEEDED":
            detail = {"name": execution.name, "executionArn": execution.arn, "status": execution.status}
            change = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change"}
            event = {**ENVELOPE, **change, "detail": detail}
            self.cloud.timeline.at(self.cloud.clock.now() + 1, lambda: self._call("carry_on", event))

    # --- what is there ---

    def rotations(self) -> list[Rotation]:
        names = [pk for pk, sk in self.cloud.aws.items if sk == "ROTATION"]
        return [self.cloud.ledger.load(each.partition("#")[2]) for each in names]

    @cached_property
    def workspace_id(self) -> int:
        return int(self.request.get("workspace_id", 0))

    @property
    def workspace(self) -> Workspace:
        workspaces = self.cloud.simulator.workspaces
        return workspaces[self.workspace_id] if self.workspace_id else next(iter(workspaces.values()))

    def world_now(self) -> dict[str, Any]:
        """{"keys": by workspace, "up": what runs, "pools": their settings, "triggers": what is on,
        "access": of a workspace whose access is changed, whether a key lets Databricks in}."""
        self.cloud.simulator.catch_up()
        now = self.cloud.clock.now()
        found: dict[str, Any] = {"keys": {}, "up": {}, "pools": {}, "triggers": {}, "access": {}}
        for workspace in self.cloud.simulator.workspaces.values():
            fields = (workspace.managed_services_key_id, workspace.storage_key_id)
            found["keys"][workspace.workspace_id] = fields
            if self.request.get("operation") in ("revoke", "restore"):
                found["access"][workspace.workspace_id] = any(map(self._lets_in, filter(None, fields)))
            for each in workspace.clusters.values():
                if each.source != "JOB":
                    found["up"][each.cluster_id] = each.life.state(now)
            found["up"].update({each.warehouse_id: each.life.state(now) for each in workspace.warehouses.values()})
            for pool in workspace.pools.values():
                settings = (pool.min_idle_instances, pool.max_capacity, pool.idle_instance_autotermination_minutes)
                found["pools"][pool.pool_id] = settings
                found["up"][pool.pool_id] = f"{len(pools.idle_now(pool, now))} idle"
            found["triggers"].update({str(job.job_id): not job.paused for job in workspace.jobs.values()})
        return found

    def _lets_in(self, configuration_id: str) -> bool:
        key_arn = self.cloud.simulator.configurations[configuration_id].key_arn
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        return bool(parted(policy, principals("commercial", ()))[1])

    def workspaces(self) -> list[Workspace]:
        """The one that it is about; none before a new one is made."""
        return [self.workspace] if self.cloud.simulator.workspaces else []

    def things(self, kind: str) -> list[str]:
        """Ids; none before a new workspace is made."""
        return [each for workspace in self.workspaces() for each in _ids(workspace, kind)]

    def one_cluster(self) -> str:
        return next(iter(self.things("cluster")), "none")

    def made_keys(self) -> list[str]:
        """Keys that a rotation has made."""
        return [e["KeyArn"] for e in client("kms").list_keys()["Keys"] if e["KeyArn"] not in self.seeded_keys]

    def in_workspace(self, path: str, **body: Any) -> None:
        """A person's own request."""
        url, host = self.cloud.world.url, f"{self.cloud.world.url}/w/{self.workspace.deployment_name}"
        settings = self.cloud.simulator.settings
        granted = requests.post(
            f"{url}/oidc/accounts/{ACCOUNT_ID}/v1/token",
            data={"grant_type": "client_credentials", "scope": "all-apis"},
            auth=(settings.client_id, settings.client_secret),
            timeout=10,
        ).json()
        headers = {"Authorization": f"Bearer {granted.get('access_token')}"}
        requests.post(f"{host}/api/2.1/{path}", json=body, headers=headers, timeout=10)

    def add_statement(self, key_arn: str) -> None:
        """The key's owner lets somebody else describe it."""
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        who = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
        policy["Statement"].append(
            {"Sid": "Owner", "Effect": "Allow", "Principal": who, "Action": "kms:DescribeKey", "Resource": "*"}
        )
        client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))
        self.edited.add(key_arn)

    def secrets(self) -> set[str]:
        """What may stand nowhere."""
        return {self.cloud.simulator.settings.client_secret, *vars(self.cloud.simulator.tokens)["_grants"]}


def _ids(workspace: Workspace, kind: str) -> list[str]:
    match kind:
        case "pool":
            return list(workspace.pools)
        case "warehouse":
            return list(workspace.warehouses)
        case "job":
            return [str(each) for each in workspace.jobs]
    name = {"cluster": "ada", "off": "off"}[kind]
    return [each.cluster_id for each in workspace.clusters.values() if each.spec["cluster_name"] == name]


def function_of(state: str) -> str:
    """The Lambda of a Task, or of the key check; "" for other states."""
    if state in BESIDE:
        return BESIDE[state]
    found = _task(MACHINE["States"], state)
    placeholder = found["Arguments"]["FunctionName"].strip("${}") if found else ""
    return "_".join(re.findall("[A-Z][a-z]*", placeholder)).lower()


def _task(states: Mapping[str, Any], name: str) -> Any:
    for each, state in states.items():
        if each == name:
            return state if state["Type"] == "Task" else None
        if "ItemProcessor" in state and (inside := _task(state["ItemProcessor"]["States"], name)):
            return inside
    return None


@contextmanager
def hearing() -> Iterator[Ears]:
    """What the product logs, and prints as metrics, goes nowhere else."""
    ears, inner, printed = Ears(), logger._logger, io.StringIO()
    before, inner.handlers = inner.handlers, [ears]
    try:
        with redirect_stdout(printed):
            yield ears
    finally:
        inner.handlers = before
        ears.heard.append(printed.getvalue())
