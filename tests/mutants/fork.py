"""pytest in a child of this process, which has what is dear to import already: half of a short run is that."""

import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

PRELOADED = (
    *("aws_lambda_powertools", "aws_lambda_powertools.utilities.parser.models", "boto3", "fastapi", "hypothesis"),
    *("jsonschema", "moto", "moto.dynamodb", "moto.kms", "moto.s3", "pydantic", "pytest", "requests"),
    *("responses", "uvicorn", "xdist.scheduler"),
)
OURS = frozenset({"benchmarks", "cli", "demo", "infra", "local", "rekey", "tests"})
POLL = 0.05


def preload() -> None:
    """Nothing of the project's own: each child reads it anew, from its copy."""
    for name in PRELOADED:
        importlib.import_module(name)


def pytest(tree: Path, arguments: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """(exit status, or None after so many seconds; what was written)."""
    with tempfile.TemporaryFile() as out:
        child = os.fork()
        if child == 0:
            _be(tree, arguments, out.fileno())
        status = _wait(child, seconds)
        out.seek(0)
        return status, out.read().decode("utf-8", "replace")


def _be(tree: Path, arguments: Sequence[str], out: int) -> None:
    """Does not return."""
    status = 70
    try:
        os.setsid()
        os.chdir(tree)
        os.dup2(out, 1)
        os.dup2(out, 2)
        here = str(Path(__file__).resolve().parents[2])
        sys.path[:] = [str(tree), *(each for each in sys.path if each not in ("", here, f"{here}/functions"))]
        for name in [each for each in sys.modules if each.partition(".")[0] in OURS]:
            del sys.modules[name]
        importlib.invalidate_caches()
        status = int(importlib.import_module("pytest").main(list(arguments)))
    except BaseException:  # noqa: BLE001, whatever it is, this child ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _wait(child: int, seconds: float) -> int | None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(POLL)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None
