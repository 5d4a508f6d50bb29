"""What rekey says of keys and compute when it ends, and what must be so in the moment in which it says it."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.matrix.run import Run

World = Mapping[str, Any]
Holds = Callable[["Run", World], bool]

_UP = {"RUNNING", "PENDING", "STARTING", "RESIZING"}


def _on_old(run: "Run", world: World) -> bool:
    return bool(world["keys"].get(run.workspace_id) == run.before["keys"].get(run.workspace_id))


def _on_new(run: "Run", world: World) -> bool:
    return not _on_old(run, world)


def _all_back(run: "Run", world: World) -> bool:
    down = [
        each
        for each, before in run.before["up"].items()
        if before in _UP and world["up"].get(each) not in _UP and each not in run.deleted
    ]
    triggers = [each for each, on in run.before["triggers"].items() if on and world["triggers"].get(each) is False]
    return not down and not triggers


def _untouched(run: "Run", world: World) -> bool:
    return _on_old(run, world) and _all_back(run, world)


def _has_access(run: "Run", world: World) -> bool:
    return bool(world["access"].get(run.workspace_id))


def _has_none(run: "Run", world: World) -> bool:
    return not _has_access(run, world)


SENTENCES: Mapping[re.Pattern[str], Holds] = {
    re.compile(r"The workspace is on the keys it had before"): _on_old,
    re.compile(r"The workspace is on the new key\b"): _on_new,
    re.compile(r"The workspace shows the new key configuration"): _on_new,
    re.compile(r"(?<!Whether )(?<!Not )\b[Aa]ll compute (resources )?(is|are) back(?! but| is not)"): _all_back,
    re.compile(r"all triggers are back"): _all_back,
    re.compile(r"No compute was touched"): _all_back,
    re.compile(r"[Nn]othing was touched"): _untouched,
    re.compile(r"Databricks' statements are out of the policy of every key"): _has_none,
    re.compile(r"Databricks' statements are back in the policy of every key"): _has_access,
    re.compile(r"No workspace was made"): lambda _, world: not world["keys"],
}
