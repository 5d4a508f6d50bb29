"""Writes that are made together or not at all, each under a name, so that a refusal says which one it was."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.model.entries import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Writes = Mapping[str, Item]
"""By name, each as TransactWriteItems takes it: {"Put" | "Update" | "Delete" | "ConditionCheck": {...}}."""


def together(*parts: Writes) -> dict[str, Item]:
    """All of them, in order. Raises ValueError when two have one name: one would be lost."""
    writes: dict[str, Item] = {}
    for part in parts:
        if twice := writes.keys() & part.keys():
            raise ValueError(f"two writes of a transaction are named {', '.join(sorted(twice))}")
        writes.update(part)
    return writes


def transact(client: "DynamoDBClient", writes: Writes) -> frozenset[str]:
    """Names of the writes whose condition failed; empty when all were made. Raises AwsUnavailable while it is busy."""
    try:
        client.transact_write_items(TransactItems=list(writes.values()))  # type: ignore[arg-type]
    except ClientError as error:
        reasons = dict(zip(writes, error.response.get("CancellationReasons", []), strict=False))
        refused = frozenset(name for name, each in reasons.items() if each.get("Code") == "ConditionalCheckFailed")
        if refused:
            return refused
        if any(each.get("Code") in clients.TRANSIENT for each in reasons.values()):
            raise AwsUnavailable("The ledger is being written to: look again.") from error
        raise
    return frozenset()
