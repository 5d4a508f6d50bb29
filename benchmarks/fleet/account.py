"""What the Account API is asked: counted where it answers, with the moment of each request."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from local.databricks.world import World

_ACCOUNT = re.compile(r"/api/2\.0/accounts/[^/]+/(.*)")
LISTS = ("GET workspaces", "GET customer-managed-keys")


@dataclass
class AccountRequests:
    """Every request since it began to count. The simulator itself keeps only the last 20,000."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0

    def begin(self, world: World) -> None:
        """From now on, from nothing."""
        self.entries, self.tokens = [], 0
        world.log = self._log  # type: ignore[method-assign]

    def _log(self, entry: dict[str, Any]) -> None:
        # The status is written into the entry later.
        if _ACCOUNT.match(entry["path"]):
            self.entries.append(entry)
        elif entry["path"].startswith("/oidc/accounts/"):
            self.tokens += 1

    @property
    def turned_away(self) -> int:
        return turned_away(self.entries)

    def by_endpoint(self) -> Counter[str]:
        return counted(self.entries)

    @property
    def lists(self) -> int:
        """Those that answer with all workspaces or all configurations of the account."""
        return sum(count for name, count in self.by_endpoint().items() if name in LISTS)

    def most_in(self, seconds: float) -> list[dict[str, Any]]:
        """The most in any span of so many seconds, in their order."""
        entries = sorted(self.entries, key=itemgetter("at"))
        moments = [each["at"] for each in entries]
        spans = (entries[i : bisect_right(moments, at + seconds - 1e-9)] for i, at in enumerate(moments))
        return max(spans, key=len, default=[])


def counted(entries: Iterable[dict[str, Any]]) -> Counter[str]:
    """By endpoint."""
    return Counter(map(endpoint, entries))


def turned_away(entries: Iterable[dict[str, Any]]) -> int:
    return sum("limited" in each for each in entries)


def endpoint(entry: dict[str, Any]) -> str:
    """Such as GET workspaces/{id}."""
    match = _ACCOUNT.match(entry["path"])
    first, *rest = match[1].split("/") if match else [""]
    return f"{entry['method']} {'/'.join([first, *('{id}' for _ in rest)])}"
