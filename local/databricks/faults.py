"""Faults that a test may order: what the network and a bad day at Databricks do to single requests."""

import re
from fnmatch import fnmatchcase
from typing import Any, Literal
from urllib.parse import unquote_plus

from pydantic import Field, model_validator

from local.databricks.oddities import ODDITIES
from local.databricks.wish import Wish

FaultKind = Literal[
    "status",
    "reset",
    "applied_then_lost",
    "stale",
    "rewrite",
    "vanish",
    "garbled",
    "redirect",
    "silent_revert",
    "provisioning_fails",
    "throttle",
]


class Match(Wish):
    """Which requests: `method` "*" is any; `path` is a glob over the whole path, or part of it when it has no
    wildcard; `query` is part of the decoded query, `body` of the body."""

    method: str = "*"
    path: str = "*"
    query: str = ""
    body: str = ""

    def fits(self, method: str, path: str, url: str, body: str) -> bool:
        if self.method.upper() not in ("*", method.upper()):
            return False
        if self.query not in unquote_plus(url.partition("?")[2]) or self.body not in body:
            return False
        if re.search(r"[*?\[]", self.path):
            return fnmatchcase(path, self.path)
        return self.path in path


class Order(Wish):
    """A fault. It befalls the next `times` matching requests (null: all), after letting `skip` of them pass.

    - status: answers `status` with `error_code` and `message`, or `body` as it is, without doing anything
    - reset: the connection is reset before anything is done
    - applied_then_lost: the request is done, then the connection is reset, or `status` is answered if given;
      a request that Databricks refuses does not count
    - stale: a GET is answered with the body it got last time (passes while there was none)
    - rewrite: the request is done, and its answer is changed: `values` ({"instance_pools": null, "*.use_cases": null})
      are put, and what is `absent` (["warehouses.*.state"]) is left out; "*" is every entry; a refusal does not count
    - vanish: what the request names (a cluster, pool, warehouse, pipeline, job, run, or object of the tree) is deleted
      by somebody else before it is done, `how` as for POST /_sim/delete; does not count when there is no such thing
    - garbled: the request is done, and its answer can't be decoded: gzip that is none; a refusal does not count
    - redirect: `status` (302) to `location`, or without one to itself, without doing anything
    - silent_revert: an accepted PATCH comes to nothing; its field shows for `visible_seconds` (simulated);
      a refused one does not count
    - provisioning_fails: an accepted POST of a workspace ends FAILED, with `message`; a refused one does not count
    - throttle: 429 with Retry-After `retry_after` (seconds), code REQUEST_LIMIT_EXCEEDED

    `delay_seconds` (real) are waited first, whatever the kind. `fault` may also be the name of one of the ODDITIES in
    oddities.py, which are orders of these kinds with all their fields; what is given beside it counts.
    """

    match: Match = Match()
    fault: FaultKind
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    error_code: str = "INTERNAL_ERROR"
    message: str = "Something went wrong."
    body: str | None = None
    retry_after: int = 1
    values: dict[str, Any] = Field(default_factory=dict)
    absent: list[str] = Field(default_factory=list)
    location: str | None = None
    how: Literal["deleted", "expired"] = "deleted"
    visible_seconds: float = 0.0
    delay_seconds: float = 0.0

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, wish: Any) -> Any:
        oddity = ODDITIES.get(str(wish.get("fault"))) if isinstance(wish, dict) else None
        return {**oddity, **{name: value for name, value in wish.items() if name != "fault"}} if oddity else wish


class Faults:
    """The orders that are still open, and the bodies that stale answers need."""

    def __init__(self) -> None:
        self._open: list[Order] = []
        self._last_bodies: dict[str, bytes] = {}

    def add(self, order: Order) -> Order:
        self._open.append(order)
        return order

    @property
    def read_bodies(self) -> bool:
        """Whether any open order asks for what a request says."""
        return any(order.match.body for order in self._open)

    def take(self, method: str, path: str, url: str, body: str = "") -> Order | None:
        """The fault that befalls this request, if any; it is used up by that."""
        for order in self._open:
            if not order.match.fits(method, path, url, body):
                continue
            if order.fault == "stale" and (method != "GET" or url not in self._last_bodies):
                continue
            if order.skip > 0:
                order.skip -= 1
                continue
            if order.times is not None:
                order.times -= 1
                if order.times <= 0:
                    self._open = [each for each in self._open if each is not order]
            return order
        return None

    def give_back(self, order: Order) -> None:
        """The request was refused, so that there was nothing to lose or to revert: the order stays open."""
        if order.times is not None:
            order.times += 1
        if not any(each is order for each in self._open):
            self._open.insert(0, order)

    def take_back(self, order: Order) -> None:
        """It befalls nobody any more."""
        self._open = [each for each in self._open if each is not order]

    def clear(self) -> None:
        """Forget every open order."""
        self._open.clear()

    def remember(self, url: str, body: bytes) -> None:
        """Keep what a GET was answered."""
        self._last_bodies[url] = body

    def last_body(self, url: str) -> bytes:
        return self._last_bodies[url]

    def as_list(self) -> list[dict[str, Any]]:
        return [order.model_dump() for order in self._open]
