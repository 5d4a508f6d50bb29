"""What the side door's rooms share: the world, and how a body that does not fit is refused."""

from typing import Annotated, cast

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from local.databricks.errors import ApiError, invalid_parameter, render
from local.databricks.http import world_of
from local.databricks.state.account import Workspace
from local.databricks.world import World

TheWorld = Annotated[World, Depends(world_of)]


def chosen(world: World, workspace_id: int | None) -> list[Workspace]:
    """That workspace, or all of them."""
    return list(world.workspaces.values()) if workspace_id is None else [world.workspace(workspace_id)]


def misfit(error: ValidationError | RequestValidationError) -> ApiError:
    """400, with each field that does not fit and why."""
    found = (f"{_path(each['loc'])}: {each['msg']}" for each in error.errors())
    return invalid_parameter("; ".join(found))


async def refuse_misfit(request: Request, error: Exception) -> Response:
    """The side door's answer in place of FastAPI's own 422."""
    return render(misfit(cast(RequestValidationError, error)), request.url.path)


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"
