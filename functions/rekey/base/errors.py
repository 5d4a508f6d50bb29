"""Every way a rotation can go wrong, one class a cause.

The class name is what Step Functions sees as the error's name, so the names that
stepfunctions/*.asl.json match in Retry and Catch are classes of this module, and only those.
"""


class RekeyError(Exception):
    """Base of everything rekey raises on purpose. Its message is written for the person who reads it."""


# --- refused in the first state: nothing was touched ---


class InvalidRequest(RekeyError):
    """The request itself is wrong: a field is unknown, missing, of the wrong type, or contradicts another."""


class RequestRefused(RekeyError):
    """The request is well formed but cannot be done to this workspace as it is now."""


class WorkspaceNotFound(RequestRefused):
    """The Databricks account has no workspace with that id."""


class RotationInProgress(RequestRefused):
    """Another rotation holds the workspace's lease."""


class KeyNotTagged(RequestRefused):
    """A key to be adopted lacks nothing but its owner's consent, the tag; a tag can take a few minutes to show."""


class RequestIdReused(RequestRefused):
    """The request_id was used before for a request with other content."""


# --- transient: the same step may simply be called again ---


class Transient(RekeyError):
    """Base of what Step Functions retries.

    `status` and `code` are as in DatabricksError; `retry_after` is for how many seconds the other side asks to be left
    alone, None where it did not say.
    """

    def __init__(self, message: str = "", *, status: int = 0, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class DatabricksThrottled(Transient):
    """Databricks answered 429, or a code that means the same."""


class DatabricksUnavailable(Transient):
    """Databricks could not be reached, turned the request away, or gave no answer to one that changes nothing."""


class OutcomeUnknown(Transient):
    """A changing request was sent and its answer was lost: look at the world before sending it again."""


class AwsUnavailable(Transient):
    """AWS throttled, timed out, or has not yet made a change visible everywhere."""


# --- final: a person or the failure route must act ---


class DatabricksError(RekeyError):
    """Databricks refused. `status` is the HTTP status, `code` its error code ("" where there was none)."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Unauthenticated(DatabricksError):
    """Databricks does not accept the credential."""


class PermissionDenied(DatabricksError):
    """The credential is valid but may not do this."""


class NetworkRefused(DatabricksError):
    """Something on the way keeps rekey out: an access list, PrivateLink, a proxy, DNS or TLS. Nothing was applied.

    It is not the credential's fault, and it passes once a person has fixed the network: whoever can wait may wait.
    `address` is the one that was turned away ("" where nobody said).
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", address: str = "") -> None:
        super().__init__(message, status=status, code=code)
        self.address = address


class NotFound(DatabricksError):
    """The object that was asked for is not there. Never raised for another one that the answer speaks of."""


class InvalidState(DatabricksError):
    """The object exists but is not in a state that allows this; often "not yet"."""


class AccessDenied(RekeyError):
    """AWS refused: the Lambda's role, or the key's policy, does not allow the call."""


class AwsError(RekeyError):
    """AWS refused for another reason."""


class SettingsError(RekeyError):
    """An environment variable of the Lambda is missing or wrong."""


class LeaseLost(RekeyError):
    """The workspace's lease is no longer this rotation's: another one may be at work, so this one stops."""


class Cancelled(RekeyError):
    """A person cancelled the rotation before its switch: what was done so far is put back."""


class ExecutionEnded(RekeyError):
    """The execution was stopped, ran out of time or was lost before the switch: what was done so far is put back."""


class LetBe(RekeyError):
    """A person decided that the rotation ends with its keys and configurations as they are."""


class NotApproved(RekeyError):
    """The plan asks for an approval, the execution went on, and the ledger knows of nobody who gave one."""


class WindowClosed(RekeyError):
    """The maintenance window would close before the rotation is surely done."""


class WorkspaceChanged(RekeyError):
    """Since the plan was made somebody else changed the workspace's keys."""


class SwitchReverted(RekeyError):
    """Databricks went back to the old key configuration after it had shown the new one."""


class WorkspaceFailed(RekeyError):
    """The new workspace did not come up: Databricks' reason, and its network's, are in the message."""


class DataStillReads(RekeyError):
    """Databricks' statements are out of every key's policy, and the canary still reads after the whole budget."""


class AccessNotProven(RekeyError):
    """The access was changed at every key, and nothing could show that it counts."""


class PolicyMismatch(RekeyError):
    """The key's policy is not the one that was put."""


class PolicyRefused(RekeyError):
    """KMS does not take the key's policy: it names what is not there, or has grown too large."""
