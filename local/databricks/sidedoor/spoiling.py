"""POST /_sim/...: what others do to a workspace meanwhile."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.access import AccessList
from local.databricks.deletions import How, Kind, Named, delete, found
from local.databricks.http import reply
from local.databricks.seeding.compute_wishes import FailureWish
from local.databricks.sidedoor.common import TheWorld
from local.databricks.state.compute import Failing
from local.databricks.wish import Wish
from local.databricks.world import World

router = APIRouter()


class Admin(Wish):
    """Whether the service principal is an admin of the workspace from now on."""

    workspace_id: int
    admin: bool


class Deletion(Wish):
    """One object that somebody deletes; `id` of an object of the workspace's tree is its path. An "expired" cluster
    was terminated more than 30 days ago."""

    workspace_id: int
    kind: Kind
    id: str | int
    how: How = "deleted"


class Failure(FailureWish):
    """Why a cluster's, warehouse's or pool's starts will come to nothing, or, of the kind "all", those of all classic
    compute of the workspace. Every update of a job will be refused with `refused`."""

    workspace_id: int
    kind: Literal["cluster", "warehouse", "pool", "job", "all"]
    id: str | int = ""
    refused: str = "Cluster validation error: Validation failed for spark_version"


class Fixed(Wish):
    """What is to fail no longer."""

    workspace_id: int
    kind: Literal["cluster", "warehouse", "pool", "job", "all"]
    id: str | int = ""


@router.post("/failures")
async def order_failure(world: TheWorld, wish: Failure) -> JSONResponse:
    """Takes a Failure, from now on in place of the last; 404 when there is no such object."""
    _set_failing(world, wish.workspace_id, wish.kind, str(wish.id), wish.failing(), wish.refused)
    return reply({})


@router.delete("/failures")
async def fix_failure(world: TheWorld, wish: Fixed) -> JSONResponse:
    """Takes a Fixed: it is well from now on; what is under way keeps its fate."""
    _set_failing(world, wish.workspace_id, wish.kind, str(wish.id), None, None)
    return reply({})


def _set_failing(
    world: World, workspace_id: int, kind: str, id_: str, failing: Failing | None, refused: str | None
) -> None:
    workspace = world.workspace(workspace_id)
    if kind == "all":
        workspace.failing = failing
    elif kind == "job":
        found(workspace.jobs.get(int(id_)), Named("job", id_)).update_refused = refused
    elif kind == "pool":
        found(workspace.pools.get(id_), Named("pool", id_)).failing = failing
    elif kind == "warehouse":
        found(workspace.warehouses.get(id_), Named("warehouse", id_)).failing = failing
    else:
        found(workspace.clusters.get(id_), Named("cluster", id_)).failing = failing


@router.post("/access-lists")
async def add_access_list(world: TheWorld, wish: AccessList) -> JSONResponse:
    """Takes an AccessList, see access.py; returns all."""
    world.access_lists.append(wish)
    return reply([each.model_dump() for each in world.access_lists])


@router.delete("/access-lists")
async def remove_access_lists(world: TheWorld) -> JSONResponse:
    """Everybody is let in again."""
    world.access_lists.clear()
    return reply([])


@router.post("/admin")
async def set_admin(world: TheWorld, wish: Admin) -> JSONResponse:
    """Takes an Admin: somebody takes the right away, or gives it back."""
    world.workspace(wish.workspace_id).has_admin = wish.admin
    return reply({})


@router.post("/delete")
async def delete_object(world: TheWorld, wish: Deletion) -> JSONResponse:
    """Takes a Deletion; 404 when there is no such object."""
    delete(world, world.workspace(wish.workspace_id), Named(wish.kind, str(wish.id)), wish.how)
    return reply({})
