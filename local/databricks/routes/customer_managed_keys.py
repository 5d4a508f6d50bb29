"""Account API: key configurations (customer-managed-keys)."""

import re
import uuid
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local.databricks.crypto.kms import MANAGED_SERVICES_ACTIONS, STORAGE_ACTIONS, KeyUnusable
from local.databricks.errors import ApiError, invalid_parameter, invalid_state, malformed, missing
from local.databricks.http import Body, InAccount, reply
from local.databricks.settings import REGIONS_WITHOUT_CMK
from local.databricks.state.account import MANAGED_SERVICES, STORAGE, KeyConfiguration, Workspace
from local.databricks.world import World

router = APIRouter(prefix="/api/2.0/accounts/{account_id}")

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")


@router.post("/customer-managed-keys")
async def create(call: InAccount) -> JSONResponse:
    """201 and the configuration. Configurations are immutable: there is no update (DOC)."""
    configuration = register(call.world, call.body)
    return reply(render(call.world, configuration), 201)


@router.get("/customer-managed-keys")
async def list_all(call: InAccount) -> JSONResponse:
    """A bare array, without pages (CODE databricks-sdk-py)."""
    return reply([render(call.world, configuration) for configuration in call.world.configurations.values()])


@router.get("/customer-managed-keys/{configuration_id}")
async def get(call: InAccount, configuration_id: str) -> JSONResponse:
    return reply(render(call.world, _find(call.world, configuration_id)))


@router.delete("/customer-managed-keys/{configuration_id}")
async def delete(call: InAccount, configuration_id: str) -> Response:
    """409 while a workspace references it, or is about to."""
    configuration = _find(call.world, configuration_id)
    for workspace in call.world.workspaces.values():
        if configuration_id in references(workspace):
            raise ApiError(
                409,
                "INVALID_STATE",
                f"Unable to delete, Customer managed key is being used by active workspace {workspace.workspace_id}",
                empty=call.world.switches.delete_in_use == "empty",
            )
    del call.world.configurations[configuration_id]
    if call.world.switches.delete_response == "empty":
        return Response(status_code=200)
    return reply(render(call.world, configuration))


def references(workspace: Workspace) -> set[object]:
    """Configuration ids that the workspace uses, or will when its update is through."""
    found: set[object] = {workspace.managed_services_key_id, workspace.storage_key_id}
    if workspace.update is not None:
        found |= {value for value in workspace.update.changes.values() if isinstance(value, str)}
    return found


def register(world: World, body: Body) -> KeyConfiguration:
    """Check a create request and keep what it asks for."""
    use_cases = body.get("use_cases")
    if not use_cases:
        # ISSUE terraform-provider-databricks#641, verbatim.
        raise malformed("Missing required parameters: use_cases")
    if not isinstance(use_cases, list) or not set(use_cases) <= {MANAGED_SERVICES, STORAGE}:
        raise malformed(f"Invalid use_cases: {use_cases}")
    info = Body(body.get("aws_key_info") or {})
    if not info.get("key_arn"):
        raise malformed("Missing required parameters: aws_key_info.key_arn")
    key_arn = info.text("key_arn")
    match = _KEY_ARN.fullmatch(key_arn)
    if match is None:
        raise malformed(f"Invalid key_arn: {key_arn}")
    region = match[1]
    if info.get("key_region") not in (None, region):
        raise invalid_parameter(f"key_region {info['key_region']} is not the region of {key_arn}")
    reuse = info.flag("reuse_key_for_cluster_volumes") if "reuse_key_for_cluster_volumes" in info else None
    _check_new(world, key_arn, region, use_cases)
    configuration = KeyConfiguration(
        configuration_id=str(uuid.uuid4()),
        use_cases=tuple(use_cases),
        key_arn=key_arn,
        key_alias=info.get("key_alias"),
        key_region=region,
        reuse_key_for_cluster_volumes=reuse,
        created_at=world.now(),
    )
    world.configurations[configuration.configuration_id] = configuration
    return configuration


def render(world: World, configuration: KeyConfiguration) -> dict[str, Any]:
    """The CustomerManagedKey of the account API."""
    info: dict[str, Any] = {"key_arn": configuration.key_arn, "key_region": configuration.key_region}
    if configuration.key_alias:
        info["key_alias"] = configuration.key_alias
    if configuration.reuse_key_for_cluster_volumes is not None or STORAGE in configuration.use_cases:
        info["reuse_key_for_cluster_volumes"] = configuration.reuse_key_for_cluster_volumes is not False
    return {
        "customer_managed_key_id": configuration.configuration_id,
        "creation_time": int(configuration.created_at * 1000),
        "account_id": world.settings.account_id,
        "aws_key_info": info,
        "use_cases": list(configuration.use_cases),
    }


def _check_new(world: World, key_arn: str, region: str, use_cases: list[str]) -> None:
    same = (c for c in world.configurations.values() if c.key_arn == key_arn and set(c.use_cases) == set(use_cases))
    if world.switches.duplicate_configurations == "refuse" and next(same, None):
        raise ApiError(409, "ALREADY_EXISTS", f"A key configuration for {key_arn} exists already")
    if not world.switches.registration_checks_key:
        return
    if region in REGIONS_WITHOUT_CMK:
        raise invalid_parameter(f"Customer-managed keys are not supported in region {region}.")
    keys = world.customer_keys(region, 0)
    try:
        keys.check(key_arn, STORAGE_ACTIONS if STORAGE in use_cases else MANAGED_SERVICES_ACTIONS)
    except KeyUnusable as unusable:
        raise invalid_state(f"Databricks cannot use the key {key_arn}: {unusable}") from unusable


def _find(world: World, configuration_id: str) -> KeyConfiguration:
    found = world.configuration(configuration_id)
    if found is None:
        raise missing(f"Customer managed key {configuration_id} does not exist")
    return found
