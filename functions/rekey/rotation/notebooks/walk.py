"""Finds the notebooks under the paths of the request, folder by folder, and cuts them into batches."""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from rekey.base import clock
from rekey.base.errors import DatabricksError, NotFound
from rekey.databricks import WorkspaceApi
from rekey.databricks.answers import UNKNOWN
from rekey.model.actions import Action
from rekey.model.answers import ListProgress
from rekey.model.canary import is_canary
from rekey.model.steps import StepName
from rekey.rotation.notebooks import store
from rekey.rotation.notebooks.reach import NOT_NOW, UNREACHABLE, found_missing, is_below, is_everybodys
from rekey.rotation.notebooks.store import Listing, Outcome, Row, failed, skipped
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
        listing = Listing(roots=tuple(rotation.request.renew_notebooks or ()))
    listing, trouble = _walk(step.workspace, listing)
    if left := listing.left:
        until = rotation.list_until or step.later(LIST_SECONDS)
        if not clock.passed(until):
            store.put(bucket, key, listing)
            step.note(notebooks_key=key, list_until=until)
            return ListProgress.waiting([f"{len(left)} folders to be listed{trouble}"])
        late = [Row(path=path, outcome=failed(f"it could not be listed in time{trouble}")) for path in left]
        listing = listing.model_copy(update={"roots": (), "ahead": (), "others": (*listing.others, *late)})
    store.put(bucket, key, listing)
    batches = min(MOST_BATCHES, -(-len(listing.notebooks) // BATCH_SIZE))
    for number in range(batches):
        store.put_new_batch(bucket, rotation.rotation_id, number)
    detail = {"notebooks": len(listing.notebooks), "others": len(listing.others), "batches": batches, "list": key}
    step.record(STEP, Action.NOTEBOOKS_LISTED, detail, notebooks_key=key, notebook_batches=batches)
    return _listed(batches)


def _listed(batches: int) -> ListProgress:
    return ListProgress(done=True, batches=tuple(range(batches)))


def _walk(api: WorkspaceApi, listing: Listing) -> tuple[Listing, str]:
    """The listing some folders further, and what kept it from going on, "" where only its time was over."""
    walk = _Walk(api, listing)
    return walk.go_on(), walk.trouble


class _Walk:
    """From the request's own paths down: each is a folder, a notebook, or a row with the reason why it is neither."""

    def __init__(self, api: WorkspaceApi, listing: Listing) -> None:
        self._api = api
        self._roots, self._ahead = deque(listing.roots), deque(listing.ahead)
        self._notebooks = dict.fromkeys(listing.notebooks)
        self._others = {each.path: each for each in listing.others}
        self.trouble = ""

    def go_on(self) -> Listing:
        """What cannot be had now goes to the end of its queue. Two in a row end the call, and so does what would meet
        the next one too: Databricks needs a rest."""
        until, in_a_row = time.monotonic() + WORK_SECONDS, 0
        while (queue := self._roots or self._ahead) and in_a_row < 2 and time.monotonic() < until:
            path = queue[0]
            try:
                self._sort(path) if queue is self._roots else self._open(path)
            except NOT_NOW as error:
                queue.rotate(-1)
                in_a_row, self.trouble = in_a_row + 1, f": {error}"
                if is_everybodys(error):
                    break
                continue
            except DatabricksError as error:
                self._report(path, failed(f"it could not be listed: {error}"))
            queue.popleft()
            in_a_row, self.trouble = 0, ""
        return Listing(
            roots=tuple(self._roots),
            ahead=tuple(dict.fromkeys(self._ahead)),
            notebooks=tuple(self._notebooks),
            others=tuple(self._others.values()),
        )

    def _sort(self, path: str) -> None:
        """One of the request's own paths."""
        found = _look(self._api, path)
        if found is None:
            self._report(path, failed("there is no such path"))
        elif _in_git_folder(self._api, path):
            self._report(path, GIT_FOLDER)
        elif found["object_type"] in _FOLDERS:
            self._ahead.append(path)
        else:
            self._take(found)

    def _open(self, folder: str) -> None:
        try:
            children = self._api.list_objects(folder)
        except NotFound:
            self._report(folder, found_missing(self._api, folder))
            return
        for child in children:
            if is_canary(child["path"]):
                continue  # It must stay under the old key: that it still reads is the proof that the key is not missed.
            if child["object_type"] in ("DIRECTORY", "NOTEBOOK") and not is_below(folder, child["path"]):
                self._report(child["path"], UNREACHABLE)
            elif child["object_type"] == "DIRECTORY":
                self._ahead.append(child["path"])
            else:
                self._take(child)

    def _take(self, found: dict[str, Any]) -> None:
        kind, path = found["object_type"], found["path"]
        if kind == "NOTEBOOK":
            self._notebooks[path] = None
        elif kind == "REPO":
            self._report(path, skipped("a Git folder, whose remote has it"))
        else:
            named = "an object without a type" if kind == UNKNOWN else f"a {kind}"
            self._report(path, skipped(f"{named}, no notebook"))

    def _report(self, path: str, outcome: Outcome) -> None:
        self._others[path] = Row(path=path, outcome=outcome)


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
