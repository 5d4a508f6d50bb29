"""Which rotations a request for a fleet means: its workspaces, and for each the operation and the use cases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekey.aws.kms_key import days_old
from rekey.base import clock
from rekey.databricks import Estate, Workspace
from rekey.model.fleet import WINDOW_TAG, Member
from rekey.model.fleet_request import FleetRequest, FleetWish
from rekey.model.inventory import Inventory, KeyUse, Reason
from rekey.model.refusal import Refusal
from rekey.model.request import Operation, UseCase
from rekey.model.use_cases import USE_CASES


@dataclass(frozen=True, slots=True)
class Task:
    """One rotation of a workspace."""

    operation: Operation
    use_cases: tuple[UseCase, ...]
    takes_key_of: str | None = None
    """The rotation of an earlier fleet that has made the key for it."""


def choose(
    request: FleetRequest,
    estate: Estate,
    inventory: Inventory | None,
    now: datetime,
    rest: Sequence[Member] | None = None,
) -> list[Member]:
    """Every rotation, in the order of the request's list, or by the workspaces' names: the first is the canary.

    A workspace that is asked for and cannot be had is in it with the reason. Of the `rest` of another fleet it is what
    that one would have done.
    """
    wish = request.fleet
    left = _by_workspace(rest) if rest is not None else None
    found = [each for each in estate.workspaces if wish.fits(each.workspace_id, each.name, dict(each.tags))]
    found = [each for each in found if left is None or each.workspace_id in left]
    order = {number: place for place, number in enumerate(wish.workspaces or ())}
    found.sort(key=lambda each: (order.get(each.workspace_id, 0), each.name.lower(), each.workspace_id))
    members = [member for each in found for member in _members(request, estate, each, inventory, now, left)]
    listed = {each.workspace_id for each in estate.workspaces}
    wanted = wish.workspaces or left or ()
    return [*members, *(_missing(request.name, number) for number in wanted if number not in listed)]


def rotation_id_of(fleet: str, workspace_id: int, operation: Operation) -> str:
    """The execution's name: the same fleet always makes the same one, so that a second start repeats nothing."""
    return f"{fleet}-{workspace_id}{_SUFFIXES.get(operation, '')}"


_SUFFIXES: Mapping[Operation, str] = {"rotate_material": "-material", "add": "-add"}
"""A workspace may have two rotations in a fleet."""


def tasks_of(
    workspace: Workspace, asked: Operation | None, use_cases: Sequence[UseCase], *, add_missing: bool = False
) -> list[Task]:
    """What is to be done where the request leaves it open: MANAGED_SERVICES gets a new key, STORAGE new material."""
    has = [each for each in USE_CASES if each in use_cases and workspace.configuration_id(each)]
    possible = USE_CASES[:1] if workspace.serverless else USE_CASES
    missing = tuple(each for each in possible if each in use_cases and each not in has)
    added = [Task("add", missing)] if missing else []
    match asked:
        case None:
            managed, storage = (each for each in USE_CASES)
            tasks = added if add_missing else []
            tasks = [*tasks, Task("rotate", (managed,))] if managed in has else tasks
            return [*tasks, Task("rotate_material", (storage,))] if storage in has else tasks
        case "add":
            return added
        case _:
            which = tuple(each for each in has if asked != "rotate" or each == "MANAGED_SERVICES")
            return [Task(asked, which)] if which else []


def _by_workspace(members: Sequence[Member]) -> dict[int, list[Member]]:
    found: dict[int, list[Member]] = {}
    for each in members:
        found.setdefault(each.workspace_id, []).append(each)
    return found


def _left(members: Sequence[Member], asked: Operation | None, use_cases: Sequence[UseCase]) -> list[Task]:
    """What another fleet would have done with a workspace, as far as it is asked for again."""
    which = [each for each in members if asked in (None, each.operation)]
    wanted = [(each, tuple(one for one in each.use_cases if one in use_cases)) for each in which]
    return [Task(each.operation, these, each.takes_key_of) for each, these in wanted if these]


def _members(
    request: FleetRequest,
    estate: Estate,
    workspace: Workspace,
    inventory: Inventory | None,
    now: datetime,
    rest: Mapping[int, Sequence[Member]] | None,
) -> Iterator[Member]:
    asked = request.asks
    old = _old(workspace, inventory, request.fleet, now)
    wanted = asked.use_cases or USE_CASES
    tasks = (
        tasks_of(workspace, asked.operation, wanted, add_missing=request.fleet.add_missing)
        if rest is None
        else _left(rest[workspace.workspace_id], asked.operation, wanted)
    )
    due = [each for each in tasks if old is None or set(each.use_cases) & old]
    own = asked.not_before or asked.not_after
    window = None if own else workspace.tags.get(WINDOW_TAG) or request.fleet.window
    if not tasks and request.fleet.by_age is None and rest is None:
        yield _nothing_to_do(request.name, workspace, asked.operation)
    for task in due:
        use_cases = task.use_cases if old is None else tuple(each for each in task.use_cases if each in old)
        configuration = estate.configuration(workspace.configuration_id(use_cases[0]))
        yield Member(
            rotation_id=rotation_id_of(request.name, workspace.workspace_id, task.operation),
            workspace_id=workspace.workspace_id,
            workspace_name=workspace.name,
            region=workspace.region,
            operation=task.operation,
            use_cases=use_cases,
            key_arn=configuration.key_arn if configuration else None,
            takes_key_of=task.takes_key_of,
            window=window,
        )


def _old(workspace: Workspace, inventory: Inventory | None, wish: FleetWish, now: datetime) -> set[UseCase] | None:
    """The use cases whose key is old enough, or missing where missing ones are added, and as the inventory saw it; None
    where nobody asks."""
    if wish.by_age is None or inventory is None:
        return None
    uses = [use for row in inventory.workspaces if row.workspace_id == workspace.workspace_id for use in row.keys]
    seen = [each for each in uses if each.configuration_id == workspace.configuration_id(each.use_case)]
    old = {each.use_case for each in seen if _is_older(each, wish, now) and _is_due(each, wish, now)}
    missing = {each.use_case for each in seen if any(why.reason == Reason.NO_KEY for why in each.whys)}
    return old | missing if wish.add_missing else old


def _is_older(use: KeyUse, wish: FleetWish, now: datetime) -> bool:
    if wish.older_than_days is None:
        return True
    return use.material_since is not None and days_old(clock.moment(use.material_since), now) > wish.older_than_days


def _is_due(use: KeyUse, wish: FleetWish, now: datetime) -> bool:
    if wish.due_within_days is None:
        return True
    if use.due_at is None:
        return False
    left = clock.moment(use.due_at) - now
    # What KMS renews before that does not become too old.
    return left <= timedelta(0) or (left <= timedelta(days=wish.due_within_days) and not use.renews_in_time)


def _nothing_to_do(fleet: str, workspace: Workspace, asked: Operation | None) -> Member:
    problem = "it has every key already" if asked == "add" else "the workspace has no key for what is asked"
    why = Refusal("workspace_id", problem, f"leave it out, or see `rekey workspaces {workspace.workspace_id}`")
    return _left_out(fleet, workspace.workspace_id, workspace.name, workspace.region, asked, why)


def _missing(fleet: str, workspace_id: int) -> Member:
    why = Refusal("workspace_id", f"the account has no workspace {workspace_id}", "correct the number, or leave it out")
    return _left_out(fleet, workspace_id, f"Workspace {workspace_id}", "", None, why)


def _left_out(fleet: str, number: int, name: str, region: str, asked: Operation | None, why: Refusal) -> Member:
    return Member(
        rotation_id=rotation_id_of(fleet, number, asked or "rotate"),
        workspace_id=number,
        workspace_name=name,
        region=region,
        operation=asked or "rotate",
        use_cases=(),
        looked_at=True,
        forbidden=(str(why),),
    )
