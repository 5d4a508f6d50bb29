"""AWS' word for who this is: a signed JWT of the role that Databricks trusts.

Source: AWS STS API, GetWebIdentityToken. All Lambdas take on one role first, so that Databricks knows one subject.
"""

import os

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base.errors import AwsError

LIFE_SECONDS = 300
"""What Databricks' own recipe asks for. The token is exchanged at once; the role's policy allows no more."""
_SESSION_SECONDS = 900
"""The shortest session that STS gives; a token may not outlive it."""


def web_identity_token(role_arn: str, audience: str) -> str:
    """A JWT with `role_arn` as its subject. Raises AccessDenied, AwsUnavailable or AwsError."""
    with clients.named_errors():
        session = clients.sts().assume_role(
            RoleArn=role_arn, RoleSessionName=_session_name(), DurationSeconds=_SESSION_SECONDS
        )
        try:
            issued = clients.sts_with(session["Credentials"]).get_web_identity_token(
                Audience=[audience],
                # Databricks takes RS256 and ES256; STS gives RS256 and ES384.
                SigningAlgorithm="RS256",
                DurationSeconds=LIFE_SECONDS,
            )
        except ClientError as error:
            if clients.error_code(error).startswith("OutboundWebIdentityFederationDisabled"):
                raise AwsError(
                    "This AWS account issues no web identity tokens. Fix: enable them once for the account: "
                    "aws iam enable-outbound-web-identity-federation"
                ) from error
            raise
    return issued["WebIdentityToken"]


def _session_name() -> str:
    """The Lambda's name: CloudTrail shows it beside each token that is issued."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "rekey")[:64]
