"""The one place that builds AWS clients and gives AWS' errors our names.

Retry lives in the state machine alone, so the clients try once: a second CreateKey
sent behind our back would be a second key (KMS has no idempotency token for it).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from rekey.aws.denial import denying
from rekey.aws.unreachable import denied_elsewhere, way_to
from rekey.base.arns import KeyArn
from rekey.base.errors import AccessDenied, AwsError, AwsUnavailable

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


def kms(region: str) -> "KMSClient":
    """KMS in the workspace's region, whatever region the stack is in: a key cannot serve another region."""
    client: KMSClient = _client("kms", region)
    return client


def tagging(region: str) -> "ResourceGroupsTaggingAPIClient":
    """Resource tagging API: the only way to find a KMS key by its tags in one call."""
    client: ResourceGroupsTaggingAPIClient = _client("resourcegroupstaggingapi", region)
    return client


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


@lru_cache(maxsize=32)
def _client(name: Any, region: str | None) -> Any:
    return boto3.client(name, region_name=region, config=_CONFIG)


def forget_clients() -> None:
    """Drop the cached clients (tests change the cloud under one process)."""
    _client.cache_clear()


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
    return kms(key.region).get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn botocore's errors into AccessDenied, AwsUnavailable or AwsError."""
    try:
        yield
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
