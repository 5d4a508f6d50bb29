"""Runs the real definition on the local emulator's Step Functions, with scripted Lambdas behind it."""

import io
import itertools
import json
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3

from tests.workflow.asl import DEFINITION
from tests.workflow.script import THIS_ROTATION, Script

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "111122223333"
SETTLE_SECONDS = 1200
COUNTED = "counted"
"""Only for tests, beside what a step is really sent: see _counting."""

STEPS = {
    "PlanRotation": "plan_rotation",
    "CreateKey": "create_key",
    "SetPolicy": "set_policy",
    "RegisterConfig": "register_config",
    "CreateWorkspace": "create_workspace",
    "PauseTriggers": "pause_triggers",
    "TerminateCompute": "terminate_compute",
    "PatchWorkspace": "patch_workspace",
    "Verify": "verify",
    "RestartCompute": "restart_compute",
    "RotateMaterial": "rotate_material",
    "RevokeAccess": "revoke_access",
    "RestoreAccess": "restore_access",
    "ListNotebooks": "list_notebooks",
    "RenewNotebooks": "renew_notebooks",
    "CompleteRotation": "complete_rotation",
    "RollBack": "roll_back",
    "RecordFailure": "record_failure",
    "AskApproval": "ask_approval",
    "RecordRefusal": "record_refusal",
}


@dataclass(frozen=True)
class Run:
    """How an execution went: its end, the states it entered in order, and the errors its tasks ended with."""

    status: str
    error: str | None
    cause: str | None
    output: Any
    states: list[str]
    task_errors: list[str]
    folder: Path

    def calls(self, step: str) -> list[dict[str, Any]]:
        """What the step's Lambda was sent, call by call."""
        log = self.folder / f"{step}.calls"
        told = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [{name: value for name, value in call.items() if name != COUNTED} for call in told]

    def polled(self, step: str, *waits: int) -> bool:
        """Whether the step's first calls came after these waits, in seconds.

        What the state machine counts has the steps' own seconds in it: on a slow machine some more, never fewer.
        """
        log = self.folder / f"{step}.calls"
        told = [0, *(json.loads(line)[COUNTED] for line in log.read_text().splitlines())]
        own = [after - before - wait for (before, after), wait in zip(pairwise(told), waits, strict=False)]
        assert len(own) == len(waits), told
        assert all(0 <= each <= 5 for each in own), told
        return True


class Engine:
    """A started emulator with a stub for each step. Durations of waits are whatever the emulator was started with."""

    def __init__(self, url: str, folder: Path) -> None:
        session = boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)
        self._functions = session.client("lambda", endpoint_url=url)
        self._states = session.client("stepfunctions", endpoint_url=url)
        self._iam = session.client("iam", endpoint_url=url)
        self._folder = folder
        self._names = (f"rotation-{number}" for number in itertools.count(1))
        self._role = self._make_role()
        self._code = _zipped_stub()
        self.stubs = {placeholder: self.deploy_stub(step) for placeholder, step in STEPS.items()}

    def _make_role(self) -> str:
        trusted = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
        statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        role = self._iam.create_role(RoleName="test", AssumeRolePolicyDocument=json.dumps(policy))
        return role["Role"]["Arn"]

    def deploy_stub(self, step: str, *, suffix: str = "", timeout: int = 60) -> str:
        """A Lambda that answers for the step; its ARN."""
        variables = {
            "STEP": step,
            "SCRIPTS": str(self._folder),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT / "functions"),
        }
        function = self._functions.create_function(
            FunctionName=f"{step}{suffix}",
            Runtime="provided.al2023",
            Handler="stub.handler",
            Role=self._role,
            Code={"ZipFile": self._code},
            Timeout=timeout,
            Environment={"Variables": variables},
        )
        return function["FunctionArn"]

    def deploy_machine(
        self, name: str, *, stubs: Mapping[str, str] | None = None, text: str = DEFINITION.read_text(encoding="utf-8")
    ) -> str:
        """A definition, the real one unless another is given, as a state machine; its ARN."""
        filled = {"Partition": "aws", "SettleSeconds": str(SETTLE_SECONDS), **self.stubs, **(stubs or {})}
        text = _counting(text)
        for placeholder, value in filled.items():
            text = text.replace(f"${{{placeholder}}}", value)
        machine = self._states.create_state_machine(name=name, definition=text, roleArn=self._role)
        return machine["stateMachineArn"]

    def start(self, machine: str, script: Script, request: Mapping[str, Any] | None = None) -> str:
        """Start an execution; its ARN."""
        name = next(self._names)
        folder = self._folder / name
        folder.mkdir()
        (folder / "script.json").write_text(json.dumps(script).replace(THIS_ROTATION, name))
        request = {"workspace_id": 1234567890123456} if request is None else request
        started = self._states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
        return started["executionArn"]

    def stop(self, execution: str) -> None:
        """Abort it, as a person in the console does."""
        self._states.stop_execution(executionArn=execution, cause="a mistake")

    def redrive(self, execution: str) -> None:
        """Let it go on where it ended. botocore's errors pass through."""
        self._states.redrive_execution(executionArn=execution)

    def asked(self, execution: str, *, times: int = 1, seconds: float = 60) -> str:
        """Wait until the execution has asked for an approval so often; the token of the last time."""
        calls = self._folder / execution.rpartition(":")[2] / "ask_approval.calls"
        deadline = time.monotonic() + seconds
        while not calls.exists() or len(lines := calls.read_text().splitlines()) < times:
            assert time.monotonic() < deadline, "the execution did not ask for an approval"
            time.sleep(0.05)
        return str(json.loads(lines[-1])["task_token"])

    def answer(self, execution: str, *, approve: bool, times: int = 1) -> None:
        """Answer as an approver, once the execution has asked so often."""
        token = self.asked(execution, times=times)
        if approve:
            self._states.send_task_success(taskToken=token, output="{}")
        else:
            self._states.send_task_failure(
                taskToken=token, error="ApprovalDeclined", cause="ada declined the rotation."
            )

    def finish(self, execution: str, seconds: float = 120) -> Run:
        """Wait for the execution's end."""
        deadline, pause = time.monotonic() + seconds, 0.02
        while (end := self._states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline, f"still running after {seconds} s: {self._history(execution)[-3:]}"
            time.sleep(pause)
            pause = min(0.3, pause * 1.1)
        history = self._history(execution)
        return Run(
            status=end["status"],
            error=end.get("error"),
            cause=end.get("cause"),
            output=json.loads(end["output"]) if end["status"] == "SUCCEEDED" else None,
            states=[
                event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event
            ],
            task_errors=[
                event["taskFailedEventDetails"]["error"] for event in history if event["type"] == "TaskFailed"
            ],
            folder=self._folder / end["name"],
        )

    def _history(self, execution: str) -> list[dict[str, Any]]:
        pages = self._states.get_paginator("get_execution_history").paginate(
            executionArn=execution, PaginationConfig={"PageSize": 1000}
        )
        return [dict(event) for page in pages for event in page["events"]]


def _counting(text: str) -> str:
    """The definition in which each poll tells its stub what its loop has waited so far."""
    definition = json.loads(text)
    for state in definition["States"].values():
        for counter in state.get("Assign", {}) if state["Type"] == "Task" else ():
            if counter.endswith("_waited") and "{%" in str(state["Assign"][counter]):
                state["Arguments"]["Payload"][COUNTED] = f"{{% ${counter} %}}"
    return json.dumps(definition, ensure_ascii=False)


def _zipped_stub() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as code:
        code.write(ROOT / "tests" / "workflow" / "stub.py", "stub.py")
        code.write(ROOT / "local" / "runtime" / "bootstrap", "bootstrap")
    return buffer.getvalue()
