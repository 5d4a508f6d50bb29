"""The simulator's own side door, /_sim: for tests and the demo, not part of Databricks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import Any, get_args, get_type_hints

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from local.databricks import inspection
from local.databricks.crypto.kms import KeyUnusable
from local.databricks.errors import ApiError, invalid_parameter
from local.databricks.federation import MOST_POLICIES, FederationPolicy
from local.databricks.http import Body, read_body, reply, world_of
from local.databricks.lower_bound import lower_bound
from local.databricks.routes import configurations
from local.databricks.routes.workspaces import render
from local.databricks.rules.keys import health, note_disabled
from local.databricks.seeding import Seed, Stock, account, fill, seed
from local.databricks.settings import Latencies, Switches
from local.databricks.state.account import Workspace

router = APIRouter(prefix="/_sim")


@router.get("/health")
async def get_health(request: Request) -> JSONResponse:
    """{"objects": n, "unreadable": [{"workspace_id", "kind", "name", "key_arn", "reason"}]}; ?workspace_id= for one."""
    return reply(health(world_of(request), _chosen(request)))


@router.get("/violations")
async def get_violations(request: Request) -> JSONResponse:
    """[{"rule", "at", "workspace_id", "detail"}], in order."""
    world = world_of(request)
    for workspace in world.workspaces.values():
        note_disabled(world, workspace)
    return reply(world.violations.as_list())


@router.get("/state")
async def get_state(request: Request) -> JSONResponse:
    """Everything worth asserting on; see inspection.py."""
    return reply(inspection.dump(world_of(request)))


@router.get("/requests")
async def get_requests(request: Request) -> JSONResponse:
    """[{"method", "path", "query", "status", "at", "fault"}]; no headers, no bodies. status null: no answer."""
    return reply(world_of(request).requests)


@router.get("/lower_bound")
async def get_lower_bound(request: Request) -> JSONResponse:
    """?workspace_id= &operation=add|rotate &storage=true|false; see lower_bound.py."""
    world, query = world_of(request), request.query_params
    chosen = _chosen(request)
    if "workspace_id" not in query:
        raise invalid_parameter("workspace_id is required")
    storage = query.get("storage", "false").lower() == "true"
    return reply(lower_bound(world, chosen[0], query.get("operation", "rotate"), storage))


@router.post("/reset")
async def reset(request: Request) -> JSONResponse:
    """Forget everything; settings stay."""
    world_of(request).reset()
    return reply({})


@router.post("/workspaces")
async def seed_workspace(request: Request) -> JSONResponse:
    """Takes a Seed; the workspace as GET shows it, with "configurations": {use case: id} and "role_arn"."""
    world = world_of(request)
    with _refusing():
        workspace = seed(world, Seed(**_known(await read_body(request), Seed)))
    keys = {
        "managed_services": workspace.managed_services_key_id,
        "storage": workspace.storage_key_id,
    }
    return reply(
        {
            **render(world, workspace),
            "configurations": {name: found for name, found in keys.items() if found},
            "role_arn": world.credentials[workspace.credentials_id].role_arn,
        }
    )


@router.post("/workspaces/{workspace_id}/contents")
async def fill_workspace(request: Request, workspace_id: int) -> JSONResponse:
    """Takes a Stock: more compute, jobs and contents for a workspace that is there, e.g. one made by the account API.
    Returns the workspace as GET shows it."""
    world = world_of(request)
    with _refusing():
        fill(world, world.workspace(workspace_id), Stock(**_known(await read_body(request), Stock)))
    return reply(render(world, world.workspace(workspace_id)))


@router.post("/credentials")
async def add_credentials(request: Request) -> JSONResponse:
    """Takes {"credentials_name", "role_arn"}, both may be left out; the credentials as GET shows them."""
    body = await read_body(request)
    made = account.add_credentials(
        world_of(request), str(body.get("credentials_name", "credentials")), body.get("role_arn")
    )
    return reply(configurations.render_credentials(world_of(request), made))


@router.post("/storage_configurations")
async def add_storage(request: Request) -> JSONResponse:
    """Takes {"storage_configuration_name", "bucket_name"}, both may be left out."""
    body = await read_body(request)
    name = str(body.get("storage_configuration_name", "storage"))
    made = account.add_storage(world_of(request), name, body.get("bucket_name"))
    return reply(configurations.render_storage(world_of(request), made))


@router.post("/networks")
async def add_network(request: Request) -> JSONResponse:
    """Takes {"network_name", "vpc_id", "subnet_ids", "security_group_ids"}, all may be left out, and "error_messages"
    ([{"error_type", "error_message"}]), with which a workspace that uses it ends FAILED, or "warning_messages"."""
    made = account.add_network(world_of(request), await read_body(request))
    return reply(configurations.render_network(world_of(request), made))


@router.post("/federation_policies")
async def add_federation_policy(request: Request) -> JSONResponse:
    """Takes the service principal's {"issuer", "subject", "audiences", "subject_claim", "jwks_json"}, the last three
    may be left out; returns how many there are. A reset keeps them, as it keeps the client secret."""
    world = world_of(request)
    wish = _known(await read_body(request), FederationPolicy)
    if len(world.federation_policies) >= MOST_POLICIES:
        raise invalid_parameter(f"A service principal has at most {MOST_POLICIES} federation policies")
    with _refusing():
        policy = FederationPolicy(**{**wish, "audiences": tuple(wish.get("audiences", ()))})
    world.federation_policies.append(policy)
    return reply({"policies": len(world.federation_policies)})


@router.delete("/federation_policies")
async def remove_federation_policies(request: Request) -> JSONResponse:
    """The service principal trusts nobody any more; its tokens stay good for their hour."""
    world_of(request).federation_policies.clear()
    return reply({"policies": 0})


@router.post("/faults")
async def order_fault(request: Request) -> JSONResponse:
    """Takes a fault order, see faults.py; returns all open ones."""
    world = world_of(request)
    try:
        world.faults.order(await read_body(request))
    except ValueError as error:
        raise invalid_parameter(str(error)) from error
    return reply(world.faults.as_list())


@router.delete("/faults")
async def cancel_faults(request: Request) -> JSONResponse:
    """Cancels every open order."""
    world_of(request).faults.clear()
    return reply([])


@router.post("/switches")
async def set_switches(request: Request) -> JSONResponse:
    """Sets switches by name; returns all. See Switches in settings.py."""
    world = world_of(request)
    for name, value in _known(await read_body(request), Switches).items():
        allowed = get_args(get_type_hints(Switches)[name])
        if allowed and value not in allowed:
            raise invalid_parameter(f"{name} is one of {allowed}, not {value!r}")
        setattr(world.switches, name, value)
    return reply(asdict(world.switches))


@router.post("/latencies")
async def set_latencies(request: Request) -> JSONResponse:
    """Sets latencies by name, in simulated seconds; returns all. What is under way keeps its times."""
    world = world_of(request)
    for name, value in _known(await read_body(request), Latencies).items():
        setattr(world.latencies, name, float(value))
    return reply(asdict(world.latencies))


@contextmanager
def _refusing() -> Iterator[None]:
    """400 for a wish that can't be met."""
    try:
        yield
    except TypeError as error:
        raise invalid_parameter(str(error)) from error
    except KeyUnusable as unusable:
        raise ApiError(400, "KEY_UNUSABLE", f"{unusable.key_arn}: {unusable}") from unusable


def _known(
    body: Body, shape: type[Seed] | type[Stock] | type[Switches] | type[Latencies] | type[FederationPolicy]
) -> dict[str, Any]:
    unknown = set(body) - {entry.name for entry in fields(shape)}
    if unknown:
        raise invalid_parameter(f"Unknown: {', '.join(sorted(unknown))}")
    return dict(body)


def _chosen(request: Request) -> list[Workspace]:
    world = world_of(request)
    workspace_id = request.query_params.get("workspace_id")
    if workspace_id is None:
        return list(world.workspaces.values())
    return [world.workspace(int(workspace_id) if workspace_id.isdigit() else 0)]
