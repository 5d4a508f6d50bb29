"""`make bench`: take every measurement and write benchmarks/results/latest.json and latest.md."""

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import imports, notebook, prices, rotations, start_up

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    taken = {
        "taken": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "scales": asdict(rotations.SCALES),
        "imports": [asdict(each) for each in imports.measure()],
        "start_up": [asdict(each) for each in start_up.measure()],
        "notebooks": [asdict(each) for each in notebook.measure()],
        "rotations": [asdict(each) for each in rotations.measure()],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(taken, indent=2) + "\n", encoding="utf-8")
    text = page(taken)
    (RESULTS / "latest.md").write_text(text, encoding="utf-8")
    print(text)


def page(taken: dict[str, Any]) -> str:
    """The results as Markdown."""
    speed = f"{1 / taken['scales']['minute']:g}"
    return f"""# Results of `make bench`

Taken {taken["taken"]} on {taken["machine"]}. Times on another machine differ; the ratios are what to compare.

## Import of each Lambda

Median of {imports.ROUNDS} fresh interpreters each, beside the official SDK in the same run.

{table(taken["imports"])}

## The command line

Median of {start_up.ROUNDS} fresh interpreters each: help and completion import no command.

{table(taken["start_up"])}

## A notebook that is renewed

Of {notebook.LARGEST // 2**20} MB, the largest that Databricks exports: the whole process at its highest, and
seconds a notebook.

{table(taken["notebooks"])}

## A rotation

On the local cloud, minutes told at {speed} times their speed. Downtime is in told seconds, from the first terminate
until all compute runs again; the lower bound is what Databricks' own latencies add up to. What the Lambdas take is
real time and so counts {speed}-fold in the downtime here: on AWS the ratio is nearer to 1, and a loop makes a few
more polls.

{table(taken["rotations"])}

Dollars are list prices in us-east-1 for states and Lambdas ({rotations.MEMORY_MB} MB, arm64). The key itself costs
${prices.KEY_MONTH:.2f} a month, also while it is disabled: retained keys are the bill.
"""


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as a Markdown table."""
    names = list(rows[0])
    lines = [names, ["---"] * len(names), *([str(row[name]) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
