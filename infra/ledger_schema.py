"""The ledger's keys and its index: plain data, of which the stack makes its table and tests make theirs."""

from collections.abc import Mapping
from typing import NamedTuple


class Keys(NamedTuple):
    """Names of the partition key and the sort key; both are strings."""

    partition: str
    sort: str


KEYS = Keys("pk", "sk")
DUE = "due"
INDEXES: Mapping[str, Keys] = {DUE: Keys("due_pk", "due_at")}
"""Global, sparse, with all of the item."""
