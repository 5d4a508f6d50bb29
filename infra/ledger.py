"""The ledger (DynamoDB) and the evidence bucket (S3): what rekey did, kept when the stack is gone."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.encryption import key_of
from infra.ledger_schema import INDEXES, KEYS
from infra.nag import acknowledge
from infra.platform import Platform


class Ledger(Construct):
    """`table` (of ledger_schema.py; TTL on expires_at) and `bucket` (rotations/<rotation_id>/...)."""

    def __init__(self, scope: Construct, construct_id: str, platform: Platform, lock_days: int = 0) -> None:
        super().__init__(scope, construct_id)
        self._platform = platform
        self._key = key_of(self, platform.encryption_key_arn)
        self._lock_days = lock_days
        self.table = self._build_table()
        self.bucket = self._build_bucket(access_logs=self._build_access_logs())

    def _build_table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            partition_key=_text(KEYS.partition),
            sort_key=_text(KEYS.sort),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if self._key else dynamodb.TableEncryption.AWS_MANAGED,
            encryption_key=self._key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            stream=dynamodb.StreamViewType.NEW_IMAGE,
            deletion_protection=self._platform.keeps_data,
            removal_policy=self._platform.removal_policy,
        )
        for name, keys in INDEXES.items():
            table.add_global_secondary_index(
                index_name=name,
                partition_key=_text(keys.partition),
                sort_key=_text(keys.sort),
                projection_type=dynamodb.ProjectionType.ALL,
            )
        return table

    @property
    def stream_arn(self) -> str:
        """ARN of the table's stream."""
        return cast("dynamodb.CfnTable", self.table.node.default_child).attr_stream_arn

    def _build_bucket(self, access_logs: s3.IBucket) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Evidence",
            versioned=True,
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            bucket_key_enabled=True if self._key else None,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(self._lock_days))
            if self._lock_days
            else None,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=self._platform.tls,
            minimum_tls_version=1.2 if self._platform.tls else None,
            server_access_logs_bucket=access_logs,
            removal_policy=self._platform.removal_policy,
        )

    def _build_access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "EvidenceAccess",
            # S3 delivers access logs to no bucket under another key, nor to a locked one (S3, "Logging requests").
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=self._platform.tls,
            minimum_tls_version=1.2 if self._platform.tls else None,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(expiration=Duration.days(400), noncurrent_version_expiration=Duration.days(30))
            ],
            removal_policy=self._platform.removal_policy,
        )
        acknowledge(
            bucket,
            finding="AwsSolutions-S1",
            reason="It holds the evidence bucket's access logs; logging its own would never end.",
        )
        return bucket


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
