"""Finds the notebooks under the paths of the request, folder by folder, and cuts them into batches."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from rekey.base import clock
from rekey.base.errors import DatabricksError, NotFound, Transient
from rekey.databricks import WorkspaceApi
from rekey.model.actions import Action
from rekey.model.answers import ListProgress
from rekey.model.canary import is_canary
from rekey.model.steps import StepName
from rekey.rotation.notebooks import store
from rekey.rotation.notebooks.store import Listing, Row, failed, skipped
from rekey.rotation.step import Step

STEP = StepName.LIST_NOTEBOOKS

WORK_SECONDS = 75
"""A call begins nothing new after this long: its Lambda has at most 120 seconds."""

LIST_SECONDS = 400
"""After this long what is listed is renewed and the rest reported: the loop's budget is 600."""

MOST_BATCHES = 20
"""Each is an item of a Map and some hundred events in Step Functions' history."""

BATCH_SIZE = 25
"""Notebooks in a batch, while there are few enough of them."""

GIT_FOLDER = skipped("in a Git folder, whose remote has it")

_FOLDERS = ("DIRECTORY", "REPO")


def missing_paths(api: WorkspaceApi, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of the paths that the workspace does not have."""
    return tuple(path for path in paths if _look(api, path) is None)


def list_notebooks(step: Step) -> ListProgress:
    """Level-triggered. Once done it gives {"batches": [0, 1, …]}, the numbers that the Map goes through."""
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    if rotation.notebook_batches is not None:
        return _listed(rotation.notebook_batches)
    key = store.listing_key(rotation.rotation_id)
    if rotation.notebooks_key:
        listing = store.read_listing(bucket, key)
    else:
        listing = _roots(step.workspace, rotation.request.renew_notebooks or ())
    listing = _walk(step.workspace, listing)
    until = rotation.list_until or step.later(LIST_SECONDS)
    if listing.ahead and clock.passed(until):
        late = (Row(path=path, outcome=failed("this folder could not be listed in time")) for path in listing.ahead)
        listing = listing.model_copy(update={"ahead": (), "others": (*listing.others, *late)})
    store.put(bucket, key, listing)
    if listing.ahead:
        step.note(notebooks_key=key, list_until=until)
        return ListProgress.waiting([f"{len(listing.ahead)} folders to be listed"])
    batches = min(MOST_BATCHES, -(-len(listing.notebooks) // BATCH_SIZE))
    for number in range(batches):
        store.put_new_batch(bucket, rotation.rotation_id, number)
    detail = {"notebooks": len(listing.notebooks), "others": len(listing.others), "batches": batches, "list": key}
    step.record(STEP, Action.NOTEBOOKS_LISTED, detail, notebooks_key=key, notebook_batches=batches)
    return _listed(batches)


def _listed(batches: int) -> ListProgress:
    return ListProgress(done=True, batches=tuple(range(batches)))


def _roots(api: WorkspaceApi, paths: Sequence[str]) -> Listing:
    """The request's own paths, sorted into folders, notebooks and the rest."""
    folders, notebooks, others = [], [], []
    for path in paths:
        found = _look(api, path)
        if found is None:
            others.append(Row(path=path, outcome=failed("there is no such path")))
        elif _in_git_folder(api, path):
            others.append(Row(path=path, outcome=GIT_FOLDER))
        elif found["object_type"] in _FOLDERS:
            folders.append(path)
        elif found["object_type"] == "NOTEBOOK":
            notebooks.append(path)
        else:
            others.append(_other(found))
    return Listing(ahead=tuple(folders), notebooks=tuple(notebooks), others=tuple(others))


def _walk(api: WorkspaceApi, listing: Listing) -> Listing:
    """The listing some folders further. Raises a Transient error only where no folder could be read at all."""
    ahead, seen = deque(listing.ahead), 0
    notebooks, others = dict.fromkeys(listing.notebooks), {each.path: each for each in listing.others}
    until = time.monotonic() + WORK_SECONDS
    while ahead and time.monotonic() < until:
        folder = ahead[0]
        try:
            children = api.list_objects(folder)
        except Transient:
            if not seen:
                raise
            break
        except NotFound:
            children = []  # It was deleted since.
        except DatabricksError as error:
            others[folder] = Row(path=folder, outcome=failed(f"this folder could not be listed: {error}"))
            children = []
        seen += 1
        ahead.popleft()
        for child in children:
            if child["object_type"] == "DIRECTORY":
                ahead.append(child["path"])
            elif is_canary(child["path"]):
                continue  # It must stay under the old key: that it still reads is the proof that the key is not missed.
            elif child["object_type"] == "NOTEBOOK":
                notebooks[child["path"]] = None
            else:
                others[child["path"]] = _other(child)
        ahead = deque(dict.fromkeys(ahead))
    return Listing(ahead=tuple(ahead), notebooks=tuple(notebooks), others=tuple(others.values()))


def _other(found: dict[str, Any]) -> Row:
    kind = found["object_type"]
    outcome = skipped("a Git folder, whose remote has it") if kind == "REPO" else skipped(f"a {kind}, no notebook")
    return Row(path=found["path"], outcome=outcome)


def _look(api: WorkspaceApi, path: str) -> dict[str, Any] | None:
    try:
        return api.get_object(path)
    except NotFound:
        return None


def _in_git_folder(api: WorkspaceApi, path: str) -> bool:
    """Whether the path or a folder above it is one: the workspace API must not write there."""
    parts = path.strip("/").split("/")
    above = ("/" + "/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return any((_look(api, each) or {}).get("object_type") == "REPO" for each in above)
