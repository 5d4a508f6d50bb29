"""AWS played by moto, with table and bucket as the stack makes them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rekey.databricks import connect
from tests import kms_policies, kms_states
from tests.clients import client
from tests.names import BUCKET, TABLE
from tests.quick_moto import quick_moto


@contextmanager
def playing(patch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.delenv("AWS_ENDPOINT_URL", raising=False)
    kms_policies.play(patch)
    kms_states.play(patch)
    with quick_moto():
        connect.forget_clients()
        client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "due_pk", "due_at")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "due",
                    "KeySchema": [
                        {"AttributeName": "due_pk", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        client("s3").create_bucket(Bucket=BUCKET)
        yield
        connect.forget_clients()
