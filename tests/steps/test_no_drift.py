"""What rekey does itself is no drift: made-up rotations of every kind, good and failing ones, tell none."""

import random
from typing import Any

import pytest

from tests.steps.interrupted import sample
from tests.steps.own_keys import own_key
from tests.steps.walker import Walk
from tests.steps.world import A_DAY_LATER, World

ROTATIONS = 25
"""Of each history; all eight (`REKEY_EVERY_CASE=1`) have 200."""

BREAKS = ("Create key", "Set key policy", "Register key configuration", "Switch workspace key", "Verify")
DIES = (*BREAKS, "Terminate compute", "Restart compute", "Complete rotation")


class Watched:
    """A world in which drift is looked for between any two calls of Lambdas."""

    def __init__(self, world: World, dice: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.dice, self.looks = world, dice, 0
        self.ends: dict[str, int] = {}
        call = world.call

        def watched(name: str, **given: Any) -> Any:
            if dice.random() < 0.15:
                self.look(call)
            return call(name, **given)

        monkeypatch.setattr(world, "call", watched)
        self.call = call

    def look(self, call: Any = None) -> None:
        found = (call or self.call)("find_drift")
        assert (found["told"], found["open"], found["unknown"]) == ([], 0, {})
        self.looks += 1

    def rotate(self, workspace_id: int, **request: Any) -> None:
        """One rotation, which may fail and roll back, or die and be carried on."""
        world, luck = self.world, self.dice.random()
        breaks = self.dice.choice(BREAKS) if luck < 0.3 else None
        dies = self.dice.choice(DIES) if luck > 0.75 else None
        walk = Walk(world, breaks=breaks, stop_before=dies, wait_at_least=60)
        end = walk.run(workspace_id=workspace_id, **request)
        rotation = world.ledger.find(world.rotation_id)
        if rotation is not None and not rotation.is_closed:
            self.look()
            world.executions.end(world.rotation_id, "ABORTED")
            rotation = world.carried_on()
        how = rotation.status if rotation else f"refused ({end})"
        self.ends[how] = self.ends.get(how, 0) + 1
        world.next_rotation()


@pytest.mark.parametrize("seed", sample(range(8), every=8))
def test_random_rotations_tell_no_drift(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)
    shared = world.make_key()
    names = ("one", "two", "three", "four")
    keys: tuple[dict[str, str], ...] = (
        {"managed_services": shared},
        {"managed_services": shared},
        {"managed_services": world.make_key()},
        {},
    )
    ids = [
        int(world.quiet_workspace(workspace_name=name, **({"keys": each} if each else {}))["workspace_id"])
        for name, each in zip(names, keys, strict=True)
    ]
    watched = Watched(world, dice, monkeypatch)
    while sum(watched.ends.values()) < ROTATIONS:
        workspace_id = dice.choice(ids)
        kind = dice.choice(("new", "new", "own", "shared", "add", "material"))
        request: dict[str, Any] = {}
        if kind == "own":
            request = {"key_arn": own_key()}
        elif kind == "shared":
            other = world.fields(dice.choice(ids))[0]
            request = {"key_configuration_id": other} if other else {}
        elif kind == "add":
            request = {"operation": "add", "use_cases": ["STORAGE"]}
        elif kind == "material":
            request = {"operation": "rotate_material"}
        watched.rotate(workspace_id, **request)
        if dice.random() < 0.5:
            world.clock.advance(dice.choice((300, 700, 3_600)))
            watched.look()
        if dice.random() < 0.3:
            world.sweep(A_DAY_LATER)
            watched.look()
    assert watched.ends.get("succeeded", 0) > ROTATIONS // 4, watched.ends
    assert watched.ends.get("failed", 0) > 0, watched.ends
    assert watched.looks > ROTATIONS
    assert world.get("health")["unreadable"] == []
