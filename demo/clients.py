"""boto3 clients for a local cloud, as its root user."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3

from local.cloud import LocalCloud

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBServiceResource
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


@dataclass(frozen=True)
class Clients:
    """The services that the demo itself asks."""

    sfn: "SFNClient"
    kms: "KMSClient"
    s3: "S3Client"
    dynamodb: "DynamoDBServiceResource"

    @classmethod
    def of(cls, cloud: LocalCloud) -> "Clients":
        session = boto3.Session(
            aws_access_key_id=cloud.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=cloud.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=cloud.region,
        )
        return cls(
            sfn=session.client("stepfunctions", endpoint_url=cloud.endpoint),
            kms=session.client("kms", endpoint_url=cloud.endpoint),
            s3=session.client("s3", endpoint_url=cloud.endpoint),
            dynamodb=session.resource("dynamodb", endpoint_url=cloud.endpoint),
        )
