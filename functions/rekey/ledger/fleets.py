"""Fleets in the ledger: one item each, every change conditional on the one before, and an audit trail of their own."""

import json
from typing import TYPE_CHECKING, Any

from rekey.base import clock
from rekey.base.errors import AwsUnavailable
from rekey.ledger.items import marshal, unmarshal
from rekey.ledger.tokens import TokenTable
from rekey.ledger.transaction import transact
from rekey.model.entries import Item, entry_hash, entry_of
from rekey.model.fleet import Fleet, FleetAction, fleet_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LISTED = "FLEET"
"""Under which all fleets are in the index "due", by when they were planned."""


class FleetTable:
    """Access to the fleets. AWS' errors pass through; a lost race is AwsUnavailable: look again."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self.tokens = TokenTable(client, table, key=_token_key)

    def find(self, name: str) -> Fleet | None:
        answer = self._client.get_item(TableName=self._table, Key=marshal(fleet_key(name)), ConsistentRead=True)
        return fleet_of(unmarshal(answer["Item"])) if "Item" in answer else None

    def since(self, planned_at: str) -> list[Fleet]:
        """Those that were planned since then, by an index that may lag behind by a moment."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_pk = :fleets AND due_at >= :since",
            ExpressionAttributeValues=marshal({":fleets": LISTED, ":since": planned_at}),
        )
        return [fleet_of(unmarshal(item)) for page in pages for item in page["Items"]]

    def open(self, fleet: Fleet, **detail: Any) -> Fleet:
        """Write a new one down. Raises AwsUnavailable when one of that name is there."""
        return self._write(None, fleet, FleetAction.PLANNED, detail)

    def change(self, before: Fleet, action: FleetAction, detail: dict[str, Any], **changes: Any) -> Fleet:
        """Write a change and its audit entry, both or neither.

        Raises AwsUnavailable when somebody else changed the fleet since `before` was read.
        """
        return self._write(before, before.model_copy(update=changes), action, detail)

    def trail(self, name: str) -> list[Item]:
        """The audit entries of a fleet in order; each carries the hash of the one before."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :audit)",
            ExpressionAttributeValues=marshal({":pk": fleet_key(name)["pk"], ":audit": "AUDIT#"}),
            ConsistentRead=True,
        )
        return [entry_of(unmarshal(item)) for page in pages for item in page["Items"]]

    def _write(self, before: Fleet | None, after: Fleet, action: FleetAction, detail: dict[str, Any]) -> Fleet:
        seq = after.audit_seq + 1
        entry: Item = {
            "fleet": after.name,
            "seq": seq,
            "at": clock.stamp(),
            "action": action,
            "detail": detail,
            "prev": after.audit_head,
        }
        entry["hash"] = entry_hash(entry)
        written = after.model_copy(update={"audit_seq": seq, "audit_head": entry["hash"]})
        put: Item = {"TableName": self._table, "Item": marshal(fleet_item(written))}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "audit_seq = :seq"
            put["ExpressionAttributeValues"] = marshal({":seq": before.audit_seq})
        item = {"pk": fleet_key(after.name)["pk"], "sk": f"AUDIT#{seq:06d}", **entry}
        own = {"TableName": self._table, "Item": marshal(item), "ConditionExpression": "attribute_not_exists(pk)"}
        if transact(self._client, {"fleet": {"Put": put}, "entry": {"Put": own}}):
            raise AwsUnavailable(f"The fleet {after.name} has moved on since it was read: look again.")
        return written


def fleet_item(fleet: Fleet) -> Item:
    listed = {"due_pk": LISTED, "due_at": fleet.created_at}
    # As JSON and back: DynamoDB takes no floats, and the request is small.
    return {**fleet_key(fleet.name), **fleet.model_dump(mode="json", exclude={"request"}), **listed} | {
        "request": fleet.request.model_dump_json()
    }


def fleet_of(item: Item) -> Fleet:
    entry = entry_of(item)
    return Fleet.model_validate_json(json.dumps({**entry, "request": json.loads(entry["request"])}))


def _token_key(name: str) -> Item:
    return {**fleet_key(name), "sk": "APPROVAL"}
