"""Workspace objects API 2.0: folders and notebooks, encrypted under the managed-services key."""

import posixpath
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local.databricks.errors import ApiError, already_exists, invalid_parameter, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace import formats
from local.databricks.routes.workspace.contents import decode, encode, seal, unseal
from local.databricks.state import ids
from local.databricks.state.account import Contents, Notebook

router = APIRouter(prefix="/api/2.0/workspace")

MOST_BYTES = 10 * 1024 * 1024


@router.get("/list")
async def list_folder(call: InWorkspace) -> JSONResponse:
    """Direct children; the key is absent for an empty folder."""
    path = _clean(call.required_query("path"))
    contents = call.workspace.contents
    if path in contents.notebooks:
        return reply({"objects": [_render_notebook(contents.notebooks[path])]})
    _check_folder(contents, path)
    inside = [_render_folder(contents, name) for name in sorted(contents.folders) if _parent(name) == path]
    inside += [_render_notebook(n) for name, n in sorted(contents.notebooks.items()) if _parent(name) == path]
    return reply({"objects": inside} if inside else {})


@router.get("/get-status")
async def get_status(call: InWorkspace) -> JSONResponse:
    path = _clean(call.required_query("path"))
    contents = call.workspace.contents
    if path in contents.notebooks:
        return reply(_render_notebook(contents.notebooks[path]))
    _check_folder(contents, path)
    return reply(_render_folder(contents, path))


@router.get("/export")
async def export(call: InWorkspace) -> Response:
    """{"content": base64, "file_type"}, or the bytes themselves with direct_download=true."""
    path = _clean(call.required_query("path"))
    notebook = call.workspace.contents.notebooks.get(path)
    if notebook is None:
        raise missing(f"Path ({path}) doesn't exist.")
    kept = unseal(call, notebook.content)
    content, file_type = formats.exported(kept, call.query("format", "SOURCE"), notebook.language)
    if call.query("direct_download").lower() == "true":
        return Response(content, media_type="application/octet-stream")
    return reply({"content": encode(content), "file_type": file_type})


@router.post("/import")
async def import_(call: InWorkspace) -> JSONResponse:
    """Writes anew, so under the present key; at most 10 MB."""
    path = _clean(call.body.text("path"))
    content = decode(str(call.body.get("content", "")), "content")
    if len(content) > MOST_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"File size imported is ({len(content)} bytes), too big.")
    contents = call.workspace.contents
    _check_folder(contents, _parent(path))
    old = contents.notebooks.get(path)
    if old is not None and not call.body.flag("overwrite"):
        raise already_exists(f"Path ({path}) already exists.")
    if path in contents.folders:
        raise already_exists(f"Path ({path}) is a folder.")
    language = str(call.body.get("language") or (old.language if old else "PYTHON")).upper()
    kept = formats.stored(content, str(call.body.get("format", "SOURCE")), language)
    write(call, path, language, kept)
    return reply({})


@router.post("/mkdirs")
async def mkdirs(call: InWorkspace) -> JSONResponse:
    """Makes missing parents too; harmless when it exists."""
    make_folders(call.workspace.contents, _clean(call.body.text("path")))
    return reply({})


@router.post("/delete")
async def delete(call: InWorkspace) -> JSONResponse:
    path = _clean(call.body.text("path"))
    contents = call.workspace.contents
    if contents.notebooks.pop(path, None) is not None:
        return reply({})
    _check_folder(contents, path)
    inside = [name for name in (*contents.folders, *contents.notebooks) if name.startswith(f"{path}/")]
    if inside and not call.body.flag("recursive"):
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
    for name in (*inside, path):
        contents.folders.pop(name, None)
        contents.notebooks.pop(name, None)
    return reply({})


def write(call: WorkspaceCall, path: str, language: str, kept: bytes) -> None:
    """Encrypt and keep a notebook, with its old id when it had one."""
    old = call.workspace.contents.notebooks.get(path)
    call.workspace.contents.notebooks[path] = Notebook(
        object_id=old.object_id if old else ids.number(16),
        path=path,
        language=language,
        created_at=old.created_at if old else call.now,
        modified_at=call.now,
        content=seal(call, "notebook", path, kept),
    )


def make_folders(contents: Contents, path: str) -> None:
    while path != "/" and path not in contents.folders:
        if path in contents.notebooks:
            raise already_exists(f"Path ({path}) is not a folder.")
        contents.folders[path] = ids.number(16)
        path = _parent(path)


def _clean(path: str) -> str:
    if not path.startswith("/"):
        raise invalid_parameter(f"Path ({path}) doesn't start with '/'")
    return posixpath.normpath(path)


def _parent(path: str) -> str:
    return posixpath.dirname(path)


def _check_folder(contents: Contents, path: str) -> None:
    if path != "/" and path not in contents.folders:
        raise missing(f"Path ({path}) doesn't exist.")


def _render_folder(contents: Contents, path: str) -> dict[str, Any]:
    object_id = contents.folders.get(path, 0)
    return {"object_type": "DIRECTORY", "path": path, "object_id": object_id, "resource_id": str(object_id)}


def _render_notebook(notebook: Notebook) -> dict[str, Any]:
    return {
        "object_type": "NOTEBOOK",
        "path": notebook.path,
        "language": notebook.language,
        "object_id": notebook.object_id,
        "resource_id": str(notebook.object_id),
        "created_at": int(notebook.created_at * 1000),
        "modified_at": int(notebook.modified_at * 1000),
    }
