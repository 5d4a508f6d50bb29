"""Permissions API 2.0 for workspace objects: an object's own, and those it inherits from its folders."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_parameter, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace import tree
from local.databricks.state.contents import Contents, Principal

router = APIRouter(prefix="/api/2.0/permissions")

PRINCIPALS = ("user_name", "group_name", "service_principal_name")
LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")

_TYPES = {
    "notebooks": ("NOTEBOOK",),
    "files": ("FILE",),
    "dashboards": ("DASHBOARD",),
    "directories": ("DIRECTORY", "REPO"),
    "repos": ("REPO",),
}
_ADMINS: dict[Principal, str] = {("group_name", "admins"): "CAN_MANAGE"}


@router.get("/{family}/{object_id}")
async def get(call: InWorkspace, family: str, object_id: str) -> JSONResponse:
    """All of them; each says whether it is inherited, and from where."""
    return reply(_render(call, family, object_id, _path(call, family, object_id)))


@router.put("/{family}/{object_id}")
async def put(call: InWorkspace, family: str, object_id: str) -> JSONResponse:
    """Replaces the object's own permissions; inherited ones stay."""
    path = _path(call, family, object_id)
    call.workspace.contents.permissions[int(object_id)] = _wanted(call)
    return reply(_render(call, family, object_id, path))


@router.patch("/{family}/{object_id}")
async def patch(call: InWorkspace, family: str, object_id: str) -> JSONResponse:
    """Sets the level of the principals named; the others keep theirs."""
    path = _path(call, family, object_id)
    own = call.workspace.contents.permissions.setdefault(int(object_id), {})
    own.update(_wanted(call))
    return reply(_render(call, family, object_id, path))


def _path(call: WorkspaceCall, family: str, object_id: str) -> str:
    if family not in _TYPES:
        raise invalid_parameter(f"Permissions of {family} are not supported here.")
    for path, kind in _named(call.workspace.contents, object_id):
        if kind in _TYPES[family]:
            return path
    raise missing(f"/{family}/{object_id} does not exist.")


def _named(contents: Contents, object_id: str) -> list[tuple[str, str]]:
    """Path and type of what has the id."""
    sought = int(object_id) if object_id.isdigit() else -1
    found = [(n.path, "NOTEBOOK") for n in contents.notebooks.values() if n.object_id == sought]
    found += [(n.path, "NOTEBOOK") for n in (u.notebook for u in contents.unreachable) if n.object_id == sought]
    found += [(other.path, other.object_type) for other in contents.others.values() if other.object_id == sought]
    folders = {"/": tree.ROOT_ID} | contents.folders
    found += [
        (path, "REPO" if path in contents.repos else "DIRECTORY") for path, id_ in folders.items() if id_ == sought
    ]
    return found


def _wanted(call: WorkspaceCall) -> dict[Principal, str]:
    wanted: dict[Principal, str] = {}
    for entry in call.body.get("access_control_list") or []:
        named = [kind for kind in PRINCIPALS if entry.get(kind)]
        level = entry.get("permission_level")
        if len(named) != 1:
            raise invalid_parameter(f"Exactly one of {', '.join(PRINCIPALS)} is required.")
        if level not in LEVELS:
            raise invalid_parameter(f"permission_level must be one of {', '.join(LEVELS)}, not {level}.")
        wanted[named[0], str(entry[named[0]])] = level
    return wanted


def _render(call: WorkspaceCall, family: str, object_id: str, path: str) -> dict[str, Any]:
    contents = call.workspace.contents
    found: dict[Principal, list[dict[str, Any]]] = {}
    for principal, level in contents.permissions.get(int(object_id), {}).items():
        found.setdefault(principal, []).append({"permission_level": level, "inherited": False})
    while path != "/":
        path = tree.parent(path)
        folder_id = contents.folders.get(path, tree.ROOT_ID)
        given = contents.permissions.get(folder_id, {}) | (_ADMINS if path == "/" else {})
        source = [f"/directories/{folder_id}"]
        for principal, level in given.items():
            inherited = {"permission_level": level, "inherited": True, "inherited_from_object": source}
            found.setdefault(principal, []).append(inherited)
    return {
        "object_id": f"/{family}/{object_id}",
        "object_type": {"directories": "directory"}.get(family, family.removesuffix("s")),
        "access_control_list": [
            {kind: name, **_display(kind, name), "all_permissions": all_permissions}
            for (kind, name), all_permissions in found.items()
        ],
    }


def _display(kind: str, name: str) -> dict[str, str]:
    return {} if kind == "group_name" else {"display_name": name.partition("@")[0]}
