"""One history of keys, workspaces, rotations, sweeps and outside changes: the real ledger and the real sweep.

Every act asks the truth afterwards (`check`): nothing unreadable, no key disabled too early, nothing left behind.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest

from rekey.aws.kms_key import KeyFacts
from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.control import adopt as adopting
from rekey.control.adopt import Adoption, adopt
from rekey.model.actions import Action
from rekey.model.key import CLAIM_SECONDS, WAITING, Key
from rekey.model.key_answers import Swept
from rekey.model.plan import OldKey
from rekey.model.rotation import Status
from rekey.model.steps import StepName
from rekey.retirement.reenable import on_refused_use
from rekey.retirement.refused_use import RefusedUse
from rekey.retirement.rotations import marked, moved_on
from rekey.retirement.sweep import sweep
from tests.builders import a_plan, a_rotation
from tests.faults.cloud import Crash
from tests.faults.truth import SETTINGS, Truth


class History(Truth):
    """What can happen. Each act asks the truth afterwards."""

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
            rotation = rotation.model_copy(update={"switch_verified_at": clock.stamp()})
            self.left_at[old] = self.now
            self._note_look(old)
        account = cast("Any", self.databricks)
        keys = moved_on(self.ledger, account, rotation, SETTINGS.grace_seconds, clock.now())
        status: Status = "succeeded" if verified else "failed"
        self.ledger.close(self.ledger.end(rotation, StepName.COMPLETE, Action(status), {}, keys=keys, status=status))

    def sweep(self, *, skew: timedelta = timedelta(), crash: str | None = None) -> Swept | None:
        """One sweep; None when it crashed half way."""
        found = self.ledger.keys.to_sweep()
        left = {each.key_arn for each in found if self._left_to_another(each, skew)}
        waiting = [each.key_arn for each in found if each.state in WAITING]
        wanted_before = self._wanted()
        self.skew, self.kms.crash = skew, crash
        try:
            account, reads_nothing = cast("Any", self.databricks), cast("Any", lambda _: NoTrouble())
            answer = sweep(SETTINGS, self.ledger, account, now=self.now + skew, inside=reads_nothing)
        except Crash:
            return None
        finally:
            self.skew, self.kms.crash = timedelta(), None
            self._note_held()
        # A key that a rotation took meanwhile could not be written: the next sweep looks again.
        taken = self._wanted() - wanted_before
        self._note_look(*(each for each in waiting if each not in left | taken))
        self._note_told(*(each.key_arn for each in found if each.key_arn not in left | taken))
        if not self.databricks.hidden:  # What is not listed, no sweep can see.
            self.broken_by_hand -= {each for each in self.broken_by_hand if self.databricks.on(each)} - left
        assert answer.failed == {}, answer.failed
        self.nothing_is_left_behind()
        return answer

    def _left_to_another(self, key: Key, skew: timedelta) -> bool:
        """Whether a sweep leaves the key to another one, which claimed it minutes ago and may be disabling it."""
        if key.claimed_at is None:
            return False
        return abs((self.now + skew - clock.moment(key.claimed_at)).total_seconds()) < CLAIM_SECONDS

    def use(self, key_arn: str) -> None:
        """Somebody uses the key. A refusal reaches reenable_key, as CloudTrail would bring it."""
        key = self.kms.of(key_arn)
        if key.enabled:
            key.uses.append(self.now)
            return
        watched = self.ledger.keys.find(key_arn)
        detail = {"errorCode": "DisabledException", "errorMessage": f"{key_arn} is disabled."}
        on_refused_use(self.ledger, RefusedUse.model_validate(detail), self.now)
        if watched and (watched.claimed_at or (watched.watch_until and clock.text(self.now) < watched.watch_until)):
            assert self.kms.of(key_arn).enabled, "one refused use is enough"
            self.theirs.add(key_arn)
            self.broken_by_hand.discard(key_arn)
            self.untold.pop(key_arn, None)

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

    def schedule_deletion(self, key_arn: str) -> None:
        """Of a key that rekey has disabled; with any other its owner knows what becomes of whoever is on it."""
        if not self.kms.of(key_arn).enabled:
            self.kms.of(key_arn).pending = True

    def enable_by_hand(self, key_arn: str) -> None:
        if not self.kms.of(key_arn).enabled:
            self.kms.of(key_arn).pending = False
            self.kms.of(key_arn).enabled = True
            self.untold.pop(key_arn, None)
            known = self.ledger.keys.find(key_arn)
            # After a crash around DisableKey nobody can tell an enabled key from one that was not disabled yet.
            if known is None or known.claimed_at is None:
                self.theirs.add(key_arn)

    def tag(self, key_arn: str, *, ours: bool) -> None:
        self.kms.of(key_arn).tags = {"rekey:managed": "rekey"} if ours else {}

    def adopt(self, key_arn: str) -> None:
        adoption = Adoption(key_arn=key_arn, own_account="123456789012")
        with pytest.MonkeyPatch.context() as patch, self._as_given(patch):
            try:
                account = cast("Any", self.databricks)
                grace_seconds = SETTINGS.grace_seconds
                answer = adopt(
                    self.ledger, account, adoption, stack="rekey", grace_seconds=grace_seconds, at=clock.now()
                )
            except RekeyError:
                return
        key = self.ledger.keys.find(key_arn)
        assert key is not None
        assert key.state != "disabled"
        self.theirs.discard(key_arn)
        if answer.adopted and key.state == "grace":
            self.left_at[key_arn] = self.now
            self._note_look(key_arn)

    @contextmanager
    def _as_given(self, patch: pytest.MonkeyPatch) -> Iterator[None]:
        """The key as given.look_at would read it."""

        def look_at(key_arn: str, _: str) -> KeyFacts:
            key = self.kms.of(key_arn)
            state = "Enabled" if key.enabled else "Disabled"
            tags = tuple(key.tags.items())
            return KeyFacts(key_arn, state, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "{}", tags=tags)

        patch.setattr(adopting, "look_at", look_at)
        yield


class NoTrouble:
    """A workspace without clusters, whose canary reads."""

    def list_clusters(self, _: Any) -> list[Any]:
        return []

    def export_notebook(self, path: str) -> str:
        rotation_id = path.removeprefix("/Shared/rekey-canary-").removesuffix("-before")
        return f"# rekey: proof of {rotation_id}, written before the switch"

    def delete_notebook(self, _: str) -> None:
        return
