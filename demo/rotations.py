"""Starts both rotations and follows them, until the old key's day is over too."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.follow import Board, Column, Execution, Follower
from cli.wording import duration
from demo import old_key
from demo.model import DemoError, OldKey, Subject
from demo.old_key import OldKeyWatch
from local.cloud import LocalCloud, Scales

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

LOOK_EVERY = 0.5
"""Real seconds. Oftener, and the looking itself slows the Lambdas on a small machine."""

PATIENCE = 420.0
"""Real seconds after which a machine is not slow but stuck."""

OLD_KEY_LINE = "Old key"


@dataclass(frozen=True)
class Now:
    """Both rotations at one moment. `at` is seconds since the epoch, `elapsed` real seconds since the start."""

    subjects: Sequence[Subject]
    executions: Sequence[Execution]
    key: OldKey | None
    at: float
    elapsed: float
    scales: Scales

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return not any(each.running for each in self.executions) and not self.key_is_awaited

    @property
    def key_is_awaited(self) -> bool:
        """Whether the key check has still to come: only a rotation that succeeded leaves a key behind."""
        replaced = any(
            subject.old_key_arn and execution.succeeded
            for subject, execution in zip(self.subjects, self.executions, strict=True)
        )
        return replaced and (self.key is None or self.key.state != "Disabled")

    def story(self, real_seconds: float) -> float:
        """Simulated seconds, by the minute scale (the old key's day has its own)."""
        return real_seconds / self.scales.minute

    @property
    def headline(self) -> str:
        simulated = duration(self.story(self.elapsed))
        return f"elapsed {duration(self.elapsed)}, simulated {simulated}"

    @property
    def columns(self) -> list[Column]:
        return [self._column(*each) for each in zip(self.subjects, self.executions, strict=True)]

    @property
    def board(self) -> Board:
        return Board(self.columns, self.at, self.story, self.headline)

    def _column(self, subject: Subject, execution: Execution) -> Column:
        subtitles = (subject.operation, " + ".join(subject.use_cases))
        if subject.old_key_arn is None:
            return Column(subject.name, subtitles, execution)
        if not execution.running and not execution.succeeded:
            return Column(subject.name, subtitles, execution, {OLD_KEY_LINE: old_key.NOTHING_TO_RETIRE})
        return Column(
            subject.name,
            subtitles,
            execution,
            {OLD_KEY_LINE: old_key.cell(self.key, self.at, self.scales)},
            "" if execution.running else old_key.waits_for(self.key, self.at, self.scales),
        )


def describe(scales: Scales) -> str:
    """The two scales, in words."""
    return f"1 s simulates {1 / scales.minute:g} s; the old key's 24 h pass in {scales.grace_seconds} s"


def rotate(
    cloud: LocalCloud, subjects: Sequence[Subject], sfn: "SFNClient", watch: OldKeyWatch, show: Callable[[Now], None]
) -> Now:
    """Start and follow to the end, showing each look. Raises DemoError when it takes longer than PATIENCE."""
    began = time.monotonic()
    followers = [Follower(sfn, _start(cloud, subject, sfn)) for subject in subjects]
    while True:
        key = watch.look()
        executions = [each.look() for each in followers]
        now = Now(subjects, executions, key, time.time(), time.monotonic() - began, cloud.scales)
        show(now)
        if now.over:
            return now
        if now.elapsed > PATIENCE:
            raise DemoError(f"not over after {duration(PATIENCE)}: {_where(now)}")
        time.sleep(LOOK_EVERY)


def _start(cloud: LocalCloud, subject: Subject, sfn: "SFNClient") -> str:
    started = sfn.start_execution(
        stateMachineArn=cloud.state_machine_arn, name=subject.rotation_id, input=json.dumps(subject.request)
    )
    return started["executionArn"]


def _where(now: Now) -> str:
    places = []
    for column in now.columns:
        execution = column.execution
        place = f"in {execution.current}" if execution.running else execution.status
        waits = "; ".join(execution.waiting_for) or column.waits_for
        places.append(f"{column.title} is {place}" + (f" and waits for {waits}" if waits else ""))
    return ". ".join(places)
