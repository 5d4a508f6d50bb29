"""What went wrong between here and AWS, in words that end with what to do."""

from collections.abc import Mapping
from typing import NamedTuple

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)

PASSING = (exceptions.HTTPClientError, exceptions.ConnectionError)
"""The network, not AWS' answer: the next look may succeed."""

_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})


class Trouble(NamedTuple):
    """What is wrong, and what to do about it; the fix is empty where nobody knows one."""

    problem: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.problem}. Fix: {self.fix}" if self.fix else self.problem


_LOG_IN = "log in (aws sso login, or as your company does), and choose the profile with --profile or AWS_PROFILE"

_BY_CODE: Mapping[str, Trouble] = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
        Trouble("the AWS session is over", _LOG_IN),
    ),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"),
        Trouble("AWS does not accept these credentials", _LOG_IN),
    ),
    "ExecutionDoesNotExist": Trouble(
        "there is no such rotation",
        "`rekey status` lists the last ones. Step Functions forgets an execution 90 days after its end; its evidence "
        "stays in the evidence bucket",
    ),
}

_ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def passes(error: Exception) -> bool:
    """Whether looking again in a moment may help."""
    return isinstance(error, PASSING) or (
        isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _THROTTLED
    )


def explain(error: Exception) -> Trouble:
    """For a person, on one line; the error's own words where there are no better ones."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return Trouble("AWS credentials were not found", _LOG_IN)
    if isinstance(error, exceptions.ProfileNotFound):
        return Trouble(_plain(error), "`aws configure list-profiles` names those there are")
    if isinstance(error, exceptions.NoRegionError):
        return Trouble("no AWS region is chosen", "give --region or AWS_REGION, the region where rekey is deployed")
    if isinstance(
        error,
        exceptions.SSOError
        | exceptions.LoginError
        | exceptions.TokenRetrievalError
        | exceptions.CredentialRetrievalError,
    ):
        return Trouble(_plain(error), _LOG_IN)
    if isinstance(error, PASSING):
        if "127.0.0.1" in str(error):
            return Trouble("the local cloud does not answer", "`rekey local status` says what is wrong with it")
        return Trouble(f"AWS could not be reached: {_plain(error)}", "check the network, the proxy and --region")
    return Trouble(_plain(error))


def _answered(error: ClientError) -> Trouble:
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "").rstrip(". ")
    if code in _ACCESS_DENIED:
        return Trouble(
            f"AWS refused: {message or code}",
            'use a profile that may do this; docs/security.md, "Who may use the command line", lists the actions',
        )
    return _BY_CODE.get(code, Trouble(f"{error.operation_name}: {message or code}"))


def _plain(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(". ")
