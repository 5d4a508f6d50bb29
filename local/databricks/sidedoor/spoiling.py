"""POST /_sim/...: what others do to a workspace meanwhile."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.deletions import How, Kind, Named, delete
from local.databricks.http import reply
from local.databricks.seeding.compute_wishes import Wish
from local.databricks.sidedoor.common import TheWorld

router = APIRouter()


class Deletion(Wish):
    """One object that somebody deletes; `id` of an object of the workspace's tree is its path. An "expired" cluster
    was terminated more than 30 days ago."""

    workspace_id: int
    kind: Kind
    id: str | int
    how: How = "deleted"


@router.post("/delete")
async def delete_object(world: TheWorld, wish: Deletion) -> JSONResponse:
    """Takes a Deletion; 404 when there is no such object."""
    delete(world, world.workspace(wish.workspace_id), Named(wish.kind, str(wish.id)), wish.how)
    return reply({})
