"""Who rotates in which wave: the canary first, workspaces that share a key after the one that makes it."""

from collections.abc import Sequence

from rekey.model.fleet import Member
from rekey.model.fleet_request import FleetWish
from rekey.model.request import Operation

Places = dict[str, int]
"""Waves by rotation id."""


def arrange(members: Sequence[Member], wish: FleetWish) -> tuple[Member, ...]:
    """The members with their waves. Forbidden ones are in none, and no other one waits for them."""
    going = sorted((each for each in members if not each.forbidden), key=lambda each: each.held_by is not None)
    shared = _sharing(going)
    by_workspace: dict[int, list[Member]] = {}
    for each in shared:
        by_workspace.setdefault(each.workspace_id, []).append(each)
    units = sorted(by_workspace.values(), key=lambda unit: (_follows(unit), any(each.held_by for each in unit)))
    waves = _waves([unit for unit in units if _works(unit)], wish.waves)
    placed = {each.rotation_id: each for each in shared}
    return tuple(
        placed[each.rotation_id].model_copy(update={"wave": waves.get(each.rotation_id, 0)})
        if each.rotation_id in placed
        else each
        for each in members
    )


def _sharing(going: Sequence[Member]) -> list[Member]:
    """One new key for the workspaces that share one: the first makes it, unless an earlier fleet has. What one renews
    is renewed for all."""
    first: dict[tuple[Operation, str], str] = {}
    shared = []
    for each in going:
        if each.operation == "add" or each.key_arn is None or each.takes_key_of:
            shared.append(each)
            continue
        maker = first.setdefault((each.operation, each.key_arn), each.rotation_id)
        field = "renewed_by" if each.operation == "rotate_material" else "takes_key_of"
        shared.append(each if maker == each.rotation_id else each.model_copy(update={field: maker}))
    return shared


def _follows(unit: Sequence[Member]) -> bool:
    return any(each.takes_key_of for each in unit)


def _works(unit: Sequence[Member]) -> bool:
    return any(each.renewed_by is None for each in unit)


def _waves(units: Sequence[Sequence[Member]], sizes: Sequence[int]) -> Places:
    """A wave is full at its size, and ends before a workspace that takes a key which is made in it."""
    places: Places = {}
    wave, in_it = 1, 0
    for unit in units:
        full = in_it == sizes[min(wave, len(sizes)) - 1]
        too_early = any(places.get(each.takes_key_of or "") == wave for each in unit)
        if full or too_early:
            wave, in_it = wave + 1, 0
        places |= {each.rotation_id: wave for each in unit if each.renewed_by is None}
        in_it += 1
    return places
