"""Workspace objects API 2.0: folders, notebooks and other objects, encrypted under the managed-services key."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from local.databricks.errors import ApiError, already_exists, invalid_parameter
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace import dbc, formats, new_ids, tree
from local.databricks.routes.workspace.contents import decode, encode, seal, unseal
from local.databricks.state import ids
from local.databricks.state.contents import Contents, Notebook, StoredObject

router = APIRouter(prefix="/api/2.0/workspace")


@router.get("/list")
async def list_folder(call: InWorkspace) -> JSONResponse:
    """Direct children, also of a Git folder; the key is absent for an empty folder."""
    path = tree.clean(call.required_query("path"))
    contents = call.workspace.contents
    found = tree.find(contents, path)
    if found is not None:
        return reply({"objects": [found]})
    tree.check_folder(contents, path)
    if path in contents.unlistable:
        raise ApiError(403, "PERMISSION_DENIED", f"User does not have permission to list ({path}).")
    inside = tree.children(contents, path)
    return reply({"objects": inside} if inside else {})


@router.get("/get-status")
async def get_status(call: InWorkspace) -> JSONResponse:
    path = tree.clean(call.required_query("path"))
    contents = call.workspace.contents
    found = tree.find(contents, path)
    if found is not None:
        return reply(found)
    tree.check_folder(contents, path)
    return reply(tree.render_folder(contents, path))


@router.get("/export")
async def export(call: InWorkspace) -> Response:
    """{"content": base64, "file_type"}, or the bytes themselves with direct_download=true; at most 10 MB."""
    path = tree.clean(call.required_query("path"))
    content, file_type = _exported(call, path)
    _check_size(content, "exported")
    if call.query("direct_download").lower() == "true":
        return Response(content, media_type="application/octet-stream")
    return reply({"content": encode(content), "file_type": file_type})


@router.post("/import")
async def import_(call: InWorkspace) -> JSONResponse:
    """Writes anew, so under the present key; at most 10 MB. A notebook, but for format RAW: a file."""
    path = tree.clean(call.body.text("path"))
    content = decode(str(call.body.get("content", "")), "content")
    _check_size(content, "imported")
    contents = call.workspace.contents
    tree.check_folder(contents, tree.parent(path))
    if contents.in_repo(path) and call.world.switches.import_into_repos == "refuse":
        raise invalid_parameter(f"Path ({path}) is in a Git folder.")
    old = contents.notebooks.get(path)
    form = str(call.body.get("format", "SOURCE"))
    if form == "DBC":
        _import_archive(call, path, content)
        return reply({})
    if (old or path in contents.others) and not call.body.flag("overwrite"):
        raise already_exists(f"Path ({path}) already exists.")
    if path in contents.folders:
        raise already_exists(f"Path ({path}) is a folder.")
    if form == "RAW" or path in contents.others:
        _write_file(call, path, form, content)
        return reply({})
    asked = str(call.body.get("language") or "") or formats.language_of(content, form)
    language = (asked or (old.language if old else "PYTHON")).upper()
    if form == "JUPYTER":
        content = new_ids.renewed(content, call.world.switches.import_renews_ids)
    write(call, path, language, formats.stored(content, form, language))
    return reply({})


@router.post("/mkdirs")
async def mkdirs(call: InWorkspace) -> JSONResponse:
    """Makes missing parents too; harmless when it exists."""
    tree.make_folders(call.workspace.contents, tree.clean(call.body.text("path")))
    return reply({})


@router.post("/delete")
async def delete(call: InWorkspace) -> JSONResponse:
    path = tree.clean(call.body.text("path"))
    contents = call.workspace.contents
    if tree.find(contents, path) is None:
        tree.check_folder(contents, path)
    everything = (*contents.folders, *contents.notebooks, *contents.others)
    inside = [name for name in everything if name.startswith(f"{path}/")]
    if inside and not call.body.flag("recursive"):
        raise ApiError(400, "DIRECTORY_NOT_EMPTY", f"Folder ({path}) is not empty")
    for name in (*inside, path):
        tree.remove(contents, name)
    return reply({})


def _import_archive(call: WorkspaceCall, path: str, content: bytes) -> None:
    """A notebook, or a folder with notebooks, where nothing is yet."""
    contents = call.workspace.contents
    if call.body.flag("overwrite") and call.world.switches.dbc_with_overwrite == "refuse":
        raise invalid_parameter("overwrite is not supported for the format DBC.")
    if path in contents.folders or tree.find(contents, path) is not None:
        raise already_exists(f"Path ({path}) already exists.")
    for below, (language, kept) in dbc.unpacked(content).items():
        inside = f"{path}/{below}" if below else path
        tree.make_folders(contents, tree.parent(inside))
        write(call, inside, language, kept)


def _archive(call: WorkspaceCall, path: str) -> bytes:
    inside: dbc.Notebooks = {}
    for name, notebook in call.workspace.contents.notebooks.items():
        if name == path or name.startswith(f"{path}/"):
            inside[name.removeprefix(path).lstrip("/")] = (notebook.language, unseal(call, notebook.content))
    return dbc.packed(inside)


def write(call: WorkspaceCall, path: str, language: str, kept: bytes) -> None:
    """Encrypt and keep a notebook, with its old id and permissions when it had some. Who made it may manage it."""
    contents = call.workspace.contents
    sealed = seal(call, "notebook", path, kept)
    old = contents.notebooks.get(path)
    if old is not None and not call.world.switches.overwrite_keeps_permissions:
        tree.remove(contents, path)
        old = None
    object_id = old.object_id if old else ids.number(16)
    created_at = old.created_at if old else call.now
    contents.notebooks[path] = Notebook(object_id, path, language, created_at, call.now, sealed)
    if old is None:
        _give_to_caller(call, contents, object_id)


def _write_file(call: WorkspaceCall, path: str, form: str, content: bytes) -> None:
    contents = call.workspace.contents
    old = contents.others.get(path)
    if path in contents.notebooks or (old and old.object_type != "FILE") or form not in ("RAW", "AUTO"):
        raise invalid_parameter(f"Path ({path}) is an object of another type.")
    object_id = old.object_id if old else ids.number(16)
    created_at = old.created_at if old else call.now
    sealed = seal(call, "file", path, content)
    contents.others[path] = StoredObject(object_id, "FILE", path, len(content), created_at, call.now, sealed)
    if old is None:
        _give_to_caller(call, contents, object_id)


def _give_to_caller(call: WorkspaceCall, contents: Contents, object_id: int) -> None:
    caller = ("service_principal_name", call.world.settings.client_id)
    contents.permissions[object_id] = {caller: "CAN_MANAGE"}


def _exported(call: WorkspaceCall, path: str) -> tuple[bytes, str]:
    contents, form = call.workspace.contents, call.query("format", "SOURCE")
    if form == "DBC" and path not in contents.others:
        if path not in contents.notebooks:
            tree.check_folder(contents, path)
        return _archive(call, path), "dbc"
    notebook, other = contents.notebooks.get(path), contents.others.get(path)
    if notebook is not None:
        return formats.exported(unseal(call, notebook.content), form, notebook.language)
    if other is None:
        tree.check_folder(contents, path)
        raise invalid_parameter(f"Path ({path}) is a folder: its export is not supported here.")
    if other.content is None:
        raise invalid_parameter(f"Path ({path}) is of a type that can't be exported.")
    return unseal(call, other.content), "lvdash.json" if other.object_type == "DASHBOARD" else "file"


def _check_size(content: bytes, done: str) -> None:
    if len(content) > tree.MOST_BYTES:
        raise ApiError(400, "MAX_NOTEBOOK_SIZE_EXCEEDED", f"File size {done} is ({len(content)} bytes), too big.")
