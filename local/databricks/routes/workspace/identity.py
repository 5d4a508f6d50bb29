"""SCIM: who the caller is."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.http import InWorkspace, reply

router = APIRouter()

_ADMINS = {"display": "admins", "type": "direct", "value": "7000000000000002"}
_USERS = {"display": "users", "type": "direct", "value": "7000000000000003"}


@router.get("/api/2.0/preview/scim/v2/Me")
async def me(call: InWorkspace) -> JSONResponse:
    """The service principal, in the group admins if it is one: only an admin sees everyone's compute."""
    client_id = call.world.settings.client_id
    return reply(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"],
            "id": "7000000000000001",
            "userName": client_id,
            "displayName": "rekey",
            "active": True,
            "groups": [_ADMINS, _USERS] if call.workspace.has_admin else [_USERS],
        }
    )
