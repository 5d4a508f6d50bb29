"""The ledger's table and the evidence bucket, as the stack makes them."""

from itertools import chain
from typing import Any

from infra.ledger_schema import INDEXES, KEYS, Keys
from tests.clients import client
from tests.names import BUCKET, TABLE


def make_bucket_and_table() -> None:
    client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema(KEYS),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in chain(KEYS, *INDEXES.values())],
        GlobalSecondaryIndexes=[
            {"IndexName": name, "KeySchema": _schema(keys), "Projection": {"ProjectionType": "ALL"}}
            for name, keys in INDEXES.items()
        ],
    )
    client("s3").create_bucket(Bucket=BUCKET)


def _schema(keys: Keys) -> list[Any]:
    return [{"AttributeName": keys.partition, "KeyType": "HASH"}, {"AttributeName": keys.sort, "KeyType": "RANGE"}]
