"""Storms: several troubles at random states and moments of one rotation, the same for the same seed."""

import random
import time

from tests.matrix.cells import Result, result_of
from tests.matrix.cloud import Cloud
from tests.matrix.columns import COLUMNS, Column, named
from tests.matrix.invariants import broken
from tests.matrix.run import Run, Trouble, hearing
from tests.matrix.scenarios import SCENARIOS

STATES = (
    *("Plan rotation", "Create key", "Set key policy", "Register key configuration", "Pause triggers"),
    *("Terminate compute", "Switch workspace key", "Settle wait", "Verify", "Restart compute", "Complete rotation"),
    *("Roll back", "Settle wait after failure", "Restore compute", "Record failure"),
    *("Create workspace", "Rotate key material", "List notebooks", "Wait for window", "Wait for approval"),
)
_AT_CALLS = ("killed-before", "killed-after", "lost", "refused", "twice")
_MOST_CALLS = 20


def drawn(seed: int) -> tuple[str, list[tuple[str, Column]]]:
    """(scenario, [(state, trouble)]): from two to five of them."""
    chance = random.Random(seed)
    scenario = chance.choice(sorted(SCENARIOS))
    return scenario, [(chance.choice(STATES), _column(chance)) for _ in range(chance.randint(2, 5))]


def _column(chance: random.Random) -> Column:
    if chance.random() < 0.4:
        return named(f"{chance.choice(_AT_CALLS)}-{chance.randrange(_MOST_CALLS)}")
    return COLUMNS[chance.choice(sorted(COLUMNS))]


def run_storm(cloud: Cloud, seed: int) -> Result:
    began = time.process_time()
    scenario, troubles = drawn(seed)
    with hearing() as ears:
        run = Run(cloud, SCENARIOS[scenario], seed, [Trouble(state, each.begin) for state, each in troubles], ears=ears)
        run.to_rest()
        found = broken(run)
    return result_of(storm_name(seed), run, found, time.process_time() - began)


def storm_name(seed: int) -> str:
    """What it is made of, for people: "storm 17: rotate, stale at Verify, ..."."""
    scenario, troubles = drawn(seed)
    return f"storm {seed}: {scenario}, " + ", ".join(f"{each.name} at {state}" for state, each in troubles)


def one_storm(cloud: Cloud, seed: int) -> list[Result]:
    return [run_storm(cloud, seed)]
