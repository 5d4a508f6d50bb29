"""Outages in the steps' world: Databricks, its token endpoint, one AWS service, for as long as the block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
import requests

from rekey.aws import clients
from rekey.databricks import connect
from tests.steps.world import World


@contextmanager
def databricks_fails(world: World, **fault: Any) -> Iterator[None]:
    """Every request that `match` names fails, tokens anew included."""
    connect.forget_clients()
    world.post("faults", times=None, **fault)
    try:
        yield
    finally:
        requests.delete(f"{world.url}/_sim/faults", timeout=10).raise_for_status()


ALL: dict[str, Any] = {"match": {}}
TOKENS: dict[str, Any] = {"match": {"path": "/oidc/"}}

OUTAGES: dict[str, dict[str, Any]] = {
    "no token": {**TOKENS, "fault": "status", "status": 401, "error_code": "UNAUTHENTICATED"},
    "throttled": {**ALL, "fault": "throttle"},
    "unavailable": {**ALL, "fault": "status", "status": 503, "error_code": "TEMPORARILY_UNAVAILABLE"},
    "broken": {**ALL, "fault": "status", "status": 500},
    "reset": {**ALL, "fault": "reset"},
    "denied": {**ALL, "fault": "status", "status": 403, "error_code": "PERMISSION_DENIED"},
}
"""Orders of faults for all requests; what is denied passes only on the way back."""


@contextmanager
def aws_away(service: str) -> Iterator[None]:
    """Nobody answers where an AWS service should be."""
    away: Any = boto3.client(
        service, region_name="us-east-1", endpoint_url="http://127.0.0.1:9", config=clients._CONFIG
    )  # type: ignore[call-overload]
    real = clients._client
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            clients,
            "_client",
            lambda name, region, account="": away if name == service else real(name, region, account),
        )
        yield


def held_up(world: World, name: str, why: str, **event: Any) -> None:
    """Call a step that waits, for what is said in such words: an error's name, for example."""
    answer = world.call(name, rotation_id="r1", **event)
    assert answer["done"] is False
    assert why in "; ".join(answer["waiting_for"]), answer
