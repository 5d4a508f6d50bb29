"""What passes from the Lambdas through the state machine: causes of errors, and how much waits."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rekey.model.answers import Progress
from rekey.model.failure import NO_CAUSE, readable
from rekey.rotation.step import StepEvent
from rekey.telling.events.refusal import RefusalEvent
from tests.workflow.asl import Machine
from tests.workflow.checks.totality import CAUSES, MESSAGE, caught_cause

MACHINE = Machine.load()
LONGEST_ON_AWS = 32_768


def report(message: str) -> str:
    """An error as Lambda's Python runtime reports it."""
    return json.dumps({"errorMessage": message, "errorType": "InvalidRequest", "stackTrace": []}, ensure_ascii=False)


@given(st.text())
def test_a_lambdas_message_is_read_out_of_its_report(message: str) -> None:
    assert readable(report(message)) == (message or NO_CAUSE)


@given(st.text(), st.text())
def test_also_where_the_report_is_a_part_of_the_cause(first: str, second: str) -> None:
    assume("{" not in first + second)
    both = f"{report(first)} After that, Roll back failed too: {report(second)}"
    assert readable(both) == f"{first} After that, Roll back failed too: {second}"


def test_a_report_of_lambda_itself_is_read_too() -> None:
    late = '{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 120.00 seconds"}'
    assert readable(late) == "Task timed out after 120.00 seconds"


@given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
def test_a_report_that_was_cut_is_shown_as_it_is(message: str, cut: int) -> None:
    shortened = report(message.replace("}", ""))[:-cut]
    assert readable(shortened) == shortened


@pytest.mark.parametrize("cause", [each for each in CAUSES if (each and not each.endswith("}")) or each == "{}"])
def test_what_is_no_report_is_shown_as_it_is(cause: str) -> None:
    assert readable(cause) == cause


@pytest.mark.parametrize(
    "odd", ['{"errorMessage": null}', '{"error": ' + "[" * 30_000, '{"error', '{"errorMessage": 429}']
)
def test_no_cause_cannot_be_read(odd: str) -> None:
    assert readable(odd) == odd


@given(st.none() | st.text())
def test_the_catch_passes_the_cause_on_whatever_it_is(cause: str | None) -> None:
    assert caught_cause(MACHINE, "Verify", cause) == (cause or "")


@pytest.mark.parametrize(("cause", "said"), [(report(MESSAGE), MESSAGE), ("", NO_CAUSE)])
def test_the_lambdas_read_what_the_catch_passes_on(cause: str, said: str) -> None:
    event = {"rotation_id": "r1", "failure": {"state": "Verify", "error": "InvalidRequest", "cause": cause}}
    step, refusal = StepEvent.model_validate(event), RefusalEvent.model_validate({**event, "request": {}})
    assert step.failure is not None
    assert (step.failure.cause, refusal.failure.cause) == (said, said)


def test_a_very_long_report_is_read_quickly() -> None:
    message = 'field "x}{": there is no such field. Fix: remove it.\n' * 500
    assert readable(report(message)) == message
    assert readable(report(message)[: LONGEST_ON_AWS - 1]) is not None


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, 1), (10, 10), (11, 11), (10_000, 11)])
def test_an_answer_stays_small_however_large_the_workspace(number: int, shown: int) -> None:
    waiting = Progress.waiting([f"cluster 1121-200700-abcdef{each:04} TERMINATING" for each in range(number)])
    answer = waiting.model_dump(mode="json")
    assert len(answer["waiting_for"]) == shown
    assert answer["remaining"] == number
    assert len(json.dumps(answer)) < 1_000
