"""Every call of Databricks' Account API that rekey can make, as docs/deploy.md lists them: recorded from the client.

python -m tests.account_calls docs/deploy.md      writes the table into the page (`make account-calls`)
"""

import inspect
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from rekey.base.errors import RekeyError
from rekey.databricks import Account
from rekey.databricks.transport import Transport

BEGIN, END = "<!-- account calls: begin -->", "<!-- account calls: end -->"

WHY = {
    "get_workspace": "the workspace: its keys, status, tier, region; whether the switch shows",
    "list_workspaces": "who else uses a key, before it is changed or disabled",
    "create_workspace": "operation create_workspace alone",
    "update_workspace_keys": "the switch, and the way back",
    "list_configurations": "what is registered, and for which use cases",
    "create_configuration": "registers a key",
    "delete_configuration": "of a failed rotation, where nothing uses it",
    "cross_account_role": "the role that starts EC2 instances, which cluster volumes' keys must let in",
    "root_bucket": "whether a wish for a new workspace names what is there",
    "get_network": "the same, and why a network is broken",
}
"""What each method of the client is for."""

_GIVEN: dict[str, Any] = {"use_cases": ("STORAGE",), "wish": {}, "reuse_for_volumes": True}


class Recorder:
    """A transport that only writes down."""

    def __init__(self) -> None:
        self.called: list[tuple[str, str]] = []

    def call(self, method: str, path: str, **_: Any) -> Any:
        self.called.append((method, path))
        return {}


def calls() -> Iterator[tuple[str, str, str]]:
    """(method, path, method of the client), each once."""
    for name, function in inspect.getmembers(Account, inspect.isfunction):
        if name.startswith("_"):
            continue
        recorder = Recorder()
        parameters = [each for each in inspect.signature(function).parameters if each != "self"]
        given = {each: _GIVEN.get(each, f"{{{each}}}") for each in parameters}
        with suppress(RekeyError, KeyError):  # The answer has nothing in it.
            function(Account(cast("Transport", recorder), "{account_id}"), **given)
        yield from ((*each, name) for each in recorder.called)


def table() -> str:
    rows = sorted((path, method, WHY[name]) for method, path, name in calls())
    lines = [f"| `{method} {path}` | {why} |" for path, method, why in rows]
    return "\n".join(["| call | for |", "|---|---|", *lines])


def with_table(page: str) -> str:
    """A page with the table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(with_table(file.read_text(encoding="utf-8")), encoding="utf-8")
