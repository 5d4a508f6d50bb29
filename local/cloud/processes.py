"""Child processes: each leads its own group, so that stopping it stops all that it started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.cloud.model import ROOT, CloudError
from local.loopback import LOOPBACK

STOP_SECONDS = 5.0


def base_environment(home: Path) -> dict[str, str]:
    """What a child needs of this process' environment, and nothing of the user's AWS or proxy settings."""
    return {
        # The virtual environment's node comes first: CDK looks for it on PATH.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "NO_PROXY": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start `command` in the project's folder, in its own process group, writing to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run(command: Sequence[str], environment: Mapping[str, str], log: Path, seconds: float) -> None:
    """Run `command` to its end. Raises CloudError, with the end of its log, when it fails or takes too long."""
    process = start(command, environment, log)
    try:
        code = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise CloudError(f"{command[1]} did not end within {seconds:.0f} s.\n{tail(log)}") from None
    finally:
        stop(process.pid)
    if code != 0:
        raise CloudError(f"{Path(command[1]).name} failed with code {code}.\n{tail(log)}")


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], what: str, log: Path, seconds: float
) -> None:
    """Wait until `ready()`. Raises CloudError when the process ends first or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise CloudError(f"{what} ended with code {process.returncode}.\n{tail(log)}")
        if time.monotonic() > deadline:
            raise CloudError(f"{what} did not answer within {seconds:.0f} s.\n{tail(log)}")
        time.sleep(0.05)


def stop(group: int) -> None:
    """Stop a process group: politely, then for good. Harmless when it is gone."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + STOP_SECONDS
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, sign)
        while time.monotonic() < deadline:
            if not _has_members(group):
                return
            time.sleep(0.05)


def _has_members(group: int) -> bool:
    # A child that ended stays in its group until it is asked for its exit code.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-group, os.WNOHANG)
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def is_running(pid: int, marker: str) -> bool:
    """Whether `pid` is a process whose command line has `marker` in it: a pid alone may have been given away anew."""
    command_line = Path(f"/proc/{pid}/cmdline")
    if command_line.parent.parent.joinpath("self").exists():
        with contextlib.suppress(OSError):
            return marker.encode() in command_line.read_bytes()
        return False
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return marker.encode() in shown.stdout


def tail(log: Path, lines: int = 30) -> str:
    """The last lines of a log, for an error message."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join([*text.splitlines()[-lines:], f"(the whole log: {log})"])
