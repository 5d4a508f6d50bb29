"""All cells of one row: the way to its state is gone once, and forks there into a process for each trouble."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.matrix.cells import Cell, Result, result_of, run_cell
from tests.matrix.cloud import Cloud
from tests.matrix.columns import named
from tests.matrix.invariants import broken
from tests.matrix.run import Run, Trouble, hearing
from tests.matrix.scenarios import SCENARIOS
from tests.matrix.tickets import SYSTEMS


class RowIsOver(BaseException):
    """Every trouble had its run: nobody needs to know how it ends without any."""


@dataclass
class Row(Run):
    """A run that becomes many where its state is entered. `cells` are of one scenario and one state."""

    cells: Sequence[Cell] = ()
    results: list[Result] = field(default_factory=list)
    _mine: tuple[Cell, int] | None = None
    """In a process of its own: its cell, and where the result is written to."""
    _began: float = 0.0

    def _entering(self, name: str, state: str) -> None:
        if name == "r1" and self._mine is None and state == self.cells[0].state:
            self._fork()
        super()._entering(name, state)

    def _fork(self) -> None:
        for cell in self.cells:
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(read)
                self._mine, self._began = (cell, write), time.process_time()
                self.cloud.adapter.renew()
                column = named(cell.column)
                self.troubles = [Trouble(cell.state, column.begin, cell.passes)]
                return
            os.close(write)
            with os.fdopen(read, encoding="utf-8") as answer:
                said = answer.read()
            os.waitpid(child, 0)
            self.results.append(_result(cell, said))
        raise RowIsOver

    def report(self) -> None:
        """What came of this process' cell; the process ends."""
        assert self._mine is not None
        cell, write = self._mine
        try:
            result = result_of(str(cell), self, broken(self), time.process_time() - self._began)
            os.write(write, json.dumps(vars(result)).encode())
        finally:
            os._exit(0)


def run_row(cloud: Cloud, cells: Sequence[Cell]) -> list[Result]:
    """In the order given. A state that is not entered gives a result that says so."""
    if cells[0].scenario in SYSTEMS:
        return [run_cell(cloud, each) for each in cells]
    with hearing() as ears:
        row = Row(cloud, SCENARIOS[cells[0].scenario], 0, ears=ears, cells=cells)
        try:
            row.to_rest()
            if vars(row)["_mine"]:
                row.report()
        except RowIsOver:
            return row.results
        except BaseException as error:
            if vars(row)["_mine"]:
                os.write(vars(row)["_mine"][1], f"{type(error).__name__}: {error}".encode())
                os._exit(1)
            raise
    return [Result(str(each), [], 0.0, "not entered", applied=False) for each in cells]


def _result(cell: Cell, said: str) -> Result:
    try:
        fields = json.loads(said)
    except ValueError:
        return Result(str(cell), [("the matrix itself", said or "the process ended without a word")], 0.0, "")
    fields["broken"] = [tuple(each) for each in fields["broken"]]
    return Result(**fields)
