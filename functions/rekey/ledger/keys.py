"""Keys in the ledger: one item each, every change conditional on the one before, and an audit trail of their own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from rekey.base import clock
from rekey.base.errors import AwsUnavailable
from rekey.ledger.items import KEPT, SWEPT, append_key_entry, key_item, key_of, marshal, policy_key, unmarshal
from rekey.ledger.transaction import Writes, together, transact
from rekey.model.actions import KeyAction
from rekey.model.entries import Item, entry_of, key_item_key
from rekey.model.key import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


POLICY_HOLD_SECONDS = 180
"""Longer than a Lambda lives: whoever held a key's policy and crashed holds it no longer than that."""

KeyChange = tuple[Key | None, Key]
"""A key before and after; None where the ledger did not know it."""


class KeyTable:
    """Access to the keys. AWS' errors pass through; a lost race is AwsUnavailable: look again."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def find(self, key_arn: str) -> Key | None:
        answer = self._client.get_item(TableName=self._table, Key=marshal(key_item_key(key_arn)), ConsistentRead=True)
        return key_of(unmarshal(answer["Item"])) if "Item" in answer else None

    def to_sweep(self) -> list[Key]:
        """Keys that wait to go or are watched, earliest first. The index may lag: changes are conditional."""
        return self._listed(SWEPT)

    def all(self) -> list[Key]:
        """Every key that the ledger knows."""
        return [*self._listed(SWEPT), *self._listed(KEPT)]

    def trail(self, key_arn: str) -> list[Item]:
        """The audit entries of a key in order; each carries the hash of the one before."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :audit)",
            ExpressionAttributeValues=marshal({":pk": key_item_key(key_arn)["pk"], ":audit": "AUDIT#"}),
            ConsistentRead=True,
        )
        return [entry_of(unmarshal(item)) for page in pages for item in page["Items"]]

    def introduce(self, key: Key, action: KeyAction) -> None:
        """Write down a key that the ledger does not know; one that it knows stays as it is."""
        transact(self._client, self.writes([(None, key)], action))

    def change(
        self, before: Key | None, after: Key, action: KeyAction, more: Writes | None = None, **detail: Any
    ) -> Key:
        """Write a key's change, its audit entry and `more`, all or nothing.

        Raises AwsUnavailable when somebody else changed the key since `before` was read.
        """
        changed, entry = append_key_entry(after, action, detail)
        if transact(self._client, together(self._puts(before, changed, entry), more or {})):
            raise AwsUnavailable(f"The key has moved on since it was read: {after.key_arn}. Look again.")
        return changed

    def note(self, before: Key, after: Key) -> Key:
        """Remember what was seen, without an audit entry. Raises AwsUnavailable as `change` does."""
        if transact(self._client, {"key": self._put_key(before, after)}):
            raise AwsUnavailable(f"The key has moved on since it was read: {after.key_arn}. Look again.")
        return after

    def writes(self, changes: Iterable[KeyChange], action: KeyAction) -> Writes:
        """Changes of keys as part of another transaction."""
        return together(*(self._puts(before, *append_key_entry(after, action, {})) for before, after in changes))

    @contextmanager
    def policy_held(self, key_arn: str, rotation_id: str) -> Iterator[None]:
        """Hold a key's policy while it is read and put: KMS takes no condition with a put.

        Raises AwsUnavailable while another rotation holds it.
        """
        now = int(clock.now().timestamp())
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._hold(key_arn, rotation_id, now + POLICY_HOLD_SECONDS),
                ConditionExpression="attribute_not_exists(pk) OR expires_at < :now OR rotation_id = :me",
                ExpressionAttributeValues=marshal({":now": now, ":me": rotation_id}),
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise AwsUnavailable(f"Another rotation is writing the policy of {key_arn}: look again.") from error
        try:
            yield
        except BotoCoreError:
            raise  # No answer came: the put may arrive yet, so that nobody else is to read before the hold ends.
        except BaseException:
            self._let_go(key_arn, rotation_id)
            raise
        self._let_go(key_arn, rotation_id)

    def _let_go(self, key_arn: str, rotation_id: str) -> None:
        self._client.put_item(
            TableName=self._table,
            Item=self._hold(key_arn, rotation_id, 0),
            ConditionExpression="rotation_id = :me",
            ExpressionAttributeValues=marshal({":me": rotation_id}),
        )

    def _hold(self, key_arn: str, rotation_id: str, expires_at: int) -> Item:
        return dict(marshal({**policy_key(key_arn), "rotation_id": rotation_id, "expires_at": expires_at}))

    def _puts(self, before: Key | None, changed: Key, entry: Item) -> Writes:
        put = {"TableName": self._table, "Item": marshal(entry), "ConditionExpression": "attribute_not_exists(pk)"}
        return {f"key {changed.key_arn}": self._put_key(before, changed), f"entry of {changed.key_arn}": {"Put": put}}

    def _put_key(self, before: Key | None, after: Key) -> Item:
        put: Item = {"TableName": self._table, "Item": marshal(key_item(after))}
        if before is None:
            return {"Put": {**put, "ConditionExpression": "attribute_not_exists(pk)"}}
        return {
            "Put": {
                **put,
                # A claim alone lengthens no trail.
                "ConditionExpression": "version = :version AND claimed_at = :claimed_at",
                "ExpressionAttributeValues": marshal({":version": before.version, ":claimed_at": before.claimed_at}),
            }
        }

    def _listed(self, queue: str) -> list[Key]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_pk = :queue",
            ExpressionAttributeValues=marshal({":queue": queue}),
        )
        return [key_of(unmarshal(item)) for page in pages for item in page["Items"]]
