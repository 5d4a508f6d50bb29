"""`make bench-fleet`: rotate a thousand workspaces on virtual time, and write benchmarks/results/fleet.md."""

import argparse
import json
import logging
import os
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

from benchmarks.fleet import page
from benchmarks.fleet.runs import Measured, measure
from rekey.model.fleet_request import MOST_AT_ONCE

ACCOUNT_A_SECOND = 10.0
"""What the simulated Account API takes. GAP: Databricks names no limit of it."""


def main(arguments: list[str] | None = None) -> int:
    """1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--workspaces", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=MOST_AT_ONCE)
    parser.add_argument("--account-a-second", type=float, default=ACCOUNT_A_SECOND, help="0: no limit")
    parser.add_argument("--page", action="store_true", help="only write the page anew from the last run's figures")
    asked = parser.parse_args(arguments)
    if asked.page:
        taken = Measured(**json.loads(page.FIGURES.read_text(encoding="utf-8")))
    else:
        logging.disable(logging.CRITICAL)
        try:
            # Single metrics are printed, whatever the environment says.
            with Path(os.devnull).open("w", encoding="utf-8") as nothing, redirect_stdout(nothing):
                taken = measure(asked.workspaces, asked.concurrency, asked.account_a_second or None)
        finally:
            logging.disable(logging.NOTSET)
        page.RESULTS.mkdir(exist_ok=True)
        page.FIGURES.write_text(json.dumps(asdict(taken), indent=2) + "\n", encoding="utf-8")
    text = page.written(taken)
    page.PAGE.write_text(text, encoding="utf-8")
    print(text)
    return 1 if list(page.misses(taken)) else 0


if __name__ == "__main__":
    sys.exit(main())
