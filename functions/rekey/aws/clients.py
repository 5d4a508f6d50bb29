"""The one place that builds AWS clients and gives AWS' errors our names.

Retry lives in the state machine alone, so the clients try once: a second CreateKey
sent behind our back would be a second key (KMS has no idempotency token for it).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from rekey.aws import key_role
from rekey.aws.denial import denying
from rekey.aws.unreachable import denied_elsewhere, way_to
from rekey.base.arns import KeyArn
from rekey.base.errors import AccessDenied, AwsError, AwsUnavailable
from rekey.base.key_accounts import KeyAccounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import CredentialsTypeDef

_CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled"}
TRANSIENT = {
    "ConditionalRequestConflict",
    "DependencyTimeoutException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "KMSInternalException",
    "KeyUnavailableException",
    "OperationAborted",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
}
"""What passes by itself, by the service's code, or by that of a reason for which DynamoDB cancelled a transaction."""


def kms(account: str, region: str) -> "KMSClient":
    """KMS in the key's account ("" is the stack's) and region: a key cannot serve another region.

    Where the setting gives the account a role, as that role; as the Lambda itself anywhere else.
    """
    client: KMSClient = _client("kms", region, _through_role(account))
    return client


def tagging(account: str, region: str) -> "ResourceGroupsTaggingAPIClient":
    """Resource tagging API, as `kms`: the only way to find a KMS key by its tags in one call."""
    client: ResourceGroupsTaggingAPIClient = _client("resourcegroupstaggingapi", region, _through_role(account))
    return client


def events_in(account: str, region: str) -> "EventBridgeClient":
    """EventBridge where keys are, as `kms`."""
    client: EventBridgeClient = _client("events", region, _through_role(account))
    return client


def reaches(account: str) -> bool:
    """Whether keys of the account can be asked for at all: the stack's own, and those that have the role."""
    accounts = _key_accounts()
    return account in ("", accounts.own) or accounts.has_role(account)


def role_refused(account: str) -> key_role.RoleRefused | None:
    """Why the role in the account cannot be assumed; None where it can, or none is needed. Asked anew each time."""
    if account := _through_role(account):
        try:
            key_role.assume(_key_accounts(), account, sts)
        except key_role.RoleRefused as refused:
            return refused
    return None


def dynamodb() -> "DynamoDBClient":
    client: DynamoDBClient = _client("dynamodb", None)
    return client


def lambda_() -> "LambdaClient":
    client: LambdaClient = _client("lambda", None)
    return client


def s3() -> "S3Client":
    client: S3Client = _client("s3", None)
    return client


def stepfunctions() -> "SFNClient":
    client: SFNClient = _client("stepfunctions", None)
    return client


def events() -> "EventBridgeClient":
    client: EventBridgeClient = _client("events", None)
    return client


def secrets() -> "SecretsManagerClient":
    client: SecretsManagerClient = _client("secretsmanager", None)
    return client


def security_hub() -> Any:
    """Security Hub in the stack's region: its findings are of the account and region that send them."""
    return _client("securityhub", None)


def sts() -> "STSClient":
    """STS in the Lambda's own region: its global endpoint issues no web identity tokens."""
    client: STSClient = _client("sts", None)
    return client


def sts_with(session: "CredentialsTypeDef") -> "STSClient":
    """STS as a role that was assumed, for one call."""
    return boto3.client(
        "sts",
        config=_CONFIG,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def ssm() -> "SSMClient":
    client: SSMClient = _client("ssm", None)
    return client


def sqs() -> "SQSClient":
    client: SQSClient = _client("sqs", None)
    return client


_MAKING = Lock()
"""A session makes one client at a time (boto3, "Multithreading"); keys are listed side by side."""


@lru_cache(maxsize=64)
def _client(name: Any, region: str | None, account: str = "") -> Any:
    """`account`: whose role it acts as; "" for the Lambda's own."""
    with _MAKING:
        session: Any = _session(account) if account else boto3
        return session.client(name, region_name=region, config=_CONFIG)


@lru_cache(maxsize=32)
def _session(account: str) -> boto3.Session:
    return key_role.session(_key_accounts(), account, sts)


@lru_cache(maxsize=1)
def _key_accounts() -> KeyAccounts:
    return KeyAccounts.from_env(os.environ)


def _through_role(account: str) -> str:
    return account if _key_accounts().has_role(account) else ""


def forget_clients() -> None:
    """Drop the cached clients (tests change the cloud under one process)."""
    for cache in (_client, _session, _key_accounts):
        cache.cache_clear()


def error_code(error: ClientError) -> str:
    """The service's code of an error, "" where it gave none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def denied_by(error: ClientError) -> str:
    """Which statement of a key's policy denies, and the fix; empty where that is not why, or nobody can tell."""
    try:
        return denying(str(error), _key_policy)
    except (ClientError, BotoCoreError, ValueError):
        return ""


def _key_policy(key_arn: str) -> str:
    key = KeyArn.of(key_arn)
    return kms(key.account, key.region).get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn botocore's errors into AccessDenied, AwsUnavailable or AwsError."""
    try:
        yield
    except key_role.RoleRefused as error:
        raise AccessDenied(str(error)) from error
    except ClientError as error:
        code, message = error_code(error), str(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in DENIED:
            fix = (
                denied_by(error)
                or denied_elsewhere(message)
                or "Fix: give the Lambda's role, or the key's policy, this action."
            )
            raise AccessDenied(f"{message} {fix}") from error
        if code in TRANSIENT or status >= 500:
            raise AwsUnavailable(message, status=status) from error
        raise AwsError(message) from error
    except (BotoConnectionError, HTTPClientError) as error:
        raise AwsUnavailable(f"{_ended(error)} {way_to(error)}") from error
    except BotoCoreError as error:
        raise AwsError(str(error)) from error


def _ended(error: Exception) -> str:
    return str(error).rstrip(".") + "."
