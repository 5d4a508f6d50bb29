"""`make bench-compute`: every way, size and rate limit, the targets, and the chart.

python -m benchmarks.compute              10 to 1,000 objects, and rekey alone with 10,000
python -m benchmarks.compute --all        also what the scripts make of 10,000: more than an hour
python -m benchmarks.compute --targets    fails where a target is missed
python -m benchmarks.compute --more       keeps what was measured before: with a virtual clock rows of two runs compare
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.compute.chart import draw
from benchmarks.compute.rekey import CALL_SECONDS
from benchmarks.compute.runs import THREADS, WAYS, Measured, measure
from benchmarks.compute.scale import Scaled, at_scale_one
from benchmarks.compute.workspaces import CONNECTIONS, REQUEST_SECONDS

ROOT = Path(__file__).resolve().parents[2]
RESULTS, CHART = ROOT / "benchmarks" / "results", ROOT / "docs" / "images" / "downtime.svg"
PARTIAL = ROOT / "build" / "bench-compute.json"

SIZES, LARGEST = (10, 100, 1_000), 10_000
LIMITS: tuple[float | None, ...] = (None, 30.0, 10.0, 5.0)

TIMES_THE_BOUND = {100: 1.03, 1_000: 1.05, 10_000: 1.10}
REQUESTS_AN_OBJECT, AND_SO_MANY = 2.0, 600
"""A phase; the rest are looks, whose number does not depend on the workspace's size."""

MOST_GROWTH = 0.05
"""Of states and events a second of the bound, and of the payload, as the exponent of n."""

WAYS_IN_ORDER = {way: number for number, way in enumerate(WAYS)}


def main(arguments: Sequence[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.compute")
    asked.add_argument("--all", action="store_true")
    asked.add_argument("--targets", action="store_true")
    asked.add_argument("--more", action="store_true")
    asked.add_argument("--sizes", type=int, nargs="*", default=[*SIZES, LARGEST])
    asked.add_argument("--limits", type=float, nargs="*", default=[limit or 0.0 for limit in LIMITS])
    chosen = asked.parse_args(arguments)
    rows: list[Measured] = measured_before() if chosen.more else []
    known = {_which(each) for each in rows}
    for objects in chosen.sizes:
        for limit in chosen.limits:
            for way in WAYS:
                wanted = way == "rekey" or objects < LARGEST or chosen.all
                if wanted and (objects, limit or None, way) not in known:
                    rows.append(measure(way, objects, limit or None))
                    sys.stdout.write(f"{_line(rows[-1])}\n")
                    sys.stdout.flush()
                    keep(rows)
    rows.sort(key=lambda each: (each.objects, -(each.accepted_a_second or math.inf), WAYS_IN_ORDER[each.way]))
    scaled, missed = at_scale_one(), list(misses(rows))
    write(rows, scaled, missed)
    sys.stdout.write("".join(f"missed: {each}\n" for each in missed) or "All targets hold.\n")
    return 1 if missed and chosen.targets else 0


def misses(rows: Sequence[Measured]) -> Iterator[str]:
    """Every target that does not hold."""
    ours = [each for each in rows if each.way == "rekey"]
    for each in ours:
        name = f"{each.objects} objects at {_limit(each)}"
        if each.times_the_bound > TIMES_THE_BOUND.get(each.objects, math.inf):
            yield f"{name}: {each.times_the_bound} times the bound, over {TIMES_THE_BOUND[each.objects]}"
        for phase in (each.stop_requests, each.start_requests):
            if phase * each.objects > REQUESTS_AN_OBJECT * each.objects + AND_SO_MANY:
                yield f"{name}: {phase} requests an object"
        if each.longest_call_part > 0.5:
            yield f"{name}: a call took {each.longest_call_part} of its Lambda's time"
        for other in rows:
            same = (other.objects, other.accepted_a_second) == (each.objects, each.accepted_a_second)
            if same and other.way.startswith(f"script, {THREADS}") and other.downtime_seconds < each.downtime_seconds:
                yield f"{name}: {each.downtime_seconds} s, and {other.way}: {other.downtime_seconds} s"
    for name in ("states", "events"):
        grown = growth(ours, name, a_second=True)
        if grown > MOST_GROWTH:
            yield f"{name} a second of the bound grow with the workspace: n^{grown:.2f}"
    if (grown := growth(ours, "payload_bytes")) > MOST_GROWTH:
        yield f"payload bytes grow with the workspace: n^{grown:.2f}"


def growth(rows: Sequence[Measured], name: str, *, a_second: bool = False) -> float:
    """The slope of a figure over n, both as logarithms: 0 does not grow, 1 grows with n. Of those without a limit.

    With `a_second` of the figure for each second of the bound: a larger workspace has slower objects among its own, is
    waited for longer, and is looked at more often for that alone.
    """
    points = [
        (math.log(each.objects), math.log((getattr(each, name) or 1) / (each.bound_seconds if a_second else 1)))
        for each in rows
        if each.accepted_a_second is None
    ]
    mean_x, mean_y = (sum(each) / len(points) for each in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def _which(row: Measured) -> tuple[int, float | None, str]:
    return row.objects, row.accepted_a_second, row.way


def measured_before() -> list[Measured]:
    """The rows of the last run, and of one that was ended before its end."""
    for file in (PARTIAL, RESULTS / "compute.json"):
        if file.exists():
            return [Measured(**each) for each in json.loads(file.read_text(encoding="utf-8"))["rows"]]
    return []


def keep(rows: Sequence[Measured]) -> None:
    """For --more, whatever becomes of this run."""
    PARTIAL.parent.mkdir(exist_ok=True)
    PARTIAL.write_text(json.dumps({"rows": [asdict(each) for each in rows]}), encoding="utf-8")


def write(rows: Sequence[Measured], scaled: Scaled, missed: Sequence[str]) -> None:
    RESULTS.mkdir(exist_ok=True)
    taken = {"rows": [asdict(each) for each in rows], "scale": asdict(scaled), "missed": list(missed)}
    (RESULTS / "compute.json").write_text(json.dumps(taken, indent=2) + "\n", encoding="utf-8")
    (RESULTS / "compute.md").write_text(page(rows, scaled, missed), encoding="utf-8")
    CHART.write_text(draw(rows), encoding="utf-8")
    PARTIAL.unlink(missing_ok=True)


def page(rows: Sequence[Measured], scaled: Scaled, missed: Sequence[str]) -> str:
    ours = [each for each in rows if each.way == "rekey"]
    slopes = ", ".join(f"{name.replace('_', ' ')} n^{growth(ours, name):.2f}" for name in _GROWING)
    paced = ", ".join(f"{name} n^{growth(ours, name, a_second=True):.2f}" for name in ("states", "events"))
    hold = "All targets hold." if not missed else "\n".join(f"- missed: {each}" for each in missed)
    return f"""# Results of `make bench-compute`

A MANAGED_SERVICES key is changed on a customer-managed network, in a workspace of n objects: about two in five are
clusters (one in ten of them in a pool), a quarter warehouses, a quarter jobs with a schedule, the rest continuous
pipelines and a few pools. All of them run. Each way meets the same seeded simulator, with {REQUEST_SECONDS:g} s from a
request to its answer, on a virtual clock.

**The bound** is what no order of requests can beat: the fixed waits (compute to stop, its instances to end, the key
field to show, compute to start), one request for each object and direction as fast as Databricks accepts them (n/R;
without a limit as fast as {CONNECTIONS} connections can), what takes longest first, and the requests that must follow
one another. R is one bucket for all that is asked of the workspace, and holds what a second gives. Downtime is from the
first stop until it is known that everything runs again. A call of a Lambda costs {CALL_SECONDS:g} s beside its
requests. What a request costs in processor time is not in it.

{_table([_shown(each) for each in rows])}

Requests are accepted ones, an object, while compute stops and while it starts. A phase has some hundreds of looks
whatever the size.

## What rekey's own side costs

{_table([_costs(each) for each in ours])}

Growth with the number of objects: {slopes}. For each second of the bound, which has slower objects in it the more
there are: {paced}.

## The scale's own error

{scaled.objects} objects in real time, with latencies of a few seconds and the simulator as a server:
{scaled.real_seconds:g} s of downtime, and {scaled.virtual_seconds:g} s for the same on the virtual clock
({scaled.error:+.1%}).

## Targets

Downtime at most 1.03 times the bound with 100 objects, 1.05 with 1,000, 1.10 with 10,000; ahead of the script with
{THREADS} threads everywhere; at most {REQUESTS_AN_OBJECT:g} requests an object and phase and {AND_SO_MANY} more; no
call over half of its Lambda's time; states and events a second of the bound and payload that do not grow.

{hold}
"""


_GROWING = ("states", "events", "payload_bytes", "calls", "lambda_seconds", "dollars")


def _limit(row: Measured) -> str:
    return f"{row.accepted_a_second:g}/s" if row.accepted_a_second else "no limit"


def _line(row: Measured) -> str:
    return f"{row.objects:6} {_limit(row):9} {row.way:24} {row.downtime_seconds:9.1f} s {row.times_the_bound:7.3f}"


def _shown(row: Measured) -> dict[str, object]:
    return {
        "objects": f"{row.objects:,}",
        "accepted": _limit(row),
        "way": row.way,
        "bound s": f"{row.bound_seconds:,.0f}",
        "downtime s": f"{row.downtime_seconds:,.0f}",
        "times the bound": f"{row.times_the_bound:.3f}",
        "requests stop / start": f"{row.stop_requests:g} / {row.start_requests:g}",
        "turned away": row.turned_away,
        "left undone": row.left_undone,
    }


def _costs(row: Measured) -> dict[str, object]:
    return {
        "objects": f"{row.objects:,}",
        "accepted": _limit(row),
        "calls": row.calls,
        "states": row.states,
        "events": row.events,
        "payload bytes": row.payload_bytes,
        "longest call": f"{row.longest_call_part:.0%}",
        "Lambda s": f"{row.lambda_seconds:,.0f}",
        "dollars": f"{row.dollars:.3f}",
    }


def _table(rows: Sequence[dict[str, object]]) -> str:
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([str(each) for each in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
