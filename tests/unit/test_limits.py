"""Constants that must keep to one another, wherever they stand."""

import json
from pathlib import Path

from rekey.finisher import carry_on
from rekey.ledger.keys import POLICY_HOLD_SECONDS
from rekey.rotation.settling import WATCH_SECONDS
from rekey.rotation.switch import REPEAT_AFTER_SECONDS

ROOT = Path(__file__).resolve().parents[2]
STATES = json.loads((ROOT / "stepfunctions" / "rotate_key.asl.json").read_text(encoding="utf-8"))["States"]
LAMBDA_SECONDS = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["rekey:lambda_timeout_seconds"]
"""What a step has, unless the settings say otherwise."""

TASKS = [
    state["TimeoutSeconds"]
    for state in STATES.values()
    if state["Type"] == "Task" and not state["Resource"].endswith(".waitForTaskToken")
]


def test_a_round_waits_for_a_dead_executions_lambda_as_long_as_a_task_may_take() -> None:
    assert max(TASKS) == carry_on.QUIET_SECONDS


def test_one_rotation_gets_no_more_of_a_round_than_a_step_has() -> None:
    assert 2 * carry_on.LEAST_SECONDS < carry_on.SECONDS_EACH < LAMBDA_SECONDS


def test_a_policy_is_held_longer_than_its_holder_lives_and_not_forever() -> None:
    assert LAMBDA_SECONDS < POLICY_HOLD_SECONDS <= 2 * LAMBDA_SECONDS


def test_a_change_is_sent_again_only_when_an_earlier_one_is_given_up() -> None:
    assert WATCH_SECONDS < REPEAT_AFTER_SECONDS
