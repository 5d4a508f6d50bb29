"""What passes from the Lambdas through the state machine: causes of errors, and how much waits."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekey.rotation.step import Progress
from tests.workflow.asl import Machine
from tests.workflow.checks.totality import MESSAGE, caught_cause

MACHINE = Machine.load()
LONGEST_ON_AWS = 32_768


def report(message: str) -> str:
    """An error as Lambda's Python runtime reports it."""
    return json.dumps({"errorMessage": message, "errorType": "InvalidRequest", "stackTrace": []}, ensure_ascii=False)


@settings(deadline=None)
@given(st.text())
def test_a_lambdas_message_is_read_out_of_its_report(message: str) -> None:
    read = caught_cause(MACHINE, "Verify", report(message))
    # JSONata's dot does not match every line separator: such a report is shown as it is.
    assert read in (message, report(message))


def test_a_message_of_several_lines_is_read() -> None:
    assert caught_cause(MACHINE, "Verify", report(MESSAGE)) == MESSAGE


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(min_value=1, max_value=40))
def test_a_report_that_was_cut_is_shown_as_it_is(message: str, cut: int) -> None:
    shortened = report(message.replace("}", ""))[:-cut]
    assert caught_cause(MACHINE, "Verify", shortened) == shortened


@settings(deadline=None)
@given(st.none() | st.text())
def test_no_cause_makes_the_catch_itself_fail(cause: str | None) -> None:
    assert isinstance(caught_cause(MACHINE, "Verify", cause), str)


def test_a_very_long_report_is_read_quickly() -> None:
    message = 'field "x}{": there is no such field. Mend: remove it.\n' * 500
    assert caught_cause(MACHINE, "Plan rotation", report(message)) == message
    assert caught_cause(MACHINE, "Plan rotation", report(message)[: LONGEST_ON_AWS - 1]) is not None


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, 1), (10, 10), (11, 11), (10_000, 11)])
def test_an_answer_stays_small_however_large_the_workspace(number: int, shown: int) -> None:
    answer = Progress.waiting([f"cluster 1121-200700-abcdef{each:04} TERMINATING" for each in range(number)]).result()
    assert len(answer["waiting_for"]) == shown
    assert answer["remaining"] == number
    assert len(json.dumps(answer)) < 1_000
