"""benchmarks/results/fleet.md, from the figures of a run."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.fleet.estate import KINDS
from benchmarks.fleet.overlap import INVOKE_SECONDS, KEPT_SECONDS, LOOK_SECONDS, START_SECONDS
from benchmarks.fleet.runs import Measured
from tests.matrix.boundary import AWS_SECONDS, DATABRICKS_SECONDS

RESULTS = Path(__file__).parents[1] / "results"
FIGURES, PAGE = RESULTS / "fleet.json", RESULTS / "fleet.md"

MOST_TIMES_THE_BOUND = 1.2
MOST_TURNED_AWAY_PERCENT = 1.0
"""Of the requests to the Account API, by the simulated account: what it turns away is asked for again."""


def misses(taken: Measured) -> Iterator[str]:
    if taken.times_the_bound > MOST_TIMES_THE_BOUND:
        yield f"{taken.times_the_bound} times the bound, over {MOST_TIMES_THE_BOUND}"
    if (turned_away := taken.account_turned_away) * 100 > MOST_TURNED_AWAY_PERCENT * taken.account_requests:
        yield f"{turned_away:,} requests to the Account API turned away, over {MOST_TURNED_AWAY_PERCENT:g} %"
    if taken.outcomes != {"succeeded": taken.rotations} or taken.unreadable or taken.violations:
        yield f"outcomes {taken.outcomes}, {taken.unreadable} unreadable, {taken.violations} violations"


def written(taken: Measured) -> str:
    """The page as Markdown."""
    missed = "\n".join(f"- missed: {each}" for each in misses(taken)) or "All targets hold."
    limit = f"{taken.account_limit:g} requests a second" if taken.account_limit else "any number of them"
    return f"""# Results of `make bench-fleet`

A fleet of {taken.workspaces:,} workspaces from its request to its report: {taken.rotations:,} rotations in waves of 1,
5, 25 and then 100, {taken.concurrency} at once. The product's own state machines and handlers run on a virtual clock,
against the simulated Databricks with the latencies that Databricks has.

{_table(("workspaces", "of ten", "alone, s"), _kinds(taken))}

Each has a cluster that is off, a job with a schedule and a notebook; where compute runs, a cluster and a warehouse.

## Time

{_table(("", "s"), _times(taken))}

**The bound** is the waves one after the other: in each the workspaces begin in the list's order on {taken.concurrency}
slots, as soon as one is free, and take what one of their kind took alone with warm Lambdas, in the same run. Plan and
report are not in it. A wave's keys at KMS' five a second are, and are never what is longest.

Waves, in seconds, and their bounds: {_waves(taken)}.

## Requests to the Account API

{taken.account_requests:,}, and {taken.account_tokens:,} for tokens: {taken.account_requests_a_rotation:g} a rotation,
{taken.account_a_second:g} a second on average, **{taken.account_a_second_in_10:g} a second** in the busiest ten
seconds, at most {taken.account_most_in_1_second} in one second. The simulated account took {limit} and turned
{taken.account_turned_away:,} away. {taken.account_lists:,} of them list all workspaces or all key configurations.
The busiest ten seconds began {taken.account_busiest_at:,} s after the request: {_said(taken.account_busiest)};
{taken.account_busiest_turned_away:,} of these were turned away.

{_table(("request", "times"), _counts(taken.account_by_endpoint))}

{_table(("Lambda", "times"), _counts(taken.account_by_lambda))}

## Requests to AWS

KMS was asked {taken.kms_requests:,} times. Turned away by the quotas of KMS and of the tags' index:
{_said(taken.turned_away)}. Tasks were retried {taken.retries:,} times.

## Cost

**${taken.dollars_a_workspace:.4f} a workspace**, ${taken.dollars:,.2f} in all: {taken.transitions:,} transitions,
{taken.invocations:,} invocations of {taken.lambda_seconds:,} s ({taken.lambda_gb_seconds:,} GB-s), and the requests to
KMS, at list prices of us-east-1 (benchmarks/prices.py). DynamoDB, S3 and logs are not in it, nor the dollar a month of
each key. At most {taken.lambdas_at_once} Lambdas were at work at once; {taken.containers:,} containers were started.

## Nothing lost

Outcomes: {_said(taken.outcomes)}. Objects that cannot be read afterwards: {taken.unreadable}. Rules of Databricks that
were broken: {taken.violations}.
{"".join(f"{chr(10)}- {each}" for each in taken.not_well)}

## What is assumed, and what is not in it

A request takes {DATABRICKS_SECONDS:g} s at Databricks and {AWS_SECONDS:g} s at AWS, an invocation {INVOKE_SECONDS:g} s
beside its requests, the start of a container {START_SECONDS:g} s; an idle one is kept for {KEPT_SECONDS:g} s, and the
end of a rotation is noticed within {LOOK_SECONDS:g} s. Each container has its own clients, tokens and pace of requests.
Processor time is not in it: no handler's, and no list of {taken.workspaces:,} workspaces that is parsed. Requests to
the Account API, and those for which AWS has a quota, are put in order among all rotations; what concerns one workspace
alone is so only when its Lambda waits or ends. Streams, events and the finisher do not run.

## Targets

At most {MOST_TIMES_THE_BOUND:g} times the bound; at most {MOST_TURNED_AWAY_PERCENT:g} % of the requests to the Account
API turned away; every rotation succeeded, nothing unreadable, no rule broken.

{missed}
"""


Rows = Iterable[Sequence[str]]


def _kinds(taken: Measured) -> Rows:
    return [(each.name, f"{each.of_ten}", f"{taken.alone_seconds[each.name]:,.0f}") for each in KINDS]


def _times(taken: Measured) -> Rows:
    return [
        ("planned: every rotation is looked at before", f"{taken.planning_seconds:,}"),
        ("rotated", f"{taken.rotating_seconds:,}"),
        ("from the request to the report", f"{taken.seconds:,}"),
        ("the bound", f"{taken.bound_seconds:,}"),
        ("times the bound", f"**{taken.times_the_bound:.3f}**"),
    ]


def _waves(taken: Measured) -> str:
    both = zip(taken.wave_seconds, taken.wave_bounds, strict=True)
    return ", ".join(f"{took:,} ({least:,})" for took, least in both)


def _counts(counted: Mapping[str, int]) -> Rows:
    return [(f"`{name}`", f"{count:,}") for name, count in counted.items()]


def _said(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted.items()) or "none"


def _table(heads: Sequence[str], rows: Rows) -> str:
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
