"""The driver does what the Amazon States Language says, and nothing that only our definition happens to need."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from local.databricks.clock import ManualClock
from tests.matrix.execution import MOST_EVENTS, Execution, TaskError
from tests.matrix.tasks import Tasks
from tests.matrix.timeline import Timeline

Answer = Callable[[int, Any], Any]
"""From the number of the call, and what was sent, to the answer; raises TaskError."""

START = 1_800_000_000.0
RETRY = {"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2, "JitterStrategy": "NONE"}
CATCH = {"ErrorEquals": ["States.ALL"], "Assign": {"said": "{% $states.errorOutput.Error %}"}, "Next": "End"}
END = {"Type": "Succeed", "Output": "{% $said %}"}


def task(**more: Any) -> dict[str, Any]:
    call = {"FunctionName": "${Work}", "Payload": {"given": "{% $states.input %}"}}
    return {
        "Type": "Task",
        "Resource": "lambda:invoke",
        "Arguments": call,
        "TimeoutSeconds": 150,
        "Next": "End",
        **more,
    }


class Driven:
    """One execution of a small machine, and when its Lambda was called."""

    def __init__(self, states: dict[str, Any], answer: Answer, seed: int = 0, **machine: Any) -> None:
        self.timeline = Timeline(ManualClock(START))
        self.called: list[float] = []
        self._answer = answer
        self.execution = Execution(
            {"StartAt": next(iter(states)), "States": states, **machine},
            "e1",
            "arn:e1",
            {"x": 1},
            self.timeline,
            self._invoke,
            random.Random(seed),
        )
        self.tasks = Tasks()
        self.tasks.reset(self.timeline)
        self.tasks.start(self.execution)

    def _invoke(self, _: str, payload: Any) -> Any:
        self.called.append(round(self.timeline.now() - START, 1))
        return self._answer(len(self.called), payload)

    def run(self, latest: float = 10**9) -> Execution:
        self.timeline.run(lambda: not self.execution.running, START + latest)
        return self.execution


def fails(*errors: str) -> Answer:
    """With these errors one after the other, then it answers."""

    def answer(number: int, _: Any) -> Any:
        if number <= len(errors):
            raise TaskError(errors[number - 1], "because")
        return {"number": number}

    return answer


def test_a_retrier_backs_off_and_gives_up_into_the_catch() -> None:
    driven = Driven({"Work": task(Retry=[RETRY], Catch=[CATCH]), "End": END}, fails(*["Busy"] * 9))
    assert driven.run().output == "Busy"
    assert driven.called == [0, 2, 6, 14]


def test_each_retrier_counts_for_itself() -> None:
    other = {**RETRY, "ErrorEquals": ["Slow"], "MaxAttempts": 1}
    errors = ("Busy", "Slow", "Busy", "Slow")
    driven = Driven({"Work": task(Retry=[RETRY, other], Catch=[CATCH]), "End": END}, fails(*errors))
    assert driven.run().output == "Slow"
    assert driven.called == [0, 2, 4, 8]


def test_a_delay_is_capped_and_full_jitter_draws_from_nothing_to_all_of_it() -> None:
    retrier = {**RETRY, "MaxAttempts": 40, "MaxDelaySeconds": 10, "JitterStrategy": "FULL"}
    driven = Driven({"Work": task(Retry=[retrier], Catch=[CATCH]), "End": END}, fails(*["Busy"] * 99))
    driven.run()
    delays = [after - before for before, after in zip(driven.called, driven.called[1:], strict=False)]
    assert len(delays) == 40
    assert max(delays) <= 10
    assert min(delays) < 2
    again = Driven({"Work": task(Retry=[retrier], Catch=[CATCH]), "End": END}, fails(*["Busy"] * 99))
    again.run()
    assert again.called == driven.called


@pytest.mark.parametrize(
    ("names", "error", "caught"),
    [
        (["States.TaskFailed"], "Busy", True),
        (["States.TaskFailed"], "States.Timeout", False),
        (["States.ALL"], "States.Timeout", True),
        (["States.ALL"], "States.DataLimitExceeded", False),
        (["Other"], "Busy", False),
    ],
)
def test_what_a_catch_matches(names: list[str], error: str, caught: bool) -> None:
    driven = Driven({"Work": task(Catch=[{**CATCH, "ErrorEquals": names}]), "End": END}, fails(error))
    execution = driven.run()
    assert (execution.status, execution.output, execution.error) == (
        ("SUCCEEDED", error, None) if caught else ("FAILED", None, error)
    )


def test_an_expression_that_fails_is_an_error_of_its_own() -> None:
    driven = Driven({"Work": task(Assign={"said": "{% $nothing.here %}"}, Catch=[CATCH]), "End": END}, fails())
    assert driven.run().output == "States.QueryEvaluationError"


def test_assign_and_output_see_what_was_before() -> None:
    first = {"Type": "Pass", "Assign": {"said": 1}, "Next": "Second"}
    second = {"Type": "Pass", "Assign": {"said": "{% $said + 1 %}"}, "Output": "{% $said %}", "Next": "End"}
    execution = Driven({"First": first, "Second": second, "End": {"Type": "Succeed"}}, fails()).run()
    assert execution.output == 1


def test_a_call_that_takes_too_long_times_out() -> None:
    def slow(_: int, __: Any) -> Any:
        driven.timeline.clock.advance(151)
        return {}

    driven = Driven({"Work": task(Catch=[CATCH]), "End": END}, slow)
    assert driven.run().output == "States.Timeout"


def waiting(**more: Any) -> dict[str, Any]:
    call = {"FunctionName": "${Ask}", "Payload": {"token": "{% $states.context.Task.Token %}"}}
    return {**task(**more), "Resource": "lambda:invoke.waitForTaskToken", "Arguments": call, "TimeoutSeconds": 3600}


def test_a_task_with_a_token_waits_for_its_answer() -> None:
    tokens: list[str] = []
    states = {"Ask": waiting(Assign={"said": "{% $states.result.Payload %}"}), "End": END}
    driven = Driven(states, lambda _, payload: tokens.append(payload["token"]))
    driven.timeline.at(START + 600, lambda: driven.tasks.send_task_success(taskToken=tokens[0], output="yes"))
    assert driven.run().output == "yes"
    assert driven.execution.ended_at == pytest.approx(START + 600, abs=1)


def test_without_an_answer_it_times_out() -> None:
    driven = Driven({"Ask": waiting(Catch=[CATCH]), "End": END}, lambda *_: None)
    assert driven.run().output == "States.Timeout"
    assert driven.execution.ended_at == pytest.approx(START + 3600, abs=1)


def test_the_machines_own_time_is_never_caught() -> None:
    states = {"Work": {"Type": "Wait", "Seconds": 900, "Next": "End"}, "End": {"Type": "Succeed"}}
    execution = Driven(states, fails(), TimeoutSeconds=600).run()
    assert (execution.status, execution.ended_at) == ("TIMED_OUT", START + 600)


def test_history_is_limited() -> None:
    states = {
        "Work": {"Type": "Wait", "Seconds": 1, "Next": "Again"},
        "Again": {"Type": "Pass", "Next": "Work"},
    }
    execution = Driven(states, fails()).run()
    assert (execution.status, execution.error) == ("FAILED", "States.Runtime")
    assert execution.events > MOST_EVENTS


def batches(most: int) -> dict[str, Any]:
    inside = {
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Assign": {"number": "{% $states.input %}"}, "Next": "Wait"},
            "Wait": {"Type": "Wait", "Seconds": "{% 10 * $number %}", "Next": "Work"},
            "Work": {**task(), "Next": "Over"},
            "Over": {"Type": "Pass", "End": True},
        },
    }
    each = {"Type": "Map", "Items": "{% [1, 2, 3] %}", "MaxConcurrency": most, "ItemProcessor": inside, "Next": "End"}
    return {"Each": each, "End": {"Type": "Succeed"}}


@pytest.mark.parametrize(("most", "called"), [(1, [10, 30, 60]), (2, [10, 20, 40]), (3, [10, 20, 30])])
def test_a_map_works_on_so_many_items_at_once(most: int, called: list[float]) -> None:
    driven = Driven(batches(most), fails())
    assert driven.run().status == "SUCCEEDED"
    assert driven.called == called


def test_an_item_that_fails_fails_the_map() -> None:
    execution = Driven(batches(2), fails("Busy")).run()
    assert (execution.status, execution.error) == ("FAILED", "Busy")


def test_a_redrive_goes_on_where_it_failed_with_what_it_knew() -> None:
    first = {"Type": "Pass", "Assign": {"said": "kept"}, "Next": "Work"}
    driven = Driven({"First": first, "Work": task(), "End": END}, fails("Busy"))
    assert driven.run().status == "FAILED"
    driven.tasks.redrive(driven.execution)
    assert driven.run().output == "kept"
    assert driven.execution.states == ["First", "Work", "Work", "End"]


def test_an_aborted_execution_does_nothing_more() -> None:
    driven = Driven({"Work": {"Type": "Wait", "Seconds": 900, "Next": "Call"}, "Call": task(), "End": END}, fails())
    driven.timeline.at(START + 60, lambda: driven.tasks.stop_execution(executionArn="arn:e1", cause="by hand"))
    assert driven.run().status == "ABORTED"
    driven.timeline.run_to(START + 2_000)
    assert driven.called == []
