"""A piece of code in a fresh interpreter, as a Lambda's: what it prints last, as JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

ENVIRONMENT = {
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONPATH": str(ROOT / "functions"),
}

_PEAK = """
import resource
from pathlib import Path

def peak_megabytes():
    "The resident set at its highest. Linux' ru_maxrss is no less than that of the process which started this one."
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return next(int(line.split()[1]) / 2**10 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
"""


def run(probe: str, *arguments: str, timeout: float) -> Any:
    """Run a probe, which has `peak_megabytes()` and its arguments in sys.argv. `timeout` is in seconds."""
    finished = subprocess.run(
        [sys.executable, "-c", _PEAK + probe, *arguments],
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=timeout,
    )
    return json.loads(finished.stdout.splitlines()[-1])
