"""One history of keys, workspaces, rotations, sweeps and outside changes: the real ledger and the real sweep.

Every act asks the truth afterwards (`check`): nothing unreadable, no key disabled too early, nothing left behind.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, cast

import pytest

from rekey import aws, clock
from rekey.errors import RekeyError
from rekey.given import KeyFacts
from rekey.ledger import Ledger, entry_hash
from rekey.retirement import adopt as adopting
from rekey.retirement import reenable as reenabling
from rekey.retirement import sweep as sweeping
from rekey.retirement.adopt import Adoption, adopt
from rekey.retirement.reenable import on_refused_use
from rekey.retirement.rotations import marked, moved_on
from rekey.retirement.states import CLAIM_SECONDS, TRANSITIONS
from rekey.retirement.sweep import sweep
from rekey.rotation import OldKey, Rotation
from rekey.settings import Settings
from tests.faults.cloud import DAY, START, Crash, Databricks, Kms
from tests.faults.table import Table
from tests.unit.rotations import a_plan, a_rotation

SKEW = timedelta(minutes=5)
"""The fastest clock is at most so far ahead of the slowest."""

SLACK = DAY + 2 * SKEW
"""A day by any two clocks."""

SETTINGS = Settings(
    "test", "ledger", "bucket", "account", "host", "host", "secret", "commercial", 86_400, 1, 14 * 86_400
)


class History:
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
        """Since when each look of rekey's has found no workspace on the key."""
        self.last_on: dict[str, datetime] = {}
        self.theirs: set[str] = set()
        """Keys that only a person may let go: held, or not yet adopted."""
        self.broken_by_hand: set[str] = set()
        """Disabled keys that somebody put a workspace on: unreadable until the next sweep sees it there, or the first
        refused use where it left again before, and nobody else's fault."""
        monkeypatch.setattr(aws, "kms", lambda _: self.kms)
        for module in (sweeping, reenabling):
            monkeypatch.setattr(module, "count", lambda *_: None)
            monkeypatch.setattr(module, "logger", logging.getLogger("silent"))
        monkeypatch.setattr(clock, "now", lambda: self.now + self.skew)

    # --- acts ---

    def pass_time(self, step: timedelta) -> None:
        self.now += step

    def make_key(self) -> str:
        key_arn = self.kms.make()
        self.keys.append(key_arn)
        return key_arn

    def make_workspace(self, key_arn: str | None = None) -> int:
        return self.databricks.make_workspace(key_arn or self.make_key())

    def open_rotation(self, number: int, given: str | None = None) -> str | None:
        """A rotation of a workspace begins; None when it is refused."""
        old = self.databricks.key_of(number)
        if given == old or (given and not self.kms.of(given).enabled) or self._on_the_move(number):
            return None
        self.rotations += 1
        rotation_id = f"r{self.rotations}"
        storage = any(
            each.key_arn == old and "STORAGE" in each.use_cases for each in self.databricks.configurations.values()
        )
        plan = a_plan(
            workspace_id=number,
            workspace_name=f"w{number}",
            given_key_arn=given,
            key_source="brought" if given else "new",
            old_key=OldKey(configuration_id="old", key_arn=old, fate="retain" if storage else "disable", why="a test"),
            start_at=clock.text(self.now),
        )
        rotation = a_rotation(rotation_id, plan=plan).model_copy(update={"key_arn": given or self.make_key()})
        try:
            keys = marked(self.ledger, rotation, clock.now())
            self.open[rotation_id] = (self.ledger.open(rotation, {}, keys=keys), number)
        except RekeyError:
            return None
        return rotation_id

    def switch(self, rotation_id: str) -> None:
        """The workspace shows the new key, after a notebook was written under the old one; the proof is to come."""
        rotation, number = self.open[rotation_id]
        if all(self.kms.of(each).enabled for each in (str(rotation.key_arn), self.databricks.key_of(number))):
            self._move(number, str(rotation.key_arn))

    def end_rotation(self, rotation_id: str, *, well: bool) -> None:
        """Verified and closed; or taken back to the old key and closed."""
        rotation, number = self.open.pop(rotation_id)
        new, old = str(rotation.key_arn), str(rotation.plan.old_key.key_arn) if rotation.plan.old_key else ""
        verified = well and self.databricks.key_of(number) == new
        if not verified and self.databricks.key_of(number) == new:
            self._move(number, old)
        if verified:
            rotation = rotation.model_copy(update={"switch_verified_at": clock.text(clock.now())})
            self.left_at[old] = self.now
        account = cast("Any", self.databricks)
        keys = moved_on(self.ledger, account, rotation, SETTINGS.grace_seconds, clock.now())
        status = "succeeded" if verified else "failed"
        self.ledger.close(rotation, "end", status, {}, keys=keys, status=status)
        self._note_looks()

    def sweep(self, *, skew: timedelta = timedelta(), crash: str | None = None) -> dict[str, Any] | None:
        """One sweep; None when it crashed half way."""
        self.skew, self.kms.crash = skew, crash
        try:
            account, reads_nothing = cast("Any", self.databricks), cast("Any", lambda _: NoTrouble())
            answer = sweep(SETTINGS, self.ledger, account, now=self.now + skew, inside=reads_nothing)
        except Crash:
            return None
        finally:
            self.skew, self.kms.crash = timedelta(), None
            self._note_looks()
            self._note_held()
        self.broken_by_hand -= {each for each in self.broken_by_hand if self.databricks.on(each)}
        assert answer["failed"] == {}, answer["failed"]
        self.nothing_is_left_behind()
        return answer

    def use(self, key_arn: str) -> None:
        """Somebody uses the key. A refusal reaches reenable_key, as CloudTrail would bring it."""
        key = self.kms.of(key_arn)
        if key.enabled:
            key.uses.append(self.now)
            return
        watched = self.ledger.keys.find(key_arn)
        detail = {"errorCode": "DisabledException", "errorMessage": f"{key_arn} is disabled."}
        on_refused_use(self.ledger, {"detail": detail}, self.now)
        if watched and (watched.claimed_at or (watched.watch_until and clock.text(self.now) < watched.watch_until)):
            assert self.kms.of(key_arn).enabled, "one refused use is enough"
            self.theirs.add(key_arn)
            self.broken_by_hand.discard(key_arn)

    def move_by_hand(self, number: int, key_arn: str) -> None:
        if self._on_the_move(number):
            return
        if not self.kms.of(key_arn).enabled:
            if key_arn not in [each.key_arn for each in self.ledger.keys.to_sweep()]:
                return  # Its watch is over; nobody promises anything.
            self.broken_by_hand.add(key_arn)
        self._move(number, key_arn)

    def add_storage(self, number: int, key_arn: str) -> None:
        if self.kms.of(key_arn).enabled and not self.databricks.workspaces[number].storage_key_id:
            self.databricks.add_storage(number, key_arn)

    def enable_by_hand(self, key_arn: str) -> None:
        if not self.kms.of(key_arn).enabled:
            self.kms.of(key_arn).enabled = True
            known = self.ledger.keys.find(key_arn)
            # After a crash around DisableKey nobody can tell an enabled key from one that was not disabled yet.
            if known is None or known.claimed_at is None:
                self.theirs.add(key_arn)

    def tag(self, key_arn: str, *, ours: bool) -> None:
        self.kms.of(key_arn).tags = {"rekey:managed": "true"} if ours else {}

    def adopt(self, key_arn: str) -> None:
        adoption = Adoption(key_arn=key_arn, own_account="123456789012")
        with pytest.MonkeyPatch.context() as patch, self._as_given(patch):
            try:
                account = cast("Any", self.databricks)
                grace_seconds = SETTINGS.grace_seconds
                answer = adopt(self.ledger, account, adoption, grace_seconds=grace_seconds, at=clock.now())
            except RekeyError:
                return
        key = self.ledger.keys.find(key_arn)
        assert key is not None
        assert key.state != "disabled"
        self.theirs.discard(key_arn)
        if answer["adopted"] and key.state == "grace":
            self.left_at[key_arn] = self.now
        self._note_looks()

    @contextmanager
    def _as_given(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """The key as given.look_at would read it."""

        def look_at(key_arn: str, _: str) -> KeyFacts:
            key = self.kms.of(key_arn)
            state = "Enabled" if key.enabled else "Disabled"
            return KeyFacts(key_arn, state, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "{}", tuple(key.tags.items()))

        patch.setattr(adopting, "look_at", look_at)
        yield

    # --- the truth ---

    def check(self) -> None:
        """No object is unreadable, and every key's trail is whole."""
        for key_arn, number in self.databricks.needed().items():
            if key_arn not in self.broken_by_hand:
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
        last = self.last_on.get(key_arn)
        assert last is None or self.now >= last + DAY, "disabled within 24 hours of a workspace's use"
        left = self.left_at.get(key_arn)
        assert left is not None, "disabled without a verified switch"
        assert self.now >= left + DAY, "disabled within 24 hours of the verified switch"
        assert key.tags.get("rekey:managed") == "true", "disabled without rekey's tag"
        assert key_arn not in self.theirs, "disabled though it is held"
        assert not self._serves_storage(key_arn), "disabled though it serves STORAGE"
        assert key_arn not in self._wanted(), "disabled though a rotation wants it"
        used = key.told_use(self.now) if self.kms.tells_use else None
        assert used is None or self.now >= used + DAY, "disabled though it was used"

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
            and key.tags.get("rekey:managed") == "true"
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
        self.last_on[self.databricks.key_of(number)] = self.now
        self.seen_free_at.pop(key_arn, None)
        self.databricks.move(number, key_arn)
        self.last_on.pop(key_arn, None)

    def _note_looks(self) -> None:
        for key_arn in self.keys:
            if not self.databricks.on(key_arn) and self.ledger.keys.find(key_arn):
                self.seen_free_at.setdefault(key_arn, self.now)

    def _note_held(self) -> None:
        self.theirs |= {each.key_arn for each in self.ledger.keys.all() if each.state == "held"}


class NoTrouble:
    """A workspace without clusters, whose canary reads."""

    def list_clusters(self, _: Any) -> list[Any]:
        return []

    def export_notebook(self, path: str) -> str:
        rotation_id = path.removeprefix("/Shared/rekey-canary-").removesuffix("-before")
        return f"# rekey: proof of {rotation_id}, written before the switch"

    def delete_notebook(self, _: str) -> None:
        return
