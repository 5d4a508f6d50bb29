"""What a seeded workspace stores: notebooks, other workspace objects, secrets, files, all encrypted."""

import json

from local.databricks.crypto.vault import Asked, Sealed
from local.databricks.routes.workspace import formats, tree
from local.databricks.seeding import with_ids
from local.databricks.seeding.wishes import Stock
from local.databricks.state import ids
from local.databricks.state.account import Workspace
from local.databricks.state.contents import Notebook, StoredObject, Unreachable
from local.databricks.world import World

LANGUAGES = ("PYTHON", "SQL", "SCALA", "R")
REPOSITORY = "/Repos/someone@example.com/project"
_COMMENTS = {"PYTHON": "#", "SQL": "--", "SCALA": "//", "R": "#"}
_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")


def store(world: World, workspace: Workspace, wish: Stock) -> None:
    """Names go on from what is there. Raises KeyUnusable."""
    asked: Asked = {}
    _Shelf(world, workspace, asked).put(wish)
    _store_secrets(world, workspace, wish, asked)
    _store_files(world, workspace, wish)


class _Shelf:
    """Puts workspace objects in their place; data keys are unwrapped once for all of them."""

    def __init__(self, world: World, workspace: Workspace, asked: Asked) -> None:
        self._vault = workspace.vault
        self._contents = workspace.contents
        self._now = world.now()
        self._asked = asked

    def put(self, wish: Stock) -> None:
        tree.make_folders(self._contents, "/Shared")
        made = len(self._contents.notebooks)
        for index in range(made, made + wish.notebooks):
            self._plain(f"/Shared/notebook-{index}", index, 1000 + index)
        for index in range(made, made + wish.mixed_notebooks):
            self._mixed(index)
        for index in range(made, made + wish.large_notebooks):
            text = f"# Databricks notebook source\n{'#' * tree.MOST_BYTES}"
            self._notebook(f"/Shared/large-{index}", "PYTHON", text, "SOURCE")
        made = len(self._contents.others)
        for index in range(made, made + wish.other_objects):
            self._other(index)
        self._put_odd(wish)

    def _put_odd(self, wish: Stock) -> None:
        for index in range(wish.notebooks_with_ids):
            self._notebook(f"/Shared/with-ids-{index}", "PYTHON", with_ids.notebook(index), "JUPYTER")
        for index in range(wish.slashed_notebooks):
            path = f"/Shared/Read / write back {index}"
            self._plain(path, index)
            self._contents.unreachable.append(Unreachable("/Shared", self._contents.notebooks.pop(path)))
        made = len(self._contents.others)
        for index in range(made, made + wish.odd_objects):
            kind, path = (("", "churn-experiment"), ("GENIE_SPACE", "ask"))[(index - made) % 2]
            self._keep(f"/Shared/{path}-{index}", kind, 0, None)
        for index in range(wish.unlistable_folders):
            folder = f"/Shared/locked-{index}"
            tree.make_folders(self._contents, folder)
            self._plain(f"{folder}/notebook", index)
            self._contents.unlistable.add(folder)

    def _plain(self, path: str, index: int, object_id: int | None = None) -> None:
        text = f"# Databricks notebook source\nprint({index})"
        self._notebook(path, "PYTHON", text, "SOURCE", object_id)

    def _mixed(self, index: int) -> None:
        """Every other one is Jupyter with outputs; every third has permissions of its own."""
        language = LANGUAGES[index % len(LANGUAGES)]
        path = f"/Users/user-{index % 3}@example.com/team-{index % 2}/mixed-{index}"
        tree.make_folders(self._contents, path.rpartition("/")[0])
        if index % 2:
            outputs = [{"output_type": "stream", "name": "stdout", "text": [f"{index}\n"]}]
            cell = {"cell_type": "code", "source": [f"print({index})"], "metadata": {}, "outputs": outputs}
            metadata = {"language_info": {"name": language.lower()}}
            text = json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 0})
        else:
            comment = _COMMENTS[language]
            text = f"{comment} Databricks notebook source\nselect {index}\n\n{comment} COMMAND ----------\n\nselect 2"
        object_id = self._notebook(path, language, text, "JUPYTER" if index % 2 else "SOURCE")
        if index % 3 == 0:
            self._contents.permissions[object_id] = {
                ("user_name", f"reader-{index}@example.com"): _LEVELS[index % len(_LEVELS)],
                ("group_name", "data-engineers"): "CAN_EDIT",
            }

    def _notebook(self, path: str, language: str, text: str, form: str, object_id: int | None = None) -> int:
        kept = formats.stored(text.encode(), form, language)
        sealed = self._vault.seal("notebook", path, kept, self._now, self._asked)
        object_id = object_id or ids.number(16)
        self._contents.notebooks[path] = Notebook(object_id, path, language, self._now, self._now, sealed)
        return object_id

    def _other(self, index: int) -> None:
        kind = ("FILE", "LIBRARY", "DASHBOARD", "REPO")[index % 4]
        if kind == "REPO":
            path = f"{REPOSITORY}-{index}"
            tree.make_folders(self._contents, path)
            self._contents.repos.add(path)
            self._plain(f"{path}/notebook", index)
            return
        suffix = {"FILE": "csv", "LIBRARY": "jar", "DASHBOARD": "lvdash.json"}[kind]
        path, content = f"/Shared/object-{index}.{suffix}", f"{kind} {index}".encode()
        sealed = None
        if kind != "LIBRARY":
            sealed = self._vault.seal(kind.lower(), path, content, self._now, self._asked)
        self._keep(path, kind, len(content), sealed)

    def _keep(self, path: str, kind: str, size: int, sealed: Sealed | None) -> None:
        self._contents.others[path] = StoredObject(ids.number(16), kind, path, size, self._now, self._now, sealed)


def _store_secrets(world: World, workspace: Workspace, wish: Stock, asked: Asked) -> None:
    if not wish.secrets:
        return
    scope = workspace.contents.secrets.setdefault("seeded", {})
    made = len(scope)
    for index in range(made, made + wish.secrets):
        sealed = workspace.vault.seal("secret", f"seeded/secret-{index}", f"value {index}".encode(), world.now(), asked)
        scope[f"secret-{index}"] = (sealed, world.now())


def _store_files(world: World, workspace: Workspace, wish: Stock) -> None:
    storage = world.configuration(workspace.storage_key_id)
    made = len(workspace.contents.files)
    for index in range(made, made + wish.files):
        path = f"/FileStore/file-{index}"
        sealed = workspace.vault.seal_in_storage(path, f"file {index}".encode(), storage.key_arn if storage else None)
        workspace.contents.files[path] = (sealed, world.now())
