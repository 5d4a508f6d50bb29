"""AWS clients of the tests, made once: making one costs more than a call does."""

from functools import cache
from typing import Any

import boto3


@cache
def client(name: str, region_name: str = "us-east-1") -> Any:
    """Whichever moto, or none, is on when it is called is who answers."""
    make: Any = boto3.client
    return make(name, region_name=region_name)
