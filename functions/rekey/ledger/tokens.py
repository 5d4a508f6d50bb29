"""Tokens that executions wait with until a person has answered; of each rotation the newest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rekey.base import clock
from rekey.ledger.items import marshal, token_key, unmarshal
from rekey.model.entries import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


APPROVAL_TIME = timedelta(days=3)
"""How long an approval is waited for, as stepfunctions/rotate_key.asl.json has it; a test holds the two together."""


@dataclass(frozen=True, slots=True)
class Token:
    """What an approver's answer is sent to."""

    token: str = field(repr=False)
    asked_at: str
    answered: bool = False
    """Whether the execution has its answer."""


class TokenTable:
    """Access to the tokens. AWS' errors pass through. `key` gives the key of an id's item."""

    def __init__(self, client: "DynamoDBClient", table: str, key: Callable[[str], Item] = token_key) -> None:
        self._client = client
        self._table = table
        self._key = key

    def keep(self, rotation_id: str, token: str) -> Token:
        """Remember what an approver's answer is sent to. A later one replaces an earlier: only it is waited on."""
        kept = Token(token, clock.stamp())
        item = {**self._key(rotation_id), "token": kept.token, "asked_at": kept.asked_at}
        self._client.put_item(TableName=self._table, Item=marshal(item))
        return kept

    def answered(self, rotation_id: str, token: Token) -> None:
        """Remember that the execution has the answer. Nothing when it waits with another token by now."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=marshal(self._key(rotation_id)),
                UpdateExpression="SET answered = :yes",
                ConditionExpression="#token = :token",
                ExpressionAttributeNames={"#token": "token"},
                ExpressionAttributeValues=marshal({":yes": True, ":token": token.token}),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def find(self, rotation_id: str) -> Token | None:
        key = marshal(self._key(rotation_id))
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        item = unmarshal(answer["Item"])
        return Token(str(item["token"]), str(item["asked_at"]), bool(item.get("answered")))
