"""DBFS API 2.0: files in the root bucket, encrypted under the storage key."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import ApiError, already_exists, invalid_parameter, missing
from local.databricks.http import InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.contents import decode, encode, seal_in_storage, unseal
from local.databricks.rules.start import in_settle_wait

router = APIRouter(prefix="/api/2.0/dbfs")

MOST_BYTES = 1024 * 1024

_TAG_BYTES = 16
"""Of AES-GCM, after the content."""


@router.post("/put")
async def put(call: InWorkspace) -> JSONResponse:
    """At most 1 MB, base64 in `contents`."""
    path = call.body.text("path")
    _check_settled(call, f"dbfs put {path}")
    content = decode(str(call.body.get("contents", "")), "contents")
    if len(content) > MOST_BYTES:
        raise ApiError(400, "MAX_BLOCK_SIZE_EXCEEDED", "contents is larger than 1 MB")
    files = call.workspace.contents.files
    if path in files and not call.body.flag("overwrite"):
        raise already_exists(f"A file or directory already exists at the input path {path}.")
    files[path] = (seal_in_storage(call, path, content), call.now)
    return reply({})


@router.get("/read")
async def read(call: InWorkspace) -> JSONResponse:
    """{"bytes_read", "data": base64}, from `offset`, at most `length` (1 MB) bytes."""
    path = call.required_query("path")
    _check_settled(call, f"dbfs read {path}")
    found = call.workspace.contents.files.get(path)
    if found is None:
        raise missing(f"No file or directory exists on path {path}.")
    offset, length = call.query("offset", "0"), call.query("length", str(MOST_BYTES))
    if not (offset.isdigit() and length.isdigit()):
        raise invalid_parameter("offset and length must be whole numbers")
    data = unseal(call, found[0])[int(offset) :][: min(int(length), MOST_BYTES)]
    return reply({"bytes_read": len(data), "data": encode(data)})


@router.get("/get-status")
async def get_status(call: InWorkspace) -> JSONResponse:
    """Size and time of a file, for which no key is needed (API reference, "Get the information of a file")."""
    path = call.required_query("path")
    found = call.workspace.contents.files.get(path)
    if found is None:
        raise missing(f"No file or directory exists on path {path}.")
    sealed, at = found
    size = len(sealed.ciphertext) - _TAG_BYTES
    return reply({"path": path, "is_dir": False, "file_size": size, "modification_time": int(at * 1000)})


@router.post("/delete")
async def delete(call: InWorkspace) -> JSONResponse:
    """Deleting what is not there is no error (API reference, "Delete a file/directory")."""
    call.workspace.contents.files.pop(call.body.text("path"), None)
    return reply({})


def _check_settled(call: WorkspaceCall, what: str) -> None:
    """DOC-OLD: no DBFS call in the 20 minutes; the wording of the refusal is a guess."""
    if not in_settle_wait(call.world, call.workspace):
        return
    call.world.violations.record("dbfs_in_blackout", call.now, call.workspace.workspace_id, what)
    if call.world.switches.early_compute == "fail":
        raise ApiError(503, "TEMPORARILY_UNAVAILABLE", "DBFS is not available while the workspace is updated.")
