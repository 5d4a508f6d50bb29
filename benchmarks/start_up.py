"""How long `rekey --help` takes beside the import of every command, in one run: help needs none of them."""

import statistics
from dataclasses import dataclass

from benchmarks import fresh

ROUNDS = 5

_HELP = """
import json, sys, time, io, contextlib
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    from cli.main import app
    app(["--help"], prog_name="rekey")
print(json.dumps(time.perf_counter() - start))
"""

_ALL = """
import json, time
start = time.perf_counter()
from cli.main import COMMANDS
for name, command in COMMANDS.items():
    command.load(name)
print(json.dumps(time.perf_counter() - start))
"""


@dataclass(frozen=True)
class StartUp:
    """Medians of ROUNDS fresh interpreters."""

    what: str
    seconds: float
    share: float
    """Of the time that every command's import takes in the same run."""


def measure() -> list[StartUp]:
    """The rounds are interleaved, so that a slow moment of the machine hits both."""
    probes = {"rekey --help": _HELP, "every command imported": _ALL}
    taken: dict[str, list[float]] = {what: [] for what in probes}
    for _ in range(ROUNDS + 1):
        for what, probe in probes.items():
            taken[what].append(fresh.run(probe, "", timeout=60))
    # The first round writes the bytecode.
    seconds = {what: statistics.median(rounds[1:]) for what, rounds in taken.items()}
    whole = seconds["every command imported"]
    return [StartUp(what, round(took, 3), round(took / whole, 2)) for what, took in seconds.items()]


if __name__ == "__main__":
    for each in measure():
        print(each)
