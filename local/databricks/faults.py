"""Faults that a test may order: what the network and a bad day at Databricks do to single requests."""

import re
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

FaultKind = Literal["status", "reset", "applied_then_lost", "stale", "silent_revert", "provisioning_fails", "throttle"]


@dataclass(eq=False)
class Fault:
    """One order. It befalls the next `times` matching requests (None: all), after letting `skip` of them pass.

    - status: answers `status` with `error_code` and `message`, or `body` as it is, without doing anything
    - reset: the connection is reset before anything is done
    - applied_then_lost: the request is done, then the connection is reset, or `status` is answered if given;
      a request that Databricks refuses does not count
    - stale: a GET is answered with the body it got last time (passes while there was none)
    - silent_revert: an accepted PATCH comes to nothing; its field shows for `visible_seconds` (simulated);
      a refused one does not count
    - provisioning_fails: an accepted POST of a workspace ends FAILED, with `message`; a refused one does not count
    - throttle: 429 with Retry-After `retry_after` (seconds), code REQUEST_LIMIT_EXCEEDED

    `delay_seconds` (real) are waited first, whatever the kind.
    """

    method: str
    path: str
    fault: FaultKind
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    error_code: str = "INTERNAL_ERROR"
    message: str = "Something went wrong."
    body: str | None = None
    retry_after: int = 1
    visible_seconds: float = 0.0
    delay_seconds: float = 0.0

    def matches(self, method: str, path: str) -> bool:
        """`method` "*" is any; `path` is a glob over the whole path, or part of it when it has no wildcard."""
        if self.method.upper() not in ("*", method.upper()):
            return False
        if re.search(r"[*?\[]", self.path):
            return fnmatchcase(path, self.path)
        return self.path in path


class Faults:
    """The orders that are still open, and the bodies that stale answers need."""

    def __init__(self) -> None:
        self._open: list[Fault] = []
        self._last_bodies: dict[str, bytes] = {}

    def order(self, wish: dict[str, Any]) -> Fault:
        """Take {"match": {"method", "path"}, "fault", "times", ...}. ValueError says what is wrong."""
        fields = dict(wish)
        match = fields.pop("match", None) or {}
        kind = fields.get("fault")
        if kind not in get_args(FaultKind):
            raise ValueError(f"fault is one of {', '.join(get_args(FaultKind))}, not {kind!r}")
        try:
            fault = Fault(method=match.get("method", "*"), path=match.get("path", "*"), **fields)
        except TypeError as error:
            raise ValueError(str(error)) from error
        self._open.append(fault)
        return fault

    def take(self, method: str, path: str, url: str) -> Fault | None:
        """The fault that befalls this request, if any; it is used up by that."""
        for fault in self._open:
            if not fault.matches(method, path):
                continue
            if fault.fault == "stale" and (method != "GET" or url not in self._last_bodies):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._open.remove(fault)
            return fault
        return None

    def give_back(self, fault: Fault) -> None:
        """The request was refused, so that there was nothing to lose or to revert: the order stays open."""
        if fault.times is not None:
            fault.times += 1
        if fault not in self._open:
            self._open.insert(0, fault)

    def clear(self) -> None:
        """Forget every open order."""
        self._open.clear()

    def remember(self, url: str, body: bytes) -> None:
        """Keep what a GET was answered."""
        self._last_bodies[url] = body

    def last_body(self, url: str) -> bytes:
        return self._last_bodies[url]

    def as_list(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._open]
