"""What every Lambda of the state machine has in common: read the event, find the rotation, do one thing."""

from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict

from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.observability import logger
from rekey.base.settings import Settings
from rekey.databricks import Account, WorkspaceApi
from rekey.databricks.connect import connect_account, connect_workspace
from rekey.ledger import Ledger
from rekey.ledger.transaction import Writes
from rekey.model.actions import Action
from rekey.model.failure import Caught
from rekey.model.rotation import Rotation, RotationChanges
from rekey.model.steps import StepName

UNKNOWN_TIME = 120.0
"""Seconds that a step is taken to have where nobody says."""

Made = TypeVar("Made")


class StepEvent(BaseModel):
    """What the state machine sends each step after the plan.

    An execution that began before a deployment keeps its definition, which may send what no step reads any more.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    rotation_id: str
    failure: Caught | None = None
    task_token: str | None = None
    """Wait for approval only: what the approver's answer is sent to."""
    batch: int | None = None
    """Number of the batch of notebooks, from 0."""


class Step:
    """One call of one step: the rotation as the ledger has it, and the clients it may use."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        rotation: Rotation,
        event: StepEvent,
        time_left: Callable[[], float] = lambda: UNKNOWN_TIME,
    ) -> None:
        """`time_left` gives the seconds until the Lambda is ended."""
        self.time_left = time_left
        self.settings = settings
        self.ledger = ledger
        self.rotation = rotation
        self.event = event

    @cached_property
    def account(self) -> Account:
        return connect_account(self.settings)

    @cached_property
    def workspace(self) -> WorkspaceApi:
        return connect_workspace(self.settings, self.rotation.deployment_name)

    @property
    def workspace_id(self) -> int:
        """The workspace's number. Raises RekeyError before there is one."""
        return _made(self.rotation.workspace_id, "workspace", StepName.CREATE_WORKSPACE)

    @property
    def key_arn(self) -> str:
        """ARN of the rotation's new key. Raises RekeyError before Create key has run."""
        return _made(self.rotation.key_arn, "key", StepName.CREATE_KEY)

    @property
    def configuration_id(self) -> str:
        """Id of the rotation's new key configuration. Raises RekeyError before it is registered."""
        return _made(self.rotation.configuration_id, "key configuration", StepName.REGISTER)

    def later(self, seconds: float) -> str:
        """The moment that many seconds from now."""
        return clock.later(self._scaled(seconds))

    def since(self, moment: str | None, seconds: float) -> bool:
        """Whether that many seconds have passed since a moment; a moment that nobody wrote down is long ago."""
        return moment is None or clock.now() >= clock.moment(moment) + timedelta(seconds=self._scaled(seconds))

    def elapsed(self, moment: str) -> float:
        """Seconds since a moment, as the state machine counts them."""
        return (clock.now() - clock.moment(moment)).total_seconds() / self.settings.wait_scale

    def _scaled(self, seconds: float) -> float:
        """The local cloud's waits are shorter."""
        return seconds * self.settings.wait_scale

    def note(self, **changes: Unpack[RotationChanges]) -> None:
        """Remember in the ledger what is no side effect."""
        self.rotation = self.ledger.note(self.rotation, **changes)

    def record(
        self,
        step: StepName,
        action: Action,
        detail: dict[str, Any],
        *,
        more: Writes | None = None,
        **changes: Unpack[RotationChanges],
    ) -> None:
        """Write a side effect to the ledger and the log; `more` is written with it or not at all."""
        self.rotation = self.ledger.record(self.rotation, step, action, detail, more=more, **changes)
        logger.info(f"{step}: {action}", detail=detail)


def _made(value: Made | None, what: str, state: StepName) -> Made:
    if value is None:
        raise RekeyError(f"The rotation has no {what} yet: the state '{state}' comes first.")
    return value
