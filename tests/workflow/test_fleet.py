"""rotate_fleet's definition, without running it: the checks of rotate_key's that hold for it, and its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from rekey.fleet.wave import PATIENCE_SECONDS
from rekey.ledger import APPROVAL_TIME
from rekey.model.fleet_request import MOST_WAVES, parse_fleet_request
from tests.workflow.asl import CALLBACK, Machine
from tests.workflow.checks import Check, answers, contract, graph, tasks, totality, variables
from tests.workflow.checks.budgets import EVENTS, EVENTS_OF_RETRY, LONGEST_HISTORY
from tests.workflow.lint import lint_definition

FILE = Path(__file__).resolve().parents[2] / "stepfunctions" / "rotate_fleet.asl.json"
CHECKS: tuple[Check, ...] = (
    graph.targets_exist,
    graph.states_are_reachable,
    graph.states_can_end,
    graph.states_are_explained,
    tasks.timeouts_exceed_the_lambdas,
    tasks.retries_are_jittered_and_capped,
    tasks.ten_minutes_are_outlasted,
    tasks.everything_is_caught,
    variables.expressions_parse,
    variables.functions_exist,
    variables.states_fields_are_available,
    variables.variables_are_assigned_before,
    variables.assignments_do_not_depend_on_order,
    variables.choices_assign_in_their_rules,
    totality.conditions_are_boolean,
    contract.values_do_not_grow,
)


WAITS = {
    "Wait for the plan": "$delay",
    "Wait for the wave": "$max([$delay, $judged.opens_in])",
    "Rotate wave/ItemProcessor/States/Wait for its turn": "$begin_after",
}


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_definition_is_sound(machine: Machine, check: Check) -> None:
    assert check(machine) == []


def test_it_reads_fields_of_the_lambdas_answers(machine: Machine) -> None:
    lambdas = {name: state for name, state in machine.states.items() if name != "Rotate key"}
    own = Machine(machine.text)
    own.states = lambdas
    assert answers.reads_are_fields_of_the_answers(own) == []


def test_cfn_lint_finds_nothing(machine: Machine) -> None:
    """But that of a Wait it knows JSONata only where the whole machine is in it (1.58, statemachine.json, "Seconds"):
    infra/fleet.py has it look away from this one machine, and here it may find nothing else."""
    known = [
        f"'{{% {seconds} %}}' is not of type 'number' at 'States/{each}/Seconds'" for each, seconds in WAITS.items()
    ]
    found = lint_definition(machine)
    assert [each for each in found if not any(one in each for one in known)] == []
    assert len(found) == len(known)


def test_all_but_the_map_are_jsonata(machine: Machine) -> None:
    """A JSONPath machine may have JSONata states, not the other way round; a Map in JSONata the emulator cannot run."""
    assert "QueryLanguage" not in machine.definition
    plain = {name: each for name, each in machine.states.items() if each.get("QueryLanguage") != "JSONata"}
    assert {each["Type"] for each in plain.values()} == {"Map", "Succeed"}
    assert plain.keys() & machine.of_type("Map").keys() == {"Rotate wave"}


def test_a_wave_says_nothing_and_tolerates_all(machine: Machine) -> None:
    """The ledger decides what a failure means, and the outputs of 2,000 items must stay below 256 KiB."""
    wave: Any = machine.definition["States"]["Rotate wave"]
    assert (wave["ToleratedFailurePercentage"], wave["ResultPath"]) == (100, None)
    rotate = machine.states["Rotate key"]
    assert [rotate["Output"], *(each["Output"] for each in rotate["Catch"])] == [{}, {}]


def test_people_are_waited_for_as_long_as_for_a_rotation(machine: Machine) -> None:
    [person] = [each for each in machine.of_type("Task").values() if each["Resource"].endswith(CALLBACK)]
    assert person["TimeoutSeconds"] == APPROVAL_TIME.total_seconds()


def test_the_waves_of_the_longest_fleet_fit_into_a_history(machine: Machine) -> None:
    """Each wave asks a person, and is judged until its patience is over, every call answering at once; and the worst
    of one wave is that of a plan of 2,000. What a night does not reach is opened again, on each of
    90 days, and judged at the third look: the Map has waited for all of it."""
    delay, waited, rounds = 5, 0, 1
    while waited < PATIENCE_SECONDS:
        waited, delay, rounds = waited + delay, min(600, delay * 2), rounds + 1
    pause = json.dumps(machine.states["Wait for the wave"]["Assign"])
    assert "$min([600, $delay * 2])" in pause
    loop = rounds * (EVENTS["Task"] + EVENTS["Choice"] + EVENTS["Wait"])
    once = 2 * EVENTS["Task"] + EVENTS["Choice"] + EVENTS["Map"] + 2
    asked = EVENTS["Task"] + EVENTS["Task"] + EVENTS["Choice"]
    plan = 100 * (EVENTS["Task"] + EVENTS["Choice"] + EVENTS["Wait"]) + 16 * EVENTS_OF_RETRY
    nights = 90 * (once + 3 * (EVENTS["Task"] + EVENTS["Choice"] + EVENTS["Wait"]))
    assert machine.definition["TimeoutSeconds"] == 90 * 86_400
    assert plan + MOST_WAVES * (loop + once + asked) + nights < LONGEST_HISTORY
    # The loop's own budget is longer than what Judge wave waits by itself.
    assert "$wave_waited >= 25200" in json.dumps(machine.states["Is the wave over?"])
    assert PATIENCE_SECONDS < 25_200


def test_the_sample_is_a_request() -> None:
    for sample in (FILE.parent / "inputs" / "fleets").glob("*.json"):
        assert parse_fleet_request(json.loads(sample.read_text(encoding="utf-8"))).name
