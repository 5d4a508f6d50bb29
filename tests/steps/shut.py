"""Networks that Databricks does not let in, for as long as the block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from rekey.databricks import connect
from tests.steps.world import World


@contextmanager
def kept_out(world: World, *doors: str, **more: Any) -> Iterator[None]:
    """Access lists at some doors; tokens that were had before are no longer known."""
    connect.forget_clients()
    world.post("access-lists", at=list(doors), **more)
    try:
        yield
    finally:
        requests.delete(f"{world.url}/_sim/access-lists", timeout=10).raise_for_status()
