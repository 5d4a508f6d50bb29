"""Secrets API 2.0, encrypted under the managed-services key."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.crypto.vault import Sealed
from local.databricks.errors import already_exists, invalid_parameter, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.contents import decode, encode, seal, unseal

router = APIRouter(prefix="/api/2.0/secrets")


@router.post("/scopes/create")
async def create_scope(call: InWorkspace) -> JSONResponse:
    scope = call.body.text("scope")
    if scope in call.workspace.contents.secrets:
        raise already_exists(f"Scope {scope} already exists!")
    call.workspace.contents.secrets[scope] = {}
    return reply({})


@router.get("/scopes/list")
async def list_scopes(call: InWorkspace) -> JSONResponse:
    scopes = [{"name": name, "backend_type": "DATABRICKS"} for name in call.workspace.contents.secrets]
    return reply({"scopes": scopes} if scopes else {})


@router.post("/put")
async def put(call: InWorkspace) -> JSONResponse:
    """Exactly one of string_value and bytes_value (base64)."""
    scope, key = call.body.text("scope"), call.body.text("key")
    given = [name for name in ("string_value", "bytes_value") if name in call.body]
    if len(given) != 1:
        raise invalid_parameter("Exactly one of string_value and bytes_value is required")
    text = str(call.body[given[0]])
    content = text.encode() if given[0] == "string_value" else decode(text, "bytes_value")
    _scope(call, scope)[key] = (seal(call, "secret", f"{scope}/{key}", content), call.now)
    return reply({})


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    """{"key", "value": base64}."""
    scope, key = call.required_query("scope"), call.required_query("key")
    found = _scope(call, scope).get(key)
    if found is None:
        raise missing(f"Failed to get secret {key} for scope {scope}")
    return reply({"key": key, "value": encode(unseal(call, found[0]))})


@router.get("/list")
async def list_secrets(call: InWorkspace) -> JSONResponse:
    """Names only, which takes no key."""
    found = _scope(call, call.required_query("scope"))
    secrets = [{"key": key, "last_updated_timestamp": int(at * 1000)} for key, (_, at) in found.items()]
    return reply({"secrets": secrets} if secrets else {})


@router.post("/delete")
async def delete(call: InWorkspace) -> JSONResponse:
    scope, key = call.body.text("scope"), call.body.text("key")
    if _scope(call, scope).pop(key, None) is None:
        raise missing(f"Failed to get secret {key} for scope {scope}")
    return reply({})


def _scope(call: WorkspaceCall, scope: str) -> dict[str, tuple[Sealed, float]]:
    found = call.workspace.contents.secrets.get(scope)
    if found is None:
        raise missing(f"Scope {scope} does not exist!")
    return found
