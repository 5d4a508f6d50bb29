"""Import time and resident memory of each Lambda, beside the official SDK, in one run on one machine."""

import json
import statistics
from dataclasses import asdict, dataclass

from benchmarks import fresh

ROUNDS = 5
SDK = "databricks.sdk"

_PROBE = """
import json, sys, time
before = peak_megabytes()
start = time.perf_counter()
if sys.argv[1]:
    __import__(sys.argv[1])
took = time.perf_counter() - start
print(json.dumps([took, peak_megabytes() - before]))
"""


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
    found = (fresh.ROOT / "functions").glob("*/*.py")
    return sorted(f"{path.parent.name}.{path.stem}" for path in found if path.parent.name != "rekey")


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
    took, megabytes = fresh.run(_PROBE, module, timeout=60)
    return took, megabytes


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in measure()], indent=2))
