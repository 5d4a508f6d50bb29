"""`make bench-start`: how long `rekey` takes to start, beside what it took while it imported what only others need."""

import json
from dataclasses import asdict, dataclass

from benchmarks.imports import medians

NOW = "rekey"
BEFORE = "rekey with the simulator and the Lambdas' frame"
"""As it was: the local cloud's package brought FastAPI, the dry run's text the steps, and those Powertools."""

IMPORTED = {NOW: ["cli.main"], BEFORE: ["cli.main", "local.databricks.app", "rekey.runtime"]}


@dataclass(frozen=True)
class Start:
    """Medians of fresh interpreters, bytecode cached."""

    command: str
    seconds: float
    megabytes: float
    times_as_it_was: float
    """As a ratio of what it was, in the same run."""


def measure() -> list[Start]:
    taken = medians(IMPORTED)
    (before, _) = taken[BEFORE]
    return [
        Start(name, round(seconds, 3), round(megabytes, 1), round(seconds / before, 2))
        for name, (seconds, megabytes) in taken.items()
    ]


if __name__ == "__main__":
    print(json.dumps([asdict(each) for each in measure()], indent=2))
