"""What every endpoint needs of a request: the world, the caller's token, the body, typed."""

import json
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from local.databricks.errors import ApiError, invalid_parameter, is_account_path, malformed
from local.databricks.state.account import Workspace
from local.databricks.state.contents import Contents
from local.databricks.tokens import Grant
from local.databricks.world import World

WORKSPACE_HEADER = "X-Databricks-Workspace-Id"


class Body(dict[str, Any]):
    """A JSON object with typed reads. A value of the wrong type is 400 MALFORMED_REQUEST."""

    def text(self, name: str) -> str:
        """A string that has to be there."""
        value = self.get(name)
        if value is None or value == "":
            raise invalid_parameter(f"Missing required field: {name}")
        return str(value)

    def whole(self, name: str, default: int = 0) -> int:
        value = self.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise malformed(f"Could not parse request object: {name} is not an integer")
        try:
            return int(value)
        except ValueError:
            raise malformed(f"Could not parse request object: {name} is not an integer") from None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.get(name, default)
        if not isinstance(value, bool):
            raise malformed(f"Could not parse request object: {name} is not a boolean")
        return value

    def table(self, name: str) -> dict[str, str]:
        value = self.get(name) or {}
        if not isinstance(value, dict):
            raise malformed(f"Could not parse request object: {name} is not an object")
        return {str(key): str(entry) for key, entry in value.items()}


@dataclass
class AccountCall:
    """An authenticated request to the account API."""

    world: World
    request: Request
    body: Body


@dataclass
class WorkspaceCall:
    """An authenticated request to one workspace's API."""

    world: World
    workspace: Workspace
    request: Request
    body: Body

    @property
    def now(self) -> float:
        return self.world.now()

    def query(self, name: str, default: str = "") -> str:
        return str(self.request.query_params.get(name, default))

    def required_query(self, name: str) -> str:
        value = self.query(name)
        if not value:
            raise invalid_parameter(f"Missing required field: {name}")
        return value


def reply(content: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status_code=status)


def world_of(request: Request) -> World:
    world: World = request.app.state.world
    return world


async def read_body(request: Request) -> Body:
    """The JSON object sent, empty when nothing was. 400 MALFORMED_REQUEST for anything else."""
    raw = await request.body()
    if not raw:
        return Body()
    try:
        parsed = json.loads(raw)
    except ValueError:
        raise malformed("Could not parse request object: not valid JSON") from None
    if not isinstance(parsed, dict):
        raise malformed("Could not parse request object: expected an object")
    return Body(parsed)


async def account_call(request: Request) -> AccountCall:
    world = world_of(request)
    grant = _authenticate(world, request)
    if grant.workspace_id is not None:
        raise ApiError(403, "PERMISSION_DENIED", "A workspace's token is not valid for the account API.")
    if request.path_params["account_id"] != world.settings.account_id:
        raise ApiError(404, "RESOURCE_DOES_NOT_EXIST", "Account does not exist")
    if not world.switches.account_admin:
        raise ApiError(403, "PERMISSION_DENIED", "The caller is not an account admin.")
    return AccountCall(world, request, await read_body(request))


async def workspace_call(request: Request) -> WorkspaceCall:
    world = world_of(request)
    grant = _authenticate(world, request)
    workspace = workspace_of(world, request)
    if grant.workspace_id not in (None, workspace.workspace_id):
        raise ApiError(403, "PERMISSION_DENIED", "The token belongs to another workspace.")
    if workspace.account_id is not None:
        raise ApiError(403, "PERMISSION_DENIED", "The token belongs to another account.")
    if not workspace.has_admin:
        workspace = _as_seen_without_admin(world, workspace, request)
    return WorkspaceCall(world, workspace, request, await read_body(request))


def workspace_of(world: World, request: Request) -> Workspace:
    """By the path's deployment name, or by header for clients that drop a path from their host."""
    deployment_name = request.path_params.get("deployment_name")
    if deployment_name:
        return world.workspace_named(deployment_name)
    header = request.headers.get(WORKSPACE_HEADER, "")
    if not header.isdigit():
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No workspace in the path nor in {WORKSPACE_HEADER}")
    return world.workspace(int(header))


def _as_seen_without_admin(world: World, workspace: Workspace, request: Request) -> Workspace:
    """Who is no admin sees only what is shared with it, and nothing is: empty lists, 403 for the rest (INFER)."""
    path = request.url.path
    if path.endswith("/Me"):
        return workspace
    listing = request.method == "GET" and path.endswith(("/list", "/pipelines", "/sql/warehouses"))
    if not listing or world.switches.without_workspace_admin == "refuse":
        raise ApiError(403, "PERMISSION_DENIED", "The caller is not an admin of this workspace.")
    nothing: dict[str, Any] = {kind: {} for kind in ("clusters", "pools", "warehouses", "jobs", "runs", "pipelines")}
    return replace(workspace, contents=Contents(), **nothing)


def _authenticate(world: World, request: Request) -> Grant:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    grant = world.tokens.find(token, world.now()) if scheme == "Bearer" else None
    if grant is None:
        code = "UNAUTHENTICATED" if is_account_path(request.url.path) else "401"
        raise ApiError(401, code, "Credential was not sent or was of an unsupported type for this API.")
    return grant


InAccount = Annotated[AccountCall, Depends(account_call)]
InWorkspace = Annotated[WorkspaceCall, Depends(workspace_call)]
