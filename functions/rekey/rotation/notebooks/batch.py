"""One batch of notebooks: each gets an outcome, however often the call is interrupted."""

import time

from rekey.base.errors import RekeyError
from rekey.model.actions import Action
from rekey.model.answers import Progress
from rekey.model.steps import StepName
from rekey.rotation.notebooks import store
from rekey.rotation.notebooks.renew import NotNow, renew
from rekey.rotation.notebooks.store import Batch, Begun, Outcome, Row, failed
from rekey.rotation.notebooks.walk import WORK_SECONDS
from rekey.rotation.step import Step

STEP = StepName.RENEW_NOTEBOOKS

MOST_TRIES = 5
"""A notebook that was put off this often for trouble of its own has failed."""

MOST_CRASHES = 2
"""The state machine calls a third time and no more."""

_AS_BEFORE = "an import may have been applied; its content was as before when it was last read"


def renew_batch(step: Step) -> Progress:
    """Level-triggered: renew what has no outcome yet, for as long as a call may take.

    What was put off goes to the end of the queue. Two in a row that were put off end the call: Databricks needs a rest.
    A rate limit, an outage and a way that is shut are waited for, for as long as the state machine's budget lasts.
    """
    rotation, bucket, number = step.rotation, step.settings.evidence_bucket, step.event.batch
    if rotation.notebooks_key is None or rotation.notebook_batches is None or number is None:
        raise RekeyError("The rotation has no list of notebooks yet: the state 'List notebooks' comes first.")
    if number in rotation.notebook_batches_done:
        return Progress(done=True)
    paths = store.members(store.read_listing(bucket, rotation.notebooks_key), rotation.notebook_batches, number)
    batch = store.read_batch(bucket, rotation.rotation_id, number)
    work = _Work(step, number, batch)
    work.bury()
    until, in_a_row = time.monotonic() + WORK_SECONDS, 0
    for path in work.queue(paths):
        in_a_row = 0 if work.renew(path) else in_a_row + 1
        if time.monotonic() >= until or in_a_row > 1:
            break
    work.save()
    if remaining := len(work.queue(paths)):
        return Progress(done=False, remaining=remaining, waiting_for=(f"{remaining} notebooks of batch {number}",))
    counts: dict[str, int] = {kind: sum(row.outcome.kind == kind for row in batch.rows) for kind in store.KINDS}
    # Batches run side by side: who loses the race for the ledger is called again, and only this line is left to do.
    done = (*rotation.notebook_batches_done, number)
    step.record(STEP, Action.BATCH_RENEWED, {"batch": number, **counts}, notebook_batches_done=done)
    return Progress(done=True)


class _Work:
    """The batch as its object in the bucket has it: written before each notebook and before each import."""

    def __init__(self, step: Step, number: int, batch: Batch) -> None:
        self._api = step.workspace
        self._bucket = step.settings.evidence_bucket
        self._key = store.batch_key(step.rotation.rotation_id, number)
        self._batch = batch

    def bury(self) -> None:
        """A notebook over which two calls died would take the whole batch with it."""
        path, self._batch.working_on = self._batch.working_on, None
        if path is None:
            return
        crashes = self._batch.crashes[path] = self._batch.crashes.get(path, 0) + 1
        if crashes >= MOST_CRASHES:
            self._settle(path, failed(f"the call that renewed it died {crashes} times; {_AS_BEFORE}"))

    def queue(self, paths: tuple[str, ...]) -> list[str]:
        """The notebooks without an outcome; those that were put off, or that a call died over, come last."""
        done, batch = {row.path for row in self._batch.rows}, self._batch

        def turn(path: str) -> tuple[int, int]:
            return batch.crashes.get(path, 0), batch.tries.get(path, 0) + batch.waits.get(path, 0)

        return sorted((path for path in paths if path not in done), key=turn)

    def renew(self, path: str) -> bool:
        """Whether the notebook has its outcome."""
        self._batch.working_on = path
        self.save()
        try:
            outcome = renew(self._api, path, self._batch.begun.get(path), lambda begun: self._begin(path, begun))
        except NotNow as reason:
            self._batch.working_on = None
            self._batch.reasons[path] = str(reason)
            counted = self._batch.waits if reason.waits else self._batch.tries
            tries = counted[path] = counted.get(path, 0) + 1
            if not reason.touched:
                # Nothing was written, so a later edit is no reason to suspect the import.
                self._batch.begun.pop(path, None)
            if reason.waits or tries < MOST_TRIES:
                return False
            left = _AS_BEFORE if reason.touched else "left as it was"
            outcome = failed(f"{left}, after {tries} tries: {reason}")
        self._settle(path, outcome)
        return True

    def save(self) -> None:
        store.put(self._bucket, self._key, self._batch)

    def _begin(self, path: str, begun: Begun) -> None:
        self._batch.begun[path] = begun
        self.save()

    def _settle(self, path: str, outcome: Outcome) -> None:
        """Saved with what comes next, or at the call's end; done once more after a crash, it does no harm."""
        self._batch.rows.append(Row(path=path, outcome=outcome))
        self._batch.working_on = None
        batch = self._batch
        for kept in (batch.begun, batch.tries, batch.waits, batch.reasons, batch.crashes):
            kept.pop(path, None)
