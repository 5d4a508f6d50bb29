"""A DynamoDB table of one process, quick enough for thousands of histories: exactly the calls that the ledger makes.

tests/unit/test_ledger.py holds it: the ledger's own tests run on it and on moto.
"""

import re
from collections.abc import Callable, Iterator
from operator import eq, le, lt, ne
from typing import Any

from botocore.exceptions import ClientError

from rekey.ledger.items import marshal, unmarshal

Item = dict[str, Any]
_ATOM = re.compile(r"(#?\w+) (=|<|<=|<>) (:\w+)")


class Table:
    """Stands in for a boto3 client; conditions, transactions, one index. Anything else is an AttributeError."""

    class exceptions:  # noqa: N801, boto3's own name
        class ConditionalCheckFailedException(ClientError):
            pass

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}
        self.indexed: dict[tuple[str, str], Item] | None = None
        """What the index shows while it lags; None while it does not."""

    def get_item(self, *, Key: Item, **_: Any) -> Item:  # noqa: N803, boto3's own names
        found = self.items.get(_key(unmarshal(Key)))
        return {"Item": marshal(found)} if found else {}

    def update_item(self, **update: Any) -> None:
        if not self._holds(update):
            raise self.exceptions.ConditionalCheckFailedException({"Error": {"Code": "ConditionalCheckFailed"}}, "")
        self._update(update)

    def transact_write_items(self, *, TransactItems: list[Item]) -> None:  # noqa: N803
        writes = [next(iter(each.items())) for each in TransactItems]
        keys = [_key(unmarshal(write.get("Key") or write["Item"])) for _, write in writes]
        assert len(set(keys)) == len(keys), "DynamoDB takes each item of a transaction once"
        holds = [self._holds(write) for _, write in writes]
        if not all(holds):
            reasons = [{"Code": "None" if each else "ConditionalCheckFailed"} for each in holds]
            answer: Any = {"Error": {}, "CancellationReasons": reasons}
            raise ClientError(answer, "TransactWriteItems")
        for kind, write in writes:
            if kind == "Put":
                self.items[_key(unmarshal(write["Item"]))] = unmarshal(write["Item"])
            elif kind == "Update":
                self._update(write)
            elif kind == "Delete":
                self.items.pop(_key(unmarshal(write["Key"])), None)

    def get_paginator(self, _: str) -> "Table":
        return self

    def paginate(self, *, ExpressionAttributeValues: Item, IndexName: str = "", **_: Any) -> Iterator[Item]:  # noqa: N803
        values = unmarshal(ExpressionAttributeValues)
        if IndexName:
            shown = self.items if self.indexed is None else self.indexed
            found = [each for each in shown.values() if each.get("due_pk") == values[":queue"]]
            found = [each for each in found if each["due_at"] <= values.get(":now", each["due_at"])]
            found.sort(key=lambda each: str(each["due_at"]))
        else:
            of_pk = [each for each in self.items.values() if each["pk"] == values[":pk"]]
            found = [each for each in of_pk if each["sk"].startswith(values[":audit"])]
            found.sort(key=lambda each: str(each["sk"]))
        yield {"Items": [marshal(each) for each in found]}

    def _holds(self, write: Item) -> bool:
        if "ConditionExpression" not in write:
            return True
        item = self.items.get(_key(unmarshal(write.get("Key") or write["Item"])), {})
        values = unmarshal(write.get("ExpressionAttributeValues", {}))
        return any(
            all(_true(atom.strip(), item, values) for atom in way.split(" AND "))
            for way in write["ConditionExpression"].split(" OR ")
        )

    def _update(self, write: Item) -> None:
        values = unmarshal(write["ExpressionAttributeValues"])
        item = self.items[_key(unmarshal(write["Key"]))]
        for name, value in _ATOM_SET.findall(write["UpdateExpression"]):
            item[write["ExpressionAttributeNames"][name]] = values[value]
        for name in write["UpdateExpression"].partition(" REMOVE ")[2].split(", "):
            item.pop(name, None)


_ATOM_SET = re.compile(r"(#\w+) = (:\w+)")


_COMPARE: dict[str, Callable[[Any, Any], Any]] = {"=": eq, "<>": ne, "<": lt, "<=": le}


def _true(atom: str, item: Item, values: Item) -> bool:
    if atom == "attribute_not_exists(pk)":
        return not item
    match = _ATOM.fullmatch(atom)
    assert match, f"a condition that this table does not know: {atom}"
    name, sign, value = match[1], match[2], values[match[3]]
    if name not in item:
        return False
    return bool(_COMPARE[sign](item[name], value))


def _key(item: Item) -> tuple[str, str]:
    return item["pk"], item["sk"]
