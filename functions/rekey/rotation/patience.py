"""Which errors a level-triggered step waits out, so that what is merely slow does not fail."""

from typing import Literal

from rekey.base.errors import (
    AccessNotProven,
    Cancelled,
    DataStillReads,
    LeaseLost,
    NetworkRefused,
    PolicyMismatch,
    SwitchReverted,
    Transient,
    Unauthenticated,
    WorkspaceChanged,
    WorkspaceFailed,
)

ENDS_ACCESS = (AccessNotProven, DataStillReads)
"""Errors with which a change of access ends once it was made: there is nothing more to be done."""

TURNS_BACK = (Cancelled, PolicyMismatch, SwitchReverted, WorkspaceChanged, WorkspaceFailed, *ENDS_ACCESS)
"""Errors that say that the way forward leads nowhere."""

PASSING = (Transient, NetworkRefused, Unauthenticated)
"""Nobody has refused what was asked: the service, the network or the login was not to be had."""


Where = Literal["forward", "end", "back"]
"""On which part of its way a rotation is: "end" once its change is proven and only its end is to be written."""


def passes(error: Exception, where: Where) -> bool:
    """Whether the step is to be called again. In the rollback after every error, even one that nobody foresaw; at the
    end after every one but those that say that the change is gone.

    A lease that is lost stays lost: somebody else is at work, and nothing may be touched.
    """
    if isinstance(error, LeaseLost):
        return False
    if where == "end":
        return not isinstance(error, TURNS_BACK)
    return where == "back" or isinstance(error, PASSING)
