"""Checks of the Task states: time limits, retries, and what is caught."""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.settings import Settings
from rekey.base import errors
from tests.workflow.asl import CALLBACK, Machine

# Step Functions developer guide, "Handling errors in Step Functions workflows" and "Invoke Lambda".
TRANSIENT_OF_AWS = frozenset(
    {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.TooManyRequestsException",
        "Lambda.Unknown",
        "Sandbox.Timedout",
        "Runtime.ExitError",
        "States.Timeout",
    }
)

REASONED = {
    # A new key's tags take up to five minutes to count in authorization.
    ("Create key", "AccessDenied"),
    ("Set key policy", "AccessDenied"),
    # A single stale read must not fail a rotation that is done.
    ("Verify", "SwitchReverted"),
    ("Complete rotation", "SwitchReverted"),
    # A person can mend the network while nothing is down yet; a plan is simply asked for again.
    ("Create key", "NetworkRefused"),
    ("Set key policy", "NetworkRefused"),
    ("Register key configuration", "NetworkRefused"),
}

TAGS_COUNT_AFTER = 300
"""AWS KMS, "Using tags to control access": a change may take up to five minutes to count in authorization."""

COMMON: tuple[Mapping[str, Any], ...] = (
    {"IntervalSeconds": 2, "MaxAttempts": 6, "BackoffRate": 2, "MaxDelaySeconds": 30, "JitterStrategy": "FULL"},
    {"IntervalSeconds": 5, "MaxAttempts": 2, "BackoffRate": 2, "JitterStrategy": "FULL"},
    {"IntervalSeconds": 5, "MaxAttempts": 8, "BackoffRate": 2, "MaxDelaySeconds": 120, "JitterStrategy": "FULL"},
)
"""How every Task retries Lambda's own errors, those that a second try answers, and rekey's transient ones."""

LONG: Mapping[str, Any] = {
    **{"IntervalSeconds": 5, "MaxAttempts": 10, "BackoffRate": 2, "MaxDelaySeconds": 120},
    "JitterStrategy": "NONE",
}
"""How a Task that is no loop's retries rekey's transient errors: with jitter ten minutes might be outlasted or not."""

OUTLASTED = 600
"""Seconds for which Databricks or AWS may turn everything away without any rotation failing for it."""

FEWER = frozenset({"List notebooks", "Renew batch"})
"""History counts every try of every batch, and what stays undone is a finding: three tries of what lasts."""

LONGEST_DELAY = 120
LONGEST_DELAY_OF_PEOPLE = 300
LONGEST_RETRYING = 2400


def longest_lambda_timeout() -> int:
    """The longest that infra.settings allows, in seconds."""
    limits = Settings.model_fields["lambda_timeout_seconds"].metadata
    return next(int(limit.le) for limit in limits if hasattr(limit, "le"))


def is_transient(name: str) -> bool:
    """Whether rekey.errors has this name as a kind of Transient."""
    error = getattr(errors, name, None)
    return isinstance(error, type) and issubclass(error, errors.Transient) and error is not errors.Transient


def retriers(machine: Machine) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, task in machine.of_type("Task").items():
        for retrier in task.get("Retry", []):
            yield name, retrier


def delays(retrier: Mapping[str, Any]) -> list[float]:
    """The longest pause before each retry, in seconds (full jitter makes it anything from 0 to this)."""
    first, rate = retrier["IntervalSeconds"], retrier["BackoffRate"]
    cap = retrier.get("MaxDelaySeconds", float("inf"))
    return [min(cap, first * rate**number) for number in range(retrier["MaxAttempts"])]


def timeouts_exceed_the_lambdas(machine: Machine) -> list[str]:
    """A state that gives up before its Lambda does would run a second one beside the first."""
    longest = longest_lambda_timeout()
    return [
        f"{name}: TimeoutSeconds {task.get('TimeoutSeconds')} is not above the Lambda's {longest}"
        for name, task in machine.of_type("Task").items()
        if task.get("TimeoutSeconds", 0) <= longest
    ]


def retries_are_jittered_and_capped(machine: Machine) -> list[str]:
    problems = [f"{name}: has no Retry" for name, task in machine.of_type("Task").items() if not task.get("Retry")]
    for name, retrier in retriers(machine):
        which = f"{name}: Retry of {', '.join(retrier['ErrorEquals'])}"
        if missing := {"IntervalSeconds", "MaxAttempts", "BackoffRate"} - retrier.keys():
            problems.append(f"{which} lacks {', '.join(sorted(missing))}")
            continue
        if retrier.get("JitterStrategy") != "FULL" and not (waits_for_tags(retrier) or outlasts(retrier)):
            problems.append(f"{which} has no jitter")
        longest = LONGEST_DELAY_OF_PEOPLE if retrier["ErrorEquals"] == ["NetworkRefused"] else LONGEST_DELAY
        if max(delays(retrier)) > longest or sum(delays(retrier)) > LONGEST_RETRYING:
            problems.append(f"{which} is not capped: it may wait {sum(delays(retrier)):.0f} seconds")
    return problems


def waits_for_tags(retrier: Mapping[str, Any]) -> bool:
    return bool(retrier["ErrorEquals"] == ["AccessDenied"])


def outlasts(retrier: Mapping[str, Any]) -> bool:
    return {key: value for key, value in retrier.items() if key != "ErrorEquals"} == LONG


def ten_minutes_are_outlasted(machine: Machine) -> list[str]:
    """Of errors that pass by itself: a loop's Lambda says that it waits, any other Task tries on that long."""
    looping = {way.source for way in machine.looping}
    problems = []
    for name, retrier in retriers(machine):
        alone = name not in looping and not machine.states[name]["Resource"].endswith(CALLBACK)
        if alone and "DatabricksThrottled" in retrier["ErrorEquals"] and not outlasts(retrier):
            problems.append(f"{name}: may give up before {OUTLASTED} seconds are over")
    return problems + [f"LONG lasts {sum(delays(LONG)):.0f} s"] * (sum(delays(LONG)) < OUTLASTED)


def killed_lambdas_are_waited_out(machine: Machine) -> list[str]:
    """What a Lambda's death says of the rotation is nothing: a loop looks again, until its own budget is over."""
    loops = {way.source: way for way in machine.looping if machine.states[way.source]["Type"] == "Task"}
    problems = []
    for name in loops:
        if name in machine.batch_states:
            continue  # What is not renewed is a finding.
        waited = {error for way in machine.looping if way.source == name for error in way.errors}
        if "States.ALL" not in waited and not waited >= TRANSIENT_OF_AWS:
            problems.append(f"{name}: does not wait out {', '.join(sorted(TRANSIENT_OF_AWS - waited))}")
    return problems


def late_tags_are_waited_for(machine: Machine) -> list[str]:
    """Every state that changes a key by its tag waits for the tag to count; jitter could make any pause nothing."""
    problems = []
    found = {name: each for name, each in retriers(machine) if waits_for_tags(each)}
    for name in (state for state, error in REASONED if error == "AccessDenied"):
        if name not in found:
            problems.append(f"{name}: does not wait for a new key's tags")
        elif found[name].get("JitterStrategy") != "NONE" or sum(delays(found[name])) < TAGS_COUNT_AFTER:
            problems.append(f"{name}: may give up before a new key's tags count")
    return problems


def retries_are_the_common_ones(machine: Machine) -> list[str]:
    """Written out at every Task, so that the file is what runs: all alike, but for retries with their own reason."""
    problems = []
    for name, task in machine.of_type("Task").items():
        common = [each for each in task.get("Retry", []) if (name, each["ErrorEquals"][0]) not in REASONED]
        looping = {way.source for way in machine.looping}
        long = name not in looping and not task["Resource"].endswith(CALLBACK)
        usual = [*COMMON[:2], LONG if long else COMMON[2]]
        timing = [{key: value for key, value in each.items() if key != "ErrorEquals"} for each in common]
        wanted = [{**each, "MaxAttempts": min(3, each["MaxAttempts"])} if name in FEWER else each for each in usual]
        if timing != wanted:
            problems.append(f"{name}: its Retry is not the common one")
    return problems


def retries_name_transient_errors(machine: Machine) -> list[str]:
    problems = []
    for state, retrier in retriers(machine):
        for error in retrier["ErrorEquals"]:
            if error not in TRANSIENT_OF_AWS and not is_transient(error) and (state, error) not in REASONED:
                problems.append(f"{state}: retries {error}, which is neither AWS's nor a Transient of rekey.errors")
    return problems


def transient_errors_are_retried(machine: Machine) -> list[str]:
    """All of rekey's own, and all of AWS's, in every Task."""
    wanted = TRANSIENT_OF_AWS | {name for name in vars(errors) if is_transient(name)}
    retried: dict[str, set[str]] = {
        # Nobody answered in time: to ask again would wait as long again.
        name: {"States.Timeout"} if task["Resource"].endswith(CALLBACK) else set()
        for name, task in machine.of_type("Task").items()
    }
    for state, retrier in retriers(machine):
        retried[state].update(retrier["ErrorEquals"])
    return [f"{state}: does not retry {error}" for state, names in retried.items() for error in sorted(wanted - names)]


def everything_is_caught(machine: Machine) -> list[str]:
    """The last Catch takes States.ALL, alone; an earlier one may take errors of rekey.errors by name."""
    problems = []
    for name, task in machine.of_type("Task", "Map").items():
        catchers = task.get("Catch", [])
        if not catchers or catchers[-1]["ErrorEquals"] != ["States.ALL"]:
            problems.append(f"{name}: its last Catch is not States.ALL")
        for error in (error for catcher in catchers[:-1] for error in catcher["ErrorEquals"]):
            known = getattr(errors, error, None)
            if error in TRANSIENT_OF_AWS:
                continue
            if not (isinstance(known, type) and issubclass(known, errors.RekeyError)):
                problems.append(f"{name}: catches {error}, which is not an error of rekey.errors")
    return problems
