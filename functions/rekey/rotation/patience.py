"""Which errors a level-triggered step waits out, so that what is merely slow does not fail."""

from rekey.base.errors import LeaseLost, NetworkRefused, Transient, Unauthenticated

PASSING = (Transient, NetworkRefused, Unauthenticated)
"""Nobody has refused what was asked: the service, the network or the login was not to be had."""


def passes(error: Exception, *, rolling_back: bool) -> bool:
    """Whether the step is to be called again. In the rollback after every error, even one that nobody foresaw.

    A lease that is lost stays lost: somebody else is at work, and nothing may be touched.
    """
    if isinstance(error, LeaseLost):
        return False
    return rolling_back or isinstance(error, PASSING)
