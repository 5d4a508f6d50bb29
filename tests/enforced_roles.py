"""Every AWS call that a Lambda's handler makes in a test is held against its role: AccessDenied, or it passes.

Calls through other clients than the product's (tests', the simulator's), and calls while no Lambda runs, are nobody's.
`pytest --needed FOLDER` notes in a file a worker which test needed which right: `make permissions` puts them together.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from rekey.aws import clients
from tests.role_requests import of_states, requests_of
from tests.roles import Needed, Request, allowing

_running: list[str] = []
"""The Lambda whose handler runs, if one does: the tests' threads all work for it."""

_noting: list[bool] = []
NEEDED: dict[str, Needed] = {}
"""By the name of a right."""


@contextmanager
def running_as(function: str) -> Iterator[None]:
    """What happens within is done by that Lambda."""
    _running.append(function)
    try:
        yield
    finally:
        _running.pop()


def judge(requests: Sequence[Request], operation: str) -> None:
    """Raises the AccessDenied of a client where the role of the Lambda that runs would not allow it all."""
    if not _running:
        return
    function = _running[-1]
    for request in requests:
        found = allowing(function, request)
        if not found:
            raise denied(function, request, operation)
        if _noting and len(found) == 1:
            NEEDED.setdefault(found[0].name, Needed()).add(_test(), request)


def judge_states(operation: str, arn: str = "") -> None:
    """For what stands in for Step Functions."""
    judge([of_states(operation, arn) if arn else of_states(operation)], operation)


def denied(function: str, request: Request, operation: str) -> ClientError:
    said = (
        f"User: {function} is not authorized to perform: {request.action} on resource: {request.resource} because no "
        f"identity-based policy allows the {request.action} action ({dict(request.about)}, tags {dict(request.tags)})"
    )
    code = "AccessDeniedException" if not request.action.startswith("s3:") else "AccessDenied"
    return ClientError({"Error": {"Code": code, "Message": said}}, operation)


def play(patch: pytest.MonkeyPatch) -> None:
    """For as long as the patch lasts."""
    base: Any = BaseClient
    real = base._make_api_call
    make: Any = clients._client
    products: WeakSet[Any] = WeakSet()

    def made(name: str, region: str | None, account: str = "") -> Any:
        client = make(name, region, account)
        # In another account the session's policy decides: tests/steps/test_key_accounts.py asks it.
        if not account:
            products.add(client)
        return client

    vars(made)["cache_clear"] = make.cache_clear

    def called(client: Any, operation: str, given: dict[str, Any]) -> Any:
        if not _running or client not in products:
            return real(client, operation, given)
        service = client.meta.service_model.service_name
        judge(requests_of(service, operation, given, client.meta.region_name), operation)
        try:
            return real(client, operation, given)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            # Without s3:ListBucket S3 does not say that an object is missing (API reference, GetObject).
            listing = Request("s3:ListBucket", f"arn:aws:s3:::{given['Bucket']}")
            raise denied(_running[-1], listing, operation) from error

    patch.setattr(clients, "_client", made)
    patch.setattr(base, "_make_api_call", called)


def _test() -> str:
    """The test that runs, without the case of it."""
    return os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0].split("[")[0]


class Collector:
    """Pytest plugin: writes what this worker saw into the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        _noting.append(True)

    def pytest_sessionfinish(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        found = {
            name: {"tests": sorted(each.tests), "request": each.request.as_json()}
            for name, each in sorted(NEEDED.items())
            if each.request
        }
        if found:
            (self._folder / f"{os.getpid()}.json").write_text(json.dumps(found), encoding="utf-8")
