"""Why a delivery is not followed, and why a comment does not get through; `status` is the HTTP answer's."""

from rekey.base.errors import RekeyError


class Refused(RekeyError):
    """Base of every answer that is no. Its message goes to the sender: field, problem, fix."""

    status = 400


class NotAuthentic(Refused):
    """Signature, timestamp or secret is not right. Which one goes to the log, never to the sender."""

    status = 401


class TooLarge(Refused):
    """The body is larger than any ticket system's delivery needs to be."""

    status = 413


class Malformed(Refused):
    """The delivery is authentic, but is not what its ticket system sends."""

    status = 400


class NotAllowed(Refused):
    """The ticket, its project, status, approver or workspace may not ask."""

    status = 403


class NoSuchTicket(Refused):
    """The ticket system knows no such ticket, or does not show it to rekey."""

    status = 404


class Unusable(Refused):
    """The ticket's fields do not make a request."""

    status = 422


class TicketSystemUnavailable(RekeyError):
    """The ticket system gave no good answer: worth another try. `retry_after` is what it asked for, in seconds."""

    def __init__(self, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after
