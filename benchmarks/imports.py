"""Import time and resident memory of each Lambda, beside the official SDK, in one run on one machine."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks import fresh

ROUNDS = 5
SDK = "databricks.sdk"

_PROBE = """
import json, sys, time
before = peak_megabytes()
start = time.perf_counter()
for name in sys.argv[1:]:
    __import__(name)
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
    """Every Lambda and the SDK."""
    taken = medians({name: [name] for name in (SDK, *modules())})
    (of_sdk, _) = taken[SDK]
    return [
        Import(name, round(seconds, 3), round(megabytes, 1), round(seconds / of_sdk, 2))
        for name, (seconds, megabytes) in taken.items()
    ]


def medians(imported: Mapping[str, Sequence[str]]) -> dict[str, tuple[float, float]]:
    """(seconds, megabytes) that each list of modules takes, by its name.

    The rounds are interleaved, so that a slow moment of the machine hits all alike.
    """
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in imported}
    for each in imported.values():
        _probe(each)  # writes the bytecode and fills the page cache
    for _ in range(ROUNDS):
        for name, each in imported.items():
            taken[name].append(_probe(each))
    return {
        name: (statistics.median(seconds), statistics.median(megabytes))
        for name, rounds in taken.items()
        for seconds, megabytes in [zip(*rounds, strict=True)]
    }


def _probe(modules: Sequence[str]) -> tuple[float, float]:
    took, megabytes = fresh.run(_PROBE, *modules, timeout=60)
    return took, megabytes


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in measure()], indent=2))
