"""Dead-letter queues: what could not be delivered waits there to be seen."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.encryption import key_of
from infra.nag import acknowledge
from infra.platform import Platform


def build_dead_letter_queue(scope: Construct, construct_id: str, platform: Platform) -> sqs.Queue:
    """A queue that keeps what it is given for 14 days."""
    queue = build_queue(scope, construct_id, platform)
    acknowledge(queue, finding="AwsSolutions-SQS3", reason="It is itself a dead-letter queue.")
    return queue


def build_queue(
    scope: Construct,
    construct_id: str,
    platform: Platform,
    *,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """An encrypted queue that keeps what it is given for 14 days."""
    key = key_of(scope, platform.encryption_key_arn)
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=platform.tls,
        retention_period=Duration.days(14),
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )
