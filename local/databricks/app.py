"""Puts the rooms together: one ASGI application, one world."""

from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from local.databricks import sidedoor
from local.databricks.access import LOGIN_PAGE
from local.databricks.clock import Clock, RealClock
from local.databricks.crypto.kms import KmsFactory, clients
from local.databricks.errors import ApiError, render
from local.databricks.routes import configurations, customer_managed_keys, oauth, workspace, workspaces
from local.databricks.settings import Settings
from local.databricks.sidedoor.common import refuse_misfit
from local.databricks.wire import AbortConnection, Wire
from local.databricks.world import World


def create_app(
    settings: Settings | None = None,
    kms_factory: KmsFactory | None = None,
    clock: Clock | None = None,
    abort: AbortConnection | None = None,
) -> FastAPI:
    """The simulator. Its World is at `app.state.world`. `abort` resets a request's connection (see serving.py)."""
    settings = settings or Settings()
    world = World(
        settings, kms_factory or clients(settings.aws_endpoint_url, settings.customer_account), clock or RealClock()
    )
    app = FastAPI(title="Databricks simulator", openapi_url=None)
    app.state.world = world
    app.include_router(oauth.router)
    app.include_router(customer_managed_keys.router)
    app.include_router(configurations.router)
    app.include_router(workspaces.router)
    app.include_router(workspace.router, prefix="/w/{deployment_name}")
    app.include_router(workspace.router)
    app.include_router(sidedoor.router)
    app.add_api_route(LOGIN_PAGE, _login_page)
    app.add_exception_handler(ApiError, _refuse)
    app.add_exception_handler(RequestValidationError, refuse_misfit)
    app.add_exception_handler(HTTPException, _no_such_endpoint)
    app.add_middleware(_wire, world=world, abort=abort)
    return app


def _wire(app: Any, world: World, abort: AbortConnection | None) -> Wire:
    return Wire(app, world, abort)


async def _login_page() -> HTMLResponse:
    """Where PrivateLink sends those who come another way."""
    return HTMLResponse("<!doctype html><html><head><title>Databricks - Sign In</title></head><body></body></html>")


async def _refuse(request: Request, error: Exception) -> Response:
    return render(cast(ApiError, error), request.url.path)


async def _no_such_endpoint(request: Request, _error: Exception) -> Response:
    """404 ENDPOINT_NOT_FOUND, also for a method that a path doesn't have."""
    what = f"No API found for '{request.method} {request.url.path}'"
    return render(ApiError(404, "ENDPOINT_NOT_FOUND", what), request.url.path)
