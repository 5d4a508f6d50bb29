"""What may befall calls and Lambdas: each for a call, or for as long as it lasts on the virtual clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from local.databricks.clock import ManualClock
from local.databricks.faults import Faults, Match, Order
from tests.matrix.boundary import AWS_SECONDS, HTTP, Call, Killed
from tests.matrix.cloud import Cloud
from tests.matrix.execution import TaskError

MOMENT, MINUTES, HOUR, HOURS, FOR_GOOD = 30.0, 300.0, 3_600.0, 21_600.0, 2 * 86_400.0
"""In seconds. For good: until a person has mended it, two days later."""

DURATIONS = {"30s": MOMENT, "5m": MINUTES, "10m": 600.0, "1h": HOUR, "2h": 7_200.0, "6h": HOURS, "good": FOR_GOOD}

_READ_TIMEOUT = 20.0
_ENDED = TaskError("Runtime.ExitError", "RequestId: 0 Error: Runtime exited with error: signal: killed")


@dataclass
class Passive:
    """Does nothing."""

    def before(self, call: Call) -> None:
        """Nothing."""

    def after(self, call: Call) -> None:
        """Nothing."""


@dataclass
class AtCall(Passive):
    """Something happens at one call of one function, the first time that it gets there."""

    function: str
    number: int
    when: str
    """before or after"""
    happens: Callable[[Call], None]
    done: bool = False

    def before(self, call: Call) -> None:
        self._perhaps(call, "before")

    def after(self, call: Call) -> None:
        self._perhaps(call, "after")

    def _perhaps(self, call: Call, when: str) -> None:
        if not self.done and (call.function, call.number, when) == (self.function, self.number, self.when):
            self.done = True
            self.happens(call)


def kill(_: Call) -> None:
    raise Killed(_ENDED.name, _ENDED.cause)


def lose(call: Call) -> None:
    """The answer to a call that was done never comes."""
    if call.service in HTTP:
        raise requests.exceptions.ReadTimeout("Read timed out. (read timeout=30.0)")
    raise ReadTimeoutError(endpoint_url=f"https://{call.service}.us-east-1.amazonaws.com/")


def refuse_once(call: Call) -> None:
    """The call fails before it has any effect, in the plainest way."""
    if call.service in HTTP:
        raise requests.exceptions.ConnectionError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
    raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, call.operation)


@dataclass
class AwsTrouble(Passive):
    """A service throttles, denies, or is away, until a moment."""

    clock: ManualClock
    kind: str
    services: tuple[str, ...]
    until: float
    times: int | None = None

    def before(self, call: Call) -> None:
        if call.service not in self.services or self.clock.now() >= self.until or self.times == 0:
            return
        if self.times is not None:
            self.times -= 1
        if self.kind == "away":
            self.clock.advance(_READ_TIMEOUT)
            raise ConnectTimeoutError(endpoint_url=f"https://{call.service}.us-east-1.amazonaws.com/")
        raise ClientError({"Error": {"Code": _CODES[self.kind], "Message": "Refused."}}, call.operation)


_CODES = {"throttled": "ThrottlingException", "denied": "AccessDeniedException"}
AWS_SERVICES = {
    "dynamodb": ("dynamodb",),
    "s3": ("s3",),
    "kms": ("kms", "resourcegroupstaggingapi"),
    "events": ("events",),
    "all": ("dynamodb", "s3", "kms", "resourcegroupstaggingapi", "secretsmanager", "events", "sqs", "stepfunctions"),
}

TICKET_SERVICES = {
    **{each: (each,) for each in ("ssm", "secretsmanager", "dynamodb", "sqs", "stepfunctions")},
    "all": ("ssm", "secretsmanager", "dynamodb", "sqs", "stepfunctions"),
}
"""What the tickets' Lambdas call."""


@dataclass
class Answering(Passive):
    """Orders at Databricks' simulator or the ticket systems, taken back when their time is over."""

    clock: ManualClock
    at: Faults
    orders: list[Order]
    until: float

    def __post_init__(self) -> None:
        for order in self.orders:
            self.at.add(order)

    def before(self, _: Call) -> None:
        if self.orders and self.clock.now() >= self.until:
            for order in self.orders:
                self.at.take_back(order)
            self.orders = []


@dataclass
class Hanging(Passive):
    """Databricks takes connections and never answers: each call costs its whole time-out."""

    clock: ManualClock
    until: float

    def before(self, call: Call) -> None:
        if call.service in HTTP and self.clock.now() < self.until:
            self.clock.advance(30.0)
            raise requests.exceptions.ReadTimeout("Read timed out. (read timeout=30.0)")


ANSWERS: dict[str, dict[str, Any]] = {
    "401": {"fault": "status", "status": 401, "error_code": "UNAUTHENTICATED", "message": "Credential is not valid."},
    "403": {"fault": "status", "status": 403, "error_code": "PERMISSION_DENIED", "message": "Not allowed."},
    "429": {"fault": "throttle", "retry_after": 5},
    "500": {"fault": "status", "status": 500, "error_code": "INTERNAL_ERROR", "message": "Internal error."},
    "503": {"fault": "status", "status": 503, "error_code": "TEMPORARILY_UNAVAILABLE", "message": "Try again."},
    "reset": {"fault": "reset"},
    "html": {"fault": "status", "status": 200, "body": "<!doctype html><html><body>Maintenance</body></html>"},
}

SCOPES: dict[str, tuple[str, ...]] = {
    "all": ("*",),
    "account": ("/api/2.0/accounts/",),
    "token": ("/v1/token",),
    "workspace": ("*/w/*/api/*",),
    "compute": ("/api/2.1/clusters/", "/instance-pools/", "/sql/warehouses"),
}


def answering(cloud: Cloud, kind: str, paths: tuple[str, ...], until: float, times: int | None = None) -> None:
    orders = [Order(match=Match(path=path), times=times, **ANSWERS[kind]) for path in paths]
    cloud.boundary.faults.append(Answering(cloud.clock, cloud.simulator.faults, orders, until))


@dataclass
class Twice(Passive):
    """The same call of the same function once more, while the first is at a certain call of its own."""

    cloud: Cloud
    function: str
    number: int
    payload: Any = None
    busy: bool = False
    done: bool = field(default=False)

    def before(self, call: Call) -> None:
        if self.done or self.busy or (call.function, call.number) != (self.function, self.number):
            return
        self.done = self.busy = True
        self.cloud.lambdas.cold()
        try:
            self.cloud.lambdas.call(self.function, self.payload)
        except TaskError:
            pass  # What became of the other one is nobody's answer.
        finally:
            self.busy = False
            self.cloud.lambdas.cold()
            self.cloud.clock.advance(AWS_SECONDS)
