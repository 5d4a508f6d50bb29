"""One cloud for thousands of runs: moto, the simulator and the product in one process and on one clock."""

import datetime as datetime_module
import importlib
import json
import random
import sys
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.client
import pytest
import requests
from fastapi import routing
from moto.kms import models as kms_models
from moto.kms.models import kms_backends
from moto.moto_api._internal import mock_random

from local.databricks.app import create_app
from local.databricks.clock import ManualClock
from local.databricks.settings import Settings as SimulatorSettings
from local.databricks.state import ids
from local.databricks.tokens import Tokens
from local.databricks.world import World as Simulator
from local.tickets import jira
from local.tickets.app import create_app as create_tickets
from local.tickets.credentials import new_secret
from local.tickets.state import State as TicketSystems
from rekey.aws import clients
from rekey.base import clock
from rekey.ledger import Ledger
from rekey.rotation.compute import crew, pace
from rekey.runtime import current_settings
from tests import handlers, kms_policies, kms_states, kms_usage, quick_kms
from tests.matrix.boundary import Boundary
from tests.matrix.lambdas import Lambdas
from tests.matrix.loopback import URL, InProcess, quick_routes
from tests.matrix.tasks import Tasks
from tests.matrix.timeline import Timeline
from tests.names import ACCOUNT_ID, TABLE
from tests.quick_aws import QuickAws, Refused, raised
from tests.quick_moto import quick_moto
from tests.steps.world import World, environment

ACCOUNT, REGION = "123456789012", "us-east-1"
START = 1_800_000_000.0
ROTATIONS = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:rekey-rotate-key"
_MORE = {
    "UNPUBLISHED_QUEUE_URL": "https://sqs.invalid/unpublished",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "STATE_MACHINE_ARN": ROTATIONS,
    "FLEET_STATE_MACHINE_ARN": ROTATIONS.replace("rotate-key", "rotate-fleet"),
    "TICKETS_PARAMETER": "/rekey/tickets",
    "TICKETS_SECRET_ARN": "tickets",
    "TICKET_COMMENTS_QUEUE_URL": "https://sqs.invalid/comments",
    "ANSWER_APPROVAL_FUNCTION": "rekey-answer-approval",
    "STEER_FLEET_FUNCTION": "rekey-steer-fleet",
}

_LIBRARIES = (
    *(
        f"aws_lambda_powertools.utilities.idempotency.{each}"
        for each in ("base", "persistence.base", "persistence.datarecord", "persistence.dynamodb")
    ),
    "aws_lambda_powertools.utilities.parameters.base",
    "standardwebhooks.webhooks",
)
"""What looks at the clock on the product's behalf."""


class Serial:
    """ThreadPoolExecutor that does one thing after the other, so that a run is the same each time."""

    def __init__(self, *_: Any) -> None:
        self._done: list[Any] = []

    def __enter__(self) -> "Serial":
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is under way."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        answer = function(*arguments)
        return SimpleNamespace(result=lambda: answer)


class VirtualPace:
    """The clock that the pace of requests goes by."""

    def __init__(self, manual: ManualClock) -> None:
        self._clock = manual

    def now(self) -> float:
        return self._clock.now()

    def sleep_until(self, moment: float) -> None:
        self._clock.advance(max(0.0, moment - self._clock.now()))


class _Watched:
    """Step Functions' client, whose calls pass the boundary too."""

    def __init__(self, tasks: Tasks, boundary: Boundary) -> None:
        self._tasks, self._boundary = tasks, boundary

    @property
    def exceptions(self) -> Any:
        return self._tasks.exceptions

    def __getattr__(self, name: str) -> Any:
        call, operation = getattr(self._tasks, name), "".join(each.title() for each in name.split("_"))
        return lambda **given: self._boundary.passing("stepfunctions", operation, lambda: call(**given))


@dataclass
class Cloud:
    """Everything that a run needs. `skew` is how far the Lambdas' clocks are ahead of the truth, in seconds."""

    clock: ManualClock
    boundary: Boundary
    adapter: InProcess
    simulator: Simulator
    world: World
    ledger: Ledger
    aws: QuickAws
    policies: kms_policies.Policies
    usage: kms_usage.Usage
    tasks: Tasks
    tickets: TicketSystems
    skew: float = 0.0
    timeline: Timeline = field(init=False)
    lambdas: Lambdas = field(init=False)

    def __post_init__(self) -> None:
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Empty: nobody knows what was there."""
        vars(self.clock)["_now"] = START
        self.skew = 0.0
        random.seed(seed)
        mock_random.seed(seed)
        self.boundary.faults.clear()
        self.boundary.log.clear()
        self.boundary.at_work.clear()
        self.simulator.reset()
        self.simulator.tokens = Tokens()
        self.tickets.reset()
        self.aws.reset()
        kms = kms_backends[ACCOUNT][REGION]
        kms.keys.clear()
        kms.tagger.tags.clear()
        vars(self.policies).update(vars(kms_policies.Policies()))
        self.usage.last.clear()
        self.timeline = Timeline(self.clock)
        self.lambdas = Lambdas(self.boundary)
        self.lambdas.cold()
        self.tasks.reset(self.timeline)
        self.world.rotation_id = "r1"

    def now(self) -> datetime:
        """The truth."""
        return datetime.fromtimestamp(self.clock.now(), UTC)


@contextmanager
def running(manual: Any = None, make_boundary: Callable[[Any], Boundary] = Boundary) -> Iterator[Cloud]:
    """A cloud, for as long as the process needs it: to make one takes longer than a run.

    `manual` is a clock with the face of ManualClock, one of its own unless it is given.
    """
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        usage = kms_usage.play(patch)
        policies = kms_policies.play(patch)
        kms_states.play(patch)
        stack.enter_context(quick_moto())
        manual = manual or ManualClock(START)
        boundary = make_boundary(manual)
        settings = SimulatorSettings(account_id=ACCOUNT_ID, customer_account=ACCOUNT)
        app = create_app(settings, clock=manual)
        tickets = TicketSystems(new_secret())
        adapter = InProcess(app, create_tickets(tickets), boundary)
        # The machine's own proxies and passwords have no say here, and to look for them is dear.
        patch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})
        patch.setattr(requests.sessions, "get_netrc_auth", lambda *_, **__: None)
        patch.setattr(requests.Session, "get_adapter", lambda *_, **__: adapter)
        included: Any = vars(routing)["_IncludedRouter"]
        patch.setattr(included, "_match", quick_routes(included._match))
        # Python 3.11 works out anew at each isinstance what a protocol asks for, and requests asks often.
        patch.setattr(typing, "_get_protocol_attrs", cache(vars(typing)["_get_protocol_attrs"]))
        secret = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        aws = QuickAws(json.dumps(secret))
        for name, value in {**environment(URL), **_MORE}.items():
            patch.setenv(name, value)
        for name in handlers.MODULES:
            handlers.module(name)
        tasks = Tasks()
        patch.setattr(clients, "stepfunctions", lambda: _Watched(tasks, boundary))
        current_settings.cache_clear()
        stack.callback(current_settings.cache_clear)
        ledger = Ledger(clients.dynamodb(), TABLE)
        cloud = Cloud(
            manual,
            boundary,
            adapter,
            app.state.world,
            World(URL, manual, ledger, current_settings()),
            ledger,
            aws,
            policies,
            usage,
            tasks,
            tickets,
        )
        _one_clock(patch, cloud)
        _watch_aws(patch, cloud)
        yield cloud
        cloud.lambdas.cold()


def _one_clock(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """Nobody looks at the machine's clock any more."""
    now = cloud.clock.now
    virtual = SimpleNamespace(
        time=now,
        monotonic=now,
        time_ns=lambda: int(now() * 1e9),
        perf_counter=now,
        sleep=cloud.clock.advance,
    )
    for name, module in list(sys.modules.items()):
        if (name.startswith("rekey.") or module is jira) and vars(module).get("time") is time:
            patch.setattr(module, "time", virtual)
    moment = _datetime_of(lambda: now() + cloud.skew)
    for name in _LIBRARIES:
        module = importlib.import_module(name)
        if vars(module).get("dt") is datetime_module:
            patch.setattr(module, "dt", SimpleNamespace(datetime=moment, timedelta=timedelta))
        else:
            patch.setattr(module, "datetime", moment)
    patch.setattr(clock, "now", lambda: cloud.now() + timedelta(seconds=cloud.skew))
    patch.setattr(kms_models, "unix_time", lambda *_: now())
    patch.setattr(pace, "CLOCK", VirtualPace(cloud.clock))
    patch.setattr(crew, "ThreadPoolExecutor", Serial)
    patch.setattr(ids, "secrets", SimpleNamespace(randbelow=lambda most: random.randrange(most)))


def _datetime_of(now: Callable[[], float]) -> type[datetime]:
    class Moment(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.fromtimestamp(now(), tz)

    return Moment


def _watch_aws(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    base: Any = botocore.client.BaseClient
    real = base._make_api_call

    def called(self: Any, operation: str, given: Any) -> Any:
        service = self.meta.service_model.service_name

        def send() -> Any:
            try:
                answer = cloud.aws.answer(service, operation, given)
            except Refused as refused:
                raise raised(self, operation, refused) from None
            if answer is None and service == "kms":
                return quick_kms.answer(self, operation, given)
            return real(self, operation, given) if answer is None else answer

        return cloud.boundary.passing(service, operation, send)

    patch.setattr(base, "_make_api_call", called)
