"""The operator's command line as a process of its own, on the real stack: start, watch, let go, approve, cancel."""

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from local.cloud.model import ROOT
from tests.e2e.driver import PATIENCE_SECONDS, Driver, until
from tests.e2e.fleets import workspaces

pytestmark = pytest.mark.e2e


class Terminal:
    """Types `rekey ... --local`, with nothing of this machine's AWS settings."""

    def __init__(self, state_file: Path) -> None:
        self._state_file = state_file

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "cli", *arguments, "--local", "--state-file", str(self._state_file)]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT}/functions", "AWS_PROFILE": "nobody"}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """(exit status, standard output, standard error)."""
        return ended(self.start(*arguments))

    def json(self, *arguments: str, codes: Sequence[int] = (0,)) -> Any:
        code, out, err = self.run(*arguments, "--json")
        assert code in codes, (out, err)
        return json.loads(out)


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.fixture
def rekey(driver: Driver, tmp_path: Path) -> Iterator[Terminal]:
    driver.cloud.save(tmp_path / "local.json")
    # A shell that runs the tests in its background has them ignore Ctrl-C, and what they start would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield Terminal(tmp_path / "local.json")
    signal.signal(signal.SIGINT, before)


def test_add_is_shown_started_and_followed_to_the_end_and_listed(driver: Driver, rekey: Terminal) -> None:
    workspace_id = driver.workspace(clusters=1, pools=0, warehouses=0)
    code, out, err = rekey.run("add", str(workspace_id), "--yes", "--reason", "audit")
    assert code == 0, (out, err)
    plan, found, rest = out.partition("\nRotation ")
    outcome = found + rest
    assert re.search("Settle wait +about 20 min", plan)
    rotation_id = outcome.split()[1]
    assert f"Rotation {rotation_id} succeeded in" in outcome
    assert "Downtime:" in outcome
    assert f"/rotations/{rotation_id}/evidence.json" in outcome
    for told in ("Terminate compute", "waits for Databricks' 20 minutes", "left, at most", "Complete rotation"):
        assert told in err
    request = driver.evidence(rotation_id)["request"]
    assert (request["reason"], request["requested_by"]) == ("audit", f"arn:aws:iam::{driver.cloud.account}:root")
    assert all(driver.fields(workspace_id))
    (row,) = [each for each in rekey.json("status")["rotations"] if each["rotation_id"] == rotation_id]
    assert (row["operation"], row["status"]) == ("add", "succeeded")
    assert row["workspace_id"] == workspace_id


def test_a_rotation_waits_for_somebody_elses_approval(driver: Driver, rekey: Terminal) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=0, pools=0, warehouses=0)
    asked = ("rotate", str(workspace_id), "--approval", "--requested-by", "grace", "--yes", "--detach")
    rotation_id = rekey.json(*asked)["rotation_id"]
    seen = until(
        "the wait for approval",
        lambda: rekey.json("status", rotation_id, "--no-follow", codes=[3]),
        lambda looked: bool(looked["step"] == "Wait for approval" and looked["waiting_for"]),
    )
    assert "approver" in seen["waiting_for"][0]
    until("the token that the answer goes to", lambda: driver.ledger(f"ROTATION#{rotation_id}", "APPROVAL"), bool)
    code, out, err = rekey.run("approve", rotation_id, "--yes")
    assert (code, "requested by: grace" in out, f"{rotation_id} is approved" in out) == (0, True, True), (out, err)
    code, out, err = rekey.run("status", rotation_id)
    assert (code, "disabled at the earliest" in out) == (0, True), (out, err)


def test_ctrl_c_lets_go_and_a_cancel_in_the_blackout_brings_all_back(driver: Driver, rekey: Terminal) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=2, pools=0, warehouses=1)
    before, fields = driver.compute(workspace_id), driver.fields(workspace_id)
    driver.refuse_the_switch(workspace_id)
    watching = rekey.start("rotate", str(workspace_id), "--yes", "--json")
    assert watching.stderr
    for line in watching.stderr:
        if "waits for EC2 instances to end" in line:
            break
    watching.send_signal(signal.SIGINT)
    code, out, err = ended(watching)
    rotation_id = json.loads(out)["rotation_id"]
    assert (code, f"rekey cancel {rotation_id} --local" in err) == (130, True), err
    assert rekey.json("status", rotation_id, "--no-follow", codes=[3])["status"] == "running"
    code, out, err = rekey.run("cancel", rotation_id, "--reason", "storm", "--yes")
    # While Databricks reads a PATCH, nobody can know which it will be.
    assert (code, "is being put back" in out or "refused, all is put back" in out) == (0, True), (out, err)
    assert "cancelled the rotation (storm)" in out
    assert "All compute is back" in out
    assert driver.fields(workspace_id) == fields
    assert driver.compute(workspace_id) == before
    assert rekey.json("cancel", rotation_id, "--yes")["outcome"] == "ended"


def test_a_fleet_is_followed_let_go_of_answered_and_followed_to_its_end(driver: Driver, rekey: Terminal) -> None:
    name = f"fleet-{uuid.uuid4().hex[:8]}"
    going = workspaces(driver, name, 2)
    wished = ("--named", f"{name}-*", "--waves", "1,5", "--ask", "canary", "--requested-by", "grace")
    watching = rekey.start("fleet", "rotate", name, *wished, "--yes")
    assert watching.stderr
    told = []
    for line in watching.stderr:
        told.append(line)
        if f"To answer: rekey fleet approve {name}" in line:
            break
    assert any("Wave 1 of 2 goes on." in line for line in told), told
    assert any("for wave 2 of 2" in line for line in told), told
    watching.send_signal(signal.SIGINT)
    code, out, err = ended(watching)
    assert (code, f"rekey fleet cancel {name} --local" in err) == (130, True), err
    assert f"Fleet {name}: 2 rotations in 2 waves" in out
    code, out, err = rekey.run("fleet", "approve", name, "--yes")
    assert (code, "begins." in out) == (0, True), (out, err)
    code, out, err = rekey.run("fleet", "status", name, "--follow")
    assert (code, out.startswith(f"Fleet {name}: succeeded")) == (0, True), (out, err)
    assert all(driver.unreadable(each) == [] for each in going)
