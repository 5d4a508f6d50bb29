"""The tree of workspace objects: paths, folders, and how each object shows in lists."""

import posixpath
from typing import Any

from local.databricks.errors import already_exists, invalid_parameter, missing
from local.databricks.state import ids
from local.databricks.state.contents import Contents, Notebook, StoredObject

MOST_BYTES = 10 * 1024 * 1024
"""DOC: the limit of import and export."""
ROOT_ID = 0


def clean(path: str) -> str:
    if not path.startswith("/"):
        raise invalid_parameter(f"Path ({path}) doesn't start with '/'")
    return posixpath.normpath(path)


def parent(path: str) -> str:
    return posixpath.dirname(path)


def make_folders(contents: Contents, path: str) -> None:
    """With all missing parents."""
    while path != "/" and path not in contents.folders:
        if path in contents.notebooks or path in contents.others:
            raise already_exists(f"Path ({path}) is not a folder.")
        contents.folders[path] = ids.number(16)
        path = parent(path)


def check_folder(contents: Contents, path: str) -> None:
    if path != "/" and path not in contents.folders:
        raise missing(f"Path ({path}) doesn't exist.")


def find(contents: Contents, path: str) -> dict[str, Any] | None:
    """The object at `path` as lists show it, unless it is a folder or isn't there."""
    if path in contents.notebooks:
        return _render_notebook(contents.notebooks[path])
    if path in contents.others:
        return _render_other(contents.others[path])
    return None


def children(contents: Contents, path: str) -> list[dict[str, Any]]:
    """What is directly in a folder."""
    inside = [render_folder(contents, name) for name in sorted(contents.folders) if parent(name) == path]
    inside += [_render_notebook(n) for name, n in sorted(contents.notebooks.items()) if parent(name) == path]
    # ISSUE terraform-provider-databricks#3081, #4527: names with "/", which the UI let people give.
    inside += [_render_notebook(each.notebook) for each in contents.unreachable if each.folder == path]
    return inside + [_render_other(o) for name, o in sorted(contents.others.items()) if parent(name) == path]


def remove(contents: Contents, path: str) -> None:
    """Forget the one object or folder at `path`, with its permissions."""
    object_ids = [
        contents.folders.pop(path, None),
        *(found.object_id for found in (contents.notebooks.pop(path, None), contents.others.pop(path, None)) if found),
    ]
    contents.repos.discard(path)
    contents.unlistable.discard(path)
    contents.unreachable = [each for each in contents.unreachable if each.folder != path]
    for object_id in object_ids:
        if object_id is not None:
            contents.permissions.pop(object_id, None)


def render_folder(contents: Contents, path: str) -> dict[str, Any]:
    object_id = contents.folders.get(path, ROOT_ID)
    kind = "REPO" if path in contents.repos else "DIRECTORY"
    return {"object_type": kind, "path": path, "object_id": object_id, "resource_id": str(object_id)}


def _render_notebook(notebook: Notebook) -> dict[str, Any]:
    return {"object_type": "NOTEBOOK", "language": notebook.language, **_common(notebook)}


def _render_other(other: StoredObject) -> dict[str, Any]:
    # ISSUE databrickslabs/ucx#480, #521: some objects, e.g. experiments, are listed without a type.
    shown = {**({"object_type": other.object_type} if other.object_type else {}), **_common(other)}
    return {**shown, "size": other.size} if other.object_type == "FILE" else shown


def _common(found: Notebook | StoredObject) -> dict[str, Any]:
    return {
        "path": found.path,
        "object_id": found.object_id,
        "resource_id": str(found.object_id),
        "created_at": int(found.created_at * 1000),
        "modified_at": int(found.modified_at * 1000),
    }
