"""Canaries in a workspace: written, read and removed. What Databricks answers is raised as it is.

A notebook is under the MANAGED_SERVICES key. A file in DBFS is under the STORAGE key, for a workspace with no other.
"""

from typing import Literal

from rekey.base.errors import NotFound, PermissionDenied
from rekey.databricks.workspace import WorkspaceApi
from rekey.model.canary import FOLDER, When, line, path

Kind = Literal["notebook", "file"]


def write(workspace: WorkspaceApi, rotation_id: str, when: When, kind: Kind = "notebook") -> None:
    """Its folder is made where it is missing: nobody says that a new workspace has it, and people delete folders."""
    if kind == "file":
        workspace.put_file(path_of(rotation_id, when, kind), line(rotation_id, when) + "\n")
        return
    try:
        _import(workspace, rotation_id, when)
    except NotFound:
        workspace.make_folder(FOLDER)
        _import(workspace, rotation_id, when)


def _import(workspace: WorkspaceApi, rotation_id: str, when: When) -> None:
    workspace.import_notebook(path(rotation_id, when), line(rotation_id, when) + "\n")


def path_of(rotation_id: str, when: When, kind: Kind) -> str:
    """In DBFS a file stands where the notebook stands in the workspace."""
    return path(rotation_id, when) if kind == "notebook" else f"/tmp{path(rotation_id, when)}"  # noqa: S108, DBFS' own


def reads(workspace: WorkspaceApi, rotation_id: str, when: When, kind: Kind = "notebook") -> bool:
    """Whether it has the content that it was written with."""
    where = path_of(rotation_id, when, kind)
    content = workspace.export_notebook(where) if kind == "notebook" else workspace.read_file(where)
    return line(rotation_id, when) in content


def shows(workspace: WorkspaceApi, rotation_id: str, when: When, kind: Kind = "notebook") -> bool:
    """Whether Databricks shows it, without its content: for that no key is needed, but the right to read."""
    where = path_of(rotation_id, when, kind)
    try:
        if kind == "notebook":
            workspace.get_object(where)
        else:
            workspace.get_file(where)
    except (NotFound, PermissionDenied):
        return False
    return True


def remove(workspace: WorkspaceApi, rotation_id: str, when: When, kind: Kind = "notebook") -> None:
    where = path_of(rotation_id, when, kind)
    if kind == "notebook":
        workspace.delete_notebook(where)
    else:
        workspace.delete_file(where)
