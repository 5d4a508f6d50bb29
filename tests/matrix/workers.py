"""Cells side by side, a cloud a process."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from tests.matrix.cells import Result
from tests.matrix.cloud import Cloud, running

What = TypeVar("What")
One = Callable[[Cloud, What], list[Result]]

_here: dict[str, Any] = {}


def results(one: "One[What]", whats: Sequence[What], jobs: int) -> Iterator[Result]:
    """In the order given. `one` is a function of a module: other processes look it up by its name."""
    if jobs == 1:
        with running() as cloud:
            for what in whats:
                yield from guarded(one, cloud, what)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _begin, (one,)) as pool:
        for found in pool.imap(_one, whats):
            yield from found


def guarded(one: "One[What]", cloud: Cloud, what: What) -> list[Result]:
    """The matrix goes on, and says which cell it was."""
    try:
        return one(cloud, what)
    except Exception as error:  # noqa: BLE001
        return [Result(str(what), [("the matrix itself", f"{type(error).__name__}: {error}")], 0.0, "")]


def _begin(one: "One[Any]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _here["one"], _here["manager"] = one, running()
    _here["cloud"] = _here["manager"].__enter__()


def _one(what: Any) -> list[Result]:
    return guarded(_here["one"], _here["cloud"], what)
