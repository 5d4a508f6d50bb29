"""What went wrong between here and AWS, in words that end with what to do."""

from collections.abc import Mapping

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)

PASSING = (exceptions.HTTPClientError, exceptions.ConnectionError)
"""The network, not AWS' answer: the next look may succeed."""

_THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})

_LOG_IN = "log in (aws sso login, or as your company does), and choose the profile with --profile or AWS_PROFILE"

_BY_CODE: Mapping[str, str] = {
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired"),
        f"the AWS session is over. Fix: {_LOG_IN}",
    ),
    **dict.fromkeys(
        ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"),
        f"AWS does not accept these credentials. Fix: {_LOG_IN}",
    ),
    "ExecutionDoesNotExist": "there is no such rotation. Fix: `rekey status` lists the last ones. Step Functions "
    "forgets an execution 90 days after its end; its evidence stays in the evidence bucket",
}

_ACCESS_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})


def passes(error: Exception) -> bool:
    """Whether looking again in a moment may help."""
    return isinstance(error, PASSING) or (
        isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _THROTTLED
    )


def explain(error: Exception) -> str:
    """One line for a person; the error's own words where there are no better ones."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return f"AWS credentials were not found. Fix: {_LOG_IN}"
    if isinstance(error, exceptions.ProfileNotFound):
        return f"{_plain(error)}. Fix: `aws configure list-profiles` names those there are"
    if isinstance(error, exceptions.NoRegionError):
        return "no AWS region is chosen. Fix: give --region or AWS_REGION, the region where rekey is deployed"
    if isinstance(
        error,
        exceptions.SSOError
        | exceptions.LoginError
        | exceptions.TokenRetrievalError
        | exceptions.CredentialRetrievalError,
    ):
        return f"{_plain(error)}. Fix: {_LOG_IN}"
    if isinstance(error, PASSING):
        if "127.0.0.1" in str(error):
            return "the local cloud does not answer. Fix: `rekey local status` says what is wrong with it"
        return f"AWS could not be reached: {_plain(error)}. Fix: check the network, the proxy and --region"
    return _plain(error)


def _answered(error: ClientError) -> str:
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "").rstrip(". ")
    if code in _ACCESS_DENIED:
        return (
            f"AWS refused: {message or code}. Fix: use a profile that may do this; "
            'docs/security.md, "Who may use the command line", lists the actions'
        )
    return _BY_CODE.get(code, f"{error.operation_name}: {message or code}")


def _plain(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(". ")
