"""What is true in a history, whatever the ledger believes, and the checks that hold it against what was done."""

import logging
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from rekey.aws import clients
from rekey.base import clock
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from rekey.model.entries import entry_hash
from rekey.model.key import CLAIM_SECONDS, TRANSITIONS
from rekey.model.rotation import Rotation
from rekey.retirement import needed as telling
from rekey.retirement import reenable as reenabling
from rekey.retirement import sweep as sweeping
from tests.faults.cloud import DAY, START, USE_IS_TOLD_AFTER, Databricks, Kms
from tests.faults.table import Table

SKEW = timedelta(minutes=5)
"""The fastest clock is at most so far ahead of the slowest."""

SLACK = DAY + 2 * SKEW
"""A day by any two clocks."""

SETTINGS = Settings(
    "test", "ledger", "bucket", "account", "host", "host", "secret", "commercial", 86_400, 1, 14 * 86_400, "bus"
)


class Truth:
    """`now` is the truth; each Lambda has a clock that is up to five minutes fast."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        self.skew = timedelta()
        self.kms = Kms(lambda: self.now, self._judge_disabling)
        self.databricks = Databricks(lambda: self.now)
        self.ledger = Ledger(cast("Any", Table()), "ledger")
        self.open: dict[str, tuple[Rotation, int]] = {}
        self.rotations = 0
        self.keys: list[str] = []
        self.left_at: dict[str, datetime] = {}
        """When the last verified switch left each key."""
        self.seen_free_at: dict[str, datetime] = {}
        """Since when each look of rekey's at the key has found no workspace on it."""
        self.last_on: dict[str, datetime] = {}
        self.known_on: dict[str, list[int]] = {}
        """Workspaces on each key when rekey looked last."""
        self.last_seen_on: dict[str, datetime] = {}
        """When a workspace left each key that a look of rekey's had found on it."""
        self.theirs: set[str] = set()
        """Keys that only a person may let go: held, or not yet adopted."""
        self.broken_by_hand: set[str] = set()
        """Keys that somebody put a workspace on while they were disabled: unreadable until the next sweep that looks at
        the key sees it there, or the first refused use, and nobody else's fault."""
        self.untold: dict[str, datetime] = {}
        """Keys that went although a workspace was on them within a day, which neither a sweep saw, nor KMS told, nor a
        guard knew, and when that day is over: unreadable until the first sweep to which KMS tells, or the first refused
        use. A guard that knows of each use at once leaves no such key."""
        monkeypatch.setattr(clients, "kms", lambda *_: self.kms)
        for module in (sweeping, reenabling, telling):
            monkeypatch.setattr(module, "count", lambda *_: None)
            monkeypatch.setattr(module, "logger", logging.getLogger("silent"))
        monkeypatch.setattr(clock, "now", lambda: self.now + self.skew)

    def check(self) -> None:
        """No object is unreadable, and every key's trail is whole."""
        for key_arn, number in self.databricks.needed().items():
            if key_arn not in self.broken_by_hand and self.now >= self.untold.get(key_arn, START):
                assert self.kms.of(key_arn).enabled, f"workspace {number} cannot read without {key_arn}"

    def check_trails(self) -> None:
        for key in self.ledger.keys.all():
            trail = self.ledger.keys.trail(key.key_arn)
            assert [each["prev"] for each in trail] == ["", *(each["hash"] for each in trail[:-1])]
            assert all(each["hash"] == entry_hash(each) for each in trail)
            states = [None, *(each["state"] for each in trail)]
            for before, after in pairwise(states):
                assert before == after or after in TRANSITIONS[before], (before, after)
            assert all(each["why"] for each in trail)

    def _judge_disabling(self, key_id: str) -> None:
        """DisableKey was called: every condition must hold in truth."""
        key_arn = next(each for each in self.keys if each.endswith(key_id))
        key = self.kms.of(key_arn)
        assert not self.databricks.on(key_arn), "disabled while a workspace refers to it"
        last = self._last_known_on(key_arn)
        assert last is None or self.now >= last + DAY, "disabled within 24 hours of a workspace's use"
        left = self.left_at.get(key_arn)
        assert left is not None, "disabled without a verified switch"
        assert self.now >= left + DAY, "disabled within 24 hours of the verified switch"
        assert key.tags.get("rekey:managed") == "rekey", "disabled without rekey's tag"
        assert key_arn not in self.theirs, "disabled though it is held"
        assert not self._serves_storage(key_arn), "disabled though it serves STORAGE"
        assert key_arn not in self._wanted(), "disabled though a rotation wants it"
        used = key.told_use(self.now) if self.kms.tells_use else None
        assert used is None or self.now >= used + DAY, "disabled though it was used"
        off = self.last_on.get(key_arn)
        if off and self.now < off + DAY:
            # Put on it and taken off again between two looks, too lately for KMS to tell: docs/decisions/retirement.md.
            knows = self.kms.tells_use and self.kms.guard_knows_after == timedelta()
            assert not knows, "disabled against its own guard"
            self.untold[key_arn] = off + DAY

    def _last_known_on(self, key_arn: str) -> datetime | None:
        """When a workspace was last on a key, as far as anybody could know.

        One that somebody put on it and took off again between two sweeps shows only in KMS' last use, an hour later.
        """
        seen, last = self.last_seen_on.get(key_arn), self.last_on.get(key_arn)
        told = last if last and self.kms.tells_use and self.now >= last + USE_IS_TOLD_AFTER else None
        return max(filter(None, (seen, told)), default=None)

    def nothing_is_left_behind(self) -> None:
        """Every key that has been safe for a sweep is disabled."""
        if self.databricks.hidden:
            return  # While a configuration is missing from the list, no key can be judged.
        for key in self.ledger.keys.all():
            if key.state in ("grace", "due") and self._is_safe(key.key_arn) and not self._claimed(key.claimed_at):
                raise AssertionError(f"{key.key_arn} is safe and still {key.state}: {key.why}")

    def _is_safe(self, key_arn: str) -> bool:
        key = self.kms.of(key_arn)
        used = max(key.uses, default=START) if self.kms.tells_use else START
        known = key.made if self.kms.tells_use else START
        free, left = self.seen_free_at.get(key_arn), self.left_at.get(key_arn)
        return (
            free is not None
            and left is not None
            and self.now >= max(free, left, used, known) + SLACK
            and key.tags.get("rekey:managed") == "rekey"
            and not self._serves_storage(key_arn)
            and key_arn not in self._wanted()
        )

    def _claimed(self, claimed_at: str | None) -> bool:
        if claimed_at is None:
            return False
        return abs((self.now - clock.moment(claimed_at)).total_seconds()) < CLAIM_SECONDS + 2 * SKEW.total_seconds()

    def _serves_storage(self, key_arn: str) -> bool:
        configured = [each for each in self.databricks.configurations.values() if each.key_arn == key_arn]
        return any("STORAGE" in each.use_cases for each in configured)

    def _wanted(self) -> set[str]:
        return {
            str(each)
            for rotation, _ in self.open.values()
            for each in (rotation.plan.given_key_arn, rotation.plan.old_key and rotation.plan.old_key.key_arn)
        }

    def _on_the_move(self, number: int) -> bool:
        return any(each == number for _, each in self.open.values())

    def _move(self, number: int, key_arn: str) -> None:
        left = self.databricks.key_of(number)
        if left == key_arn:
            return
        self.last_on[left] = self.now
        if number in self.known_on.get(left, []):
            self.known_on[left].remove(number)
            self.last_seen_on[left] = self.now
        # The data keys are unwrapped with the one and wrapped with the other.
        for each in (left, key_arn):
            if self.kms.of(each).enabled:
                self.kms.of(each).uses.append(self.now)
        self.seen_free_at.pop(key_arn, None)
        self.databricks.move(number, key_arn)
        self.last_on.pop(key_arn, None)

    def _note_look(self, *key_arns: str) -> None:
        """These keys, and no others, were looked at: who is on them is known now."""
        for key_arn in key_arns:
            self.known_on[key_arn] = self.databricks.on(key_arn)
            if self.databricks.on(key_arn) or self.databricks.hidden:
                self.seen_free_at.pop(key_arn, None)
            else:
                self.seen_free_at.setdefault(key_arn, self.now)

    def _note_told(self, *key_arns: str) -> None:
        """These keys were looked at: what KMS tells of their use by now is no longer untold."""
        for key_arn in self.untold.keys() & set(key_arns):
            if self.kms.tells_use and self.now >= self.last_on[key_arn] + USE_IS_TOLD_AFTER:
                del self.untold[key_arn]

    def _note_held(self) -> None:
        self.theirs |= {each.key_arn for each in self.ledger.keys.all() if each.state == "held"}
