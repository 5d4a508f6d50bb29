"""up, down, and both around a block: the local cloud's life."""

import contextlib
import secrets
import shutil
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType

from local.cloud.deploy import Urls, deploy, fill_secret, join_tickets, synthesize, trust_role
from local.cloud.model import DEFAULT_STATE_FILE, ROOT, CloudError, LocalCloud, Scales, aws_environment
from local.cloud.processes import base_environment, is_running, stop
from local.cloud.servers import (
    EMULATOR_MARKER,
    SIMULATOR_MARKER,
    TICKETS_MARKER,
    Credential,
    Server,
    start_emulator,
    start_simulator,
    start_tickets,
)
from local.tickets.credentials import new_secret

REGION = "us-east-1"
ACCOUNT = "111122223333"
LOGS = ("emulator.log", "simulator.log", "tickets.log", "deploy.log")

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    pass


def up(
    scales: Scales | None = None,
    state_file: Path = DEFAULT_STATE_FILE,
    progress: Progress = _silent,
    *,
    secretless: bool = True,
    settings: Mapping[str, object] | None = None,
) -> LocalCloud:
    """Start a local cloud and deploy the stack to it; it runs on until `down`, also when this process ends.

    Databricks trusts the stack's role; not `secretless`, it is given a client secret instead.
    `settings` are rekey's, beside what every local cloud has.

    Files and logs go to the folder beside the state file that has its name. Raises CloudError, with nothing left
    running, when something fails or a cloud of this state file still runs.
    """
    _refuse_without_a_stack()
    _refuse_a_second(state_file)
    folder = _fresh_folder(state_file)
    with contextlib.ExitStack() as on_failure:
        running = _Starting(scales or Scales(), folder, progress, on_failure, secretless, settings or {}).run()
        running.save(state_file)
        on_failure.pop_all()
    return running


def down(state_file: Path = DEFAULT_STATE_FILE) -> None:
    """Stop the cloud of this state file and all that it started. The logs stay. Harmless when there is none."""
    with contextlib.suppress(CloudError):
        running = LocalCloud.load(state_file)
        for pid, marker in (
            (running.tickets_pid, TICKETS_MARKER),
            (running.simulator_pid, SIMULATOR_MARKER),
            (running.emulator_pid, EMULATOR_MARKER),
        ):
            if is_running(pid, marker):
                stop(pid)
    state_file.unlink(missing_ok=True)
    _remove_all_but_logs(_folder(state_file))


@contextlib.contextmanager
def cloud(
    scales: Scales | None = None,
    state_file: Path = DEFAULT_STATE_FILE,
    progress: Progress = _silent,
    settings: Mapping[str, object] | None = None,
) -> Iterator[LocalCloud]:
    """A local cloud for the time of a `with` block; gone after it, also on errors, Ctrl-C and SIGTERM."""
    with _terminate_like_ctrl_c():
        running = up(scales, state_file, progress, settings=settings)
        try:
            yield running
        finally:
            down(state_file)


class _Starting:
    """One start: its folder, its children and the clock that progress lines are stamped with."""

    def __init__(
        self,
        scales: Scales,
        folder: Path,
        progress: Progress,
        on_failure: contextlib.ExitStack,
        secretless: bool,
        settings: Mapping[str, object],
    ) -> None:
        self._scales = scales
        self._folder = folder
        self._progress = progress
        self._on_failure = on_failure
        self._secretless = secretless
        self._settings = settings
        self._began = time.monotonic()
        self._base = base_environment(folder)
        self._credential = Credential(
            account_id=str(uuid.uuid4()), client_id=str(uuid.uuid4()), client_secret=secrets.token_urlsafe(24)
        )

    def run(self) -> LocalCloud:
        self._say(f"time: minutes x {self._scales.minute:g}, day x {self._scales.day:g}")
        emulator = self._keep(start_emulator(self._base, self._folder, REGION, ACCOUNT, self._scales))
        aws = aws_environment(emulator.url, REGION, ACCOUNT)
        simulator = self._keep(start_simulator(self._base, self._folder, aws, self._credential, self._scales))
        secret = new_secret()
        tickets = self._keep(start_tickets(self._base, self._folder, secret))
        # Synthesis needs no server, only their addresses: it runs while they start.
        urls = Urls(simulator=simulator.url, tickets=tickets.url)
        own = {f"rekey:{name}": value for name, value in self._settings.items()}
        assembly = synthesize(self._base, self._folder, urls, self._credential, self._scales, self._secretless, own)
        self._say("synthesized the stack")
        for server in (emulator, simulator, tickets):
            server.wait()
            self._say(f"{server.name} answers on {server.url}")
        outputs = deploy(self._base, self._folder, aws, assembly)
        if self._secretless:
            trust_role(aws, simulator.url, outputs["DatabricksRoleArn"], self._credential)
        else:
            fill_secret(aws, outputs["DatabricksSecretArn"], self._credential)
        join_tickets(aws, outputs, tickets.url, secret)
        self._say("deployed")
        return LocalCloud(
            endpoint=emulator.url,
            region=REGION,
            account=ACCOUNT,
            simulator_url=simulator.url,
            tickets_url=tickets.url,
            databricks_account_id=self._credential.account_id,
            state_machine_arn=outputs["StateMachineArn"],
            ledger_table=outputs["LedgerTableName"],
            evidence_bucket=outputs["EvidenceBucketName"],
            databricks_secret_arn=outputs.get("DatabricksSecretArn"),
            scales=self._scales,
            emulator_pid=emulator.process.pid,
            simulator_pid=simulator.process.pid,
            tickets_pid=tickets.process.pid,
            emulator_log=str(emulator.log),
            simulator_log=str(simulator.log),
            tickets_log=str(tickets.log),
            deploy_log=str(self._folder / "deploy.log"),
        )

    def _keep(self, server: Server) -> Server:
        self._on_failure.callback(stop, server.process.pid)
        return server

    def _say(self, message: str) -> None:
        self._progress(f"{time.monotonic() - self._began:5.1f} s  {message}")


def _folder(state_file: Path) -> Path:
    return state_file.resolve().with_suffix("")


def _fresh_folder(state_file: Path) -> Path:
    folder = _folder(state_file)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _remove_all_but_logs(folder: Path) -> None:
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name not in LOGS:
            entry.unlink(missing_ok=True)


def _refuse_without_a_stack() -> None:
    if not (ROOT / "app.py").is_file():
        raise CloudError(
            "this rekey was installed without the stack that the local cloud deploys: clone the repository, "
            "run `make setup` there and then .venv/bin/rekey"
        )


def _refuse_a_second(state_file: Path) -> None:
    if not state_file.exists():
        return
    running = LocalCloud.load(state_file)
    if is_running(running.emulator_pid, EMULATOR_MARKER):
        raise CloudError(f"a local cloud runs already, on {running.endpoint} ({state_file}): stop it first")


@contextlib.contextmanager
def _terminate_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM unwind the stack, as Ctrl-C does; without it children would outlive this process."""

    def leave(number: int, _: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
