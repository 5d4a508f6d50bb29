"""AWS played by moto, with table and bucket as the stack makes them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rekey.databricks import connect
from tests import kms_policies, kms_states
from tests.bucket_and_table import make_bucket_and_table
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
        make_bucket_and_table()
        yield
        connect.forget_clients()
