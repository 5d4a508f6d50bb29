"""OAuth: discovery documents and the token endpoint, for the account and for each workspace."""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from local.databricks import federation
from local.databricks.errors import missing
from local.databricks.http import reply, workspace_of, world_of
from local.databricks.world import World

router = APIRouter()


class OAuthError(Exception):
    """An OAuth error answer: {"error", "error_description"}."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.status = status
        self.error = error
        self.description = description


@router.get("/.well-known/databricks-config")
async def account_config(request: Request) -> JSONResponse:
    """Where the account's OAuth is; the official SDK asks this first."""
    account_id = world_of(request).settings.account_id
    return reply(
        {
            "oidc_endpoint": f"{_root(request)}/oidc/accounts/{account_id}",
            "account_id": account_id,
            "cloud": "aws",
        }
    )


@router.get("/w/{deployment_name}/.well-known/databricks-config")
async def workspace_config(request: Request) -> JSONResponse:
    world = world_of(request)
    workspace = workspace_of(world, request)
    return reply(
        {
            "oidc_endpoint": f"{_workspace_root(request)}/oidc",
            "account_id": world.settings.account_id,
            "workspace_id": str(workspace.workspace_id),
            "cloud": "aws",
        }
    )


@router.get("/oidc/accounts/{account_id}/.well-known/oauth-authorization-server")
async def account_discovery(request: Request, account_id: str) -> JSONResponse:
    _check_account(request, account_id)
    return reply(_discovery(f"{_root(request)}/oidc/accounts/{account_id}"))


@router.get("/w/{deployment_name}/oidc/.well-known/oauth-authorization-server")
async def workspace_discovery(request: Request) -> JSONResponse:
    workspace_of(world_of(request), request)
    return reply(_discovery(f"{_workspace_root(request)}/oidc"))


@router.post("/oidc/accounts/{account_id}/v1/token")
async def account_token(request: Request, account_id: str) -> JSONResponse:
    """A token for the account and all its workspaces."""
    _check_account(request, account_id)
    return await _token(request, None)


@router.post("/w/{deployment_name}/oidc/v1/token")
async def workspace_token(request: Request) -> JSONResponse:
    """A token for this workspace only."""
    workspace = workspace_of(world_of(request), request)
    return await _token(request, workspace.workspace_id)


async def _token(request: Request, workspace_id: int | None) -> JSONResponse:
    world = world_of(request)
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    try:
        authenticate = _GRANT_TYPES.get(form.get("grant_type", ""))
        if authenticate is None:
            raise OAuthError(400, "unsupported_grant_type", "The grant type is not supported")
        authenticate(world, request, form)
        if form.get("scope") != "all-apis":
            raise OAuthError(400, "invalid_scope", "The scope must be all-apis")
    except OAuthError as error:
        content = {"error": error.error, "error_description": error.description}
        return reply(content, error.status)
    lifetime = world.settings.token_seconds
    token = world.tokens.issue(world.now() + lifetime, workspace_id)
    return reply({"access_token": token, "token_type": "Bearer", "expires_in": int(lifetime), "scope": "all-apis"})


def _machine_to_machine(world: World, request: Request, _form: dict[str, str]) -> None:
    """HTTP Basic with the service principal's client id and secret."""
    expected = (world.settings.client_id, world.settings.client_secret)
    if _basic(request.headers.get("Authorization", "")) != expected:
        raise OAuthError(401, "invalid_client", "Client authentication failed")


def _token_exchange(world: World, _request: Request, form: dict[str, str]) -> None:
    """Workload identity federation: a JWT that one of the service principal's policies accepts.

    GAP: the codes and texts of refusals are not documented; RFC 8693 has invalid_request for an unacceptable token.
    """
    if form.get("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt":
        raise OAuthError(400, "invalid_request", "The subject token type is not supported")
    if form.get("client_id") != world.settings.client_id:
        raise OAuthError(401, "invalid_client", "There is no service principal with this client id")
    try:
        federation.check(
            form.get("subject_token", ""), world.federation_policies, world.settings.account_id, world.now()
        )
    except federation.Refused as refused:
        raise OAuthError(400, "invalid_request", f"Token exchange failed: {refused}") from refused


_GRANT_TYPES: dict[str, Callable[[World, Request, dict[str, str]], None]] = {
    "client_credentials": _machine_to_machine,
    "urn:ietf:params:oauth:grant-type:token-exchange": _token_exchange,
}


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def _check_account(request: Request, account_id: str) -> None:
    if account_id != world_of(request).settings.account_id:
        raise missing("Account does not exist")


def _discovery(endpoint: str) -> dict[str, Any]:
    return {
        "issuer": endpoint,
        "authorization_endpoint": f"{endpoint}/v1/authorize",
        "token_endpoint": f"{endpoint}/v1/token",
        "grant_types_supported": sorted(_GRANT_TYPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "scopes_supported": ["all-apis"],
    }


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _workspace_root(request: Request) -> str:
    return f"{_root(request)}/w/{request.path_params['deployment_name']}"
