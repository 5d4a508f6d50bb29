"""Canaries in a workspace: written, read and removed. What Databricks answers is raised as it is."""

from rekey.base.errors import NotFound, PermissionDenied
from rekey.databricks.workspace import WorkspaceApi
from rekey.model.canary import FOLDER, When, line, path


def write(workspace: WorkspaceApi, rotation_id: str, when: When) -> None:
    """Its folder is made where it is missing: nobody says that a new workspace has it, and people delete folders."""
    try:
        _import(workspace, rotation_id, when)
    except NotFound:
        workspace.make_folder(FOLDER)
        _import(workspace, rotation_id, when)


def _import(workspace: WorkspaceApi, rotation_id: str, when: When) -> None:
    workspace.import_notebook(path(rotation_id, when), line(rotation_id, when) + "\n")


def reads(workspace: WorkspaceApi, rotation_id: str, when: When) -> bool:
    """Whether the notebook has the content that it was written with."""
    return line(rotation_id, when) in workspace.export_notebook(path(rotation_id, when))


def shows(workspace: WorkspaceApi, rotation_id: str, when: When) -> bool:
    """Whether Databricks shows the notebook, without its content: for that no key is needed, but the right to read."""
    try:
        workspace.get_object(path(rotation_id, when))
    except (NotFound, PermissionDenied):
        return False
    return True


def remove(workspace: WorkspaceApi, rotation_id: str, when: When) -> None:
    workspace.delete_notebook(path(rotation_id, when))
