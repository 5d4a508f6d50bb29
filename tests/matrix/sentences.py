"""What rekey says of keys and compute when it ends, and what must be so in the moment in which it says it."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.matrix.run import Run, Said

Holds = Callable[["Run", "Said"], bool]

_UP = {"RUNNING", "PENDING", "STARTING", "RESIZING"}


def _on_old(run: "Run", said: "Said") -> bool:
    return bool(said.world["keys"].get(run.workspace_id) == run.before["keys"].get(run.workspace_id))


def _on_new(run: "Run", said: "Said") -> bool:
    return not _on_old(run, said)


def _all_back(run: "Run", said: "Said") -> bool:
    down = [
        each
        for each, before in run.before["up"].items()
        if before in _UP and said.world["up"].get(each) not in _UP and each not in run.deleted
    ]
    triggers = [each for each, on in run.before["triggers"].items() if on and said.world["triggers"].get(each) is False]
    return not down and not triggers


def _untouched(run: "Run", said: "Said") -> bool:
    """What another rotation has under way is not this one's touch."""
    return said.idle or (_on_old(run, said) and _all_back(run, said))


def _has_access(run: "Run", said: "Said") -> bool:
    return bool(said.world["access"].get(run.workspace_id))


def _has_none(run: "Run", said: "Said") -> bool:
    return not _has_access(run, said)


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
    re.compile(r"No workspace was made"): lambda _, said: not said.world["keys"],
}
