"""Import time and resident memory of each Lambda, beside the official SDK, in one run on one machine."""

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
SDK = "databricks.sdk"

_PROBE = """
import json, resource, sys, time
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
if sys.argv[1]:
    __import__(sys.argv[1])
took = time.perf_counter() - start
print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))
"""

ENVIRONMENT = {
    "POWERTOOLS_TRACE_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
    "PYTHONPATH": str(ROOT / "functions"),
}


@dataclass(frozen=True)
class Import:
    """Medians of ROUNDS fresh interpreters, bytecode cached as in a Lambda that has run before."""

    module: str
    seconds: float
    megabytes: float
    """Growth of the resident set by the import."""
    times_the_sdk: float
    """Import time as a ratio of the SDK's in the same run."""


def modules() -> list[str]:
    return sorted(path.stem for path in (ROOT / "functions").glob("*.py"))


def measure() -> list[Import]:
    """Every Lambda and the SDK. The rounds are interleaved, so that a slow moment of the machine hits all alike."""
    names = [SDK, *modules()]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for name in names:
        _probe(name)  # writes the bytecode and fills the page cache
    for _ in range(ROUNDS):
        for name in names:
            taken[name].append(_probe(name))
    seconds = {name: statistics.median(each[0] for each in rounds) for name, rounds in taken.items()}
    memory = {name: statistics.median(each[1] for each in rounds) for name, rounds in taken.items()}
    return [
        Import(name, round(seconds[name], 3), round(memory[name], 1), round(seconds[name] / seconds[SDK], 2))
        for name in names
    ]


def _probe(module: str) -> tuple[float, float]:
    finished = subprocess.run(
        [sys.executable, "-c", _PROBE, module],
        env={"PATH": os.environ["PATH"], **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    took, kilobytes = json.loads(finished.stdout.splitlines()[-1])
    return took, kilobytes / 1024


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in measure()], indent=2))
