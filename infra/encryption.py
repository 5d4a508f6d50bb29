"""Encryption under the customer's own key (rekey:encryption_key_arn): the key, and the rights that its users need.

A service that encrypts under a customer-managed key uses it in the name of whoever calls the service: the caller needs
the right in KMS too. Here it is granted through that very service alone (kms:ViaService), on that key.
"""

from collections.abc import Iterable
from typing import cast

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

READ, WRITE = "kms:Decrypt", "kms:GenerateDataKey"

_USES: dict[str, tuple[str, ...]] = {
    # The table's own key is opened under ours, to read and to write (DynamoDB, "Encryption at rest: how it works").
    "dynamodb": (READ,),
    "s3:GetObject": (READ,),
    "s3:PutObject": (WRITE,),
    "secretsmanager": (READ,),
    # Each message has a data key, which is used again for a while (SQS, "Key management").
    "sqs:SendMessage": (READ, WRITE),
    "sqs:ReceiveMessage": (READ,),
    "states:DescribeExecution": (READ,),
    "states:SendTaskFailure": (READ, WRITE),
    "states:SendTaskHeartbeat": (READ, WRITE),
    "states:SendTaskSuccess": (READ, WRITE),
    "states:StartExecution": (READ, WRITE),
}
"""What is done with the key for an action, or for any action of a service."""

ITS_OWNER_KNOWS = "Which key the customer's secret is under only its owner knows; the context names the secret."


def key_of(scope: Construct, key_arn: str) -> kms.IKey | None:
    """The customer's key, known to the stack once; None where there is none."""
    if not key_arn:
        return None
    stack, name = Stack.of(scope), "EncryptionKey"
    known = cast("kms.IKey | None", stack.node.try_find_child(name))
    return known or kms.Key.from_key_arn(stack, name, key_arn)


def key_statements(key_arn: str, actions: Iterable[str]) -> list[iam.PolicyStatement]:
    """What a role needs in KMS for these actions: a statement a service. None without a key."""
    if not key_arn:
        return []
    uses: dict[str, set[str]] = {}
    for action in actions:
        service, _, _ = action.partition(":")
        if found := _USES.get(action, _USES.get(service)):
            uses.setdefault(service, set()).update(found)
    return [
        iam.PolicyStatement(
            actions=sorted(found),
            resources=[key_arn],
            conditions={"StringEquals": {"kms:ViaService": via(service)}},
        )
        for service, found in sorted(uses.items())
    ]


def own_secret_statement(secret_arn: str) -> iam.PolicyStatement:
    """Reads a secret of the customer's under whatever key it is: through Secrets Manager, and that secret alone."""
    _, partition, _, region, account, *_ = secret_arn.split(":")
    return iam.PolicyStatement(
        actions=[READ],
        resources=[f"arn:{partition}:kms:{region}:{account}:key/*"],
        conditions={
            "StringEquals": {
                "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": secret_arn,
            }
        },
    )


def via(service: str) -> str:
    """The service in the stack's region, as kms:ViaService names it; amazonaws.com in GovCloud too."""
    return f"{service}.{Aws.REGION}.amazonaws.com"
