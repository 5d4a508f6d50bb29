"""The role in another account that makes and keeps keys there: assumed at the first call, renewed before it expires.

With the external id, so that nobody else's rekey can be made to use it; and with a session policy, so that each Lambda
may do there what its own row of permissions says, and no more.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials
from botocore.exceptions import ClientError

from rekey.base.key_accounts import KeyAccounts

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

SESSION_SECONDS = 3600
"""All that STS gives to a session of a session; botocore renews the last quarter of an hour early."""

_REFUSED = {"AccessDenied", "AccessDeniedException"}

Sts = Callable[[], "STSClient"]


class RoleRefused(ClientError):
    """STS gives no session of the role. It says the same of one that is missing, does not trust, or was told another
    external id."""

    def __init__(self, error: ClientError, account: str, role_arn: str, own: str) -> None:
        super().__init__(error.response, error.operation_name)
        self.account = account
        self.problem = f"rekey cannot take on the role {role_arn}, which keeps keys in the AWS account {account}"
        self.fix = (
            f"deploy templates/key-account.yaml in {account}: with this very role, trusting {own or 'the stack'}, and "
            "with the external id of rekey:key_account_external_id"
        )

    def __str__(self) -> str:
        return f"{self.problem}. STS said: {super().__str__()} Fix: {self.fix}."


def assume(accounts: KeyAccounts, account: str, sts: Sts) -> dict[str, Any]:
    """A new session of the role in an account, as botocore's credentials take it. Raises RoleRefused, and what else
    STS answers."""
    role_arn = accounts.role_in(account)
    try:
        given = sts().assume_role(
            RoleArn=role_arn,
            # The Lambda's name: CloudTrail in that account shows it beside each call.
            RoleSessionName=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "rekey")[:64],
            ExternalId=accounts.external_id,
            Policy=accounts.session_in(account),
            DurationSeconds=SESSION_SECONDS,
        )["Credentials"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _REFUSED:
            raise RoleRefused(error, account, role_arn, accounts.own) from error
        raise
    return {
        "access_key": given["AccessKeyId"],
        "secret_key": given["SecretAccessKey"],
        "token": given["SessionToken"],
        "expiry_time": given["Expiration"].isoformat(),
    }


def session(accounts: KeyAccounts, account: str, sts: Sts) -> boto3.Session:
    """A session whose clients act as the role in that account."""
    core = botocore.session.get_session()
    provider = _Role(lambda: assume(accounts, account, sts))
    core.register_component("credential_provider", CredentialResolver([provider]))
    return boto3.Session(botocore_session=core)


class _Role(CredentialProvider):
    METHOD = "rekey-key-role"

    def __init__(self, refresh: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._refresh = refresh

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._refresh, self.METHOD)
