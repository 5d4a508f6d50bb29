"""Dead-letter queues: what could not be delivered waits there to be seen."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.nag import acknowledge
from infra.platform import Platform


def build_dead_letter_queue(scope: Construct, construct_id: str, platform: Platform) -> sqs.Queue:
    """A queue that keeps what it is given for 14 days."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=platform.tls,
        retention_period=Duration.days(14),
    )
    acknowledge(queue, finding="AwsSolutions-SQS3", reason="It is itself a dead-letter queue.")
    return queue
