"""The pace of requests on a clock of the test's own: it grows, gives way, honours what it is told, and recovers."""

import threading
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from rekey.base.errors import DatabricksThrottled, DatabricksUnavailable, NotFound, OutcomeUnknown, RekeyError
from rekey.databricks import WorkspaceApi
from rekey.rotation.compute import pace
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.pace import FIRST_RATE, LEAST_RATE, MOST_RATE, OutOfTime, Pace, paced


@dataclass
class Clock:
    at: float = 0.0
    lock: Any = field(default_factory=threading.Lock)

    def now(self) -> float:
        return self.at

    def sleep_until(self, moment: float) -> None:
        with self.lock:
            self.at = max(self.at, moment)


@dataclass
class Databricks:
    """A token bucket that holds `burst` requests; `limit` a second, None for no limit."""

    clock: Clock
    limit: float | None
    retry_after: float | None = 1.0
    error: type[DatabricksThrottled] | type[DatabricksUnavailable] = DatabricksThrottled
    burst: int = 1
    next_at: float = 0.0
    """When a bucket of one has something again."""
    accepted: int = 0
    refused: int = 0

    def __call__(self, *_: Any, **__: Any) -> str:
        room = (self.burst - 1) / self.limit if self.limit else 0.0
        if self.limit and self.clock.now() + 1e-9 < self.next_at - room:
            self.refused += 1
            status = 429 if self.error is DatabricksThrottled else 503
            raise self.error("no", status=status, retry_after=self.retry_after)
        self.next_at = max(self.next_at, self.clock.now()) + (1 / self.limit if self.limit else 0)
        self.accepted += 1
        return "yes"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(pace, "CLOCK", clock)
    pace.forget()
    return clock


def ask(databricks: Any, seconds: float, path: str = "/api/2.1/clusters/start", method: str = "POST") -> int:
    """One request after the other for so long. Gives how many were given up."""
    call, given_up = paced("host", databricks.clock.now() + seconds)(databricks), 0
    while True:
        try:
            call(method, path)
        except OutOfTime:
            return given_up
        except RekeyError:
            given_up += 1


def test_it_grows_while_answers_come(clock: Clock) -> None:
    databricks = Databricks(clock, limit=None)
    ask(databricks, 1.0)
    assert FIRST_RATE < databricks.accepted < 3 * FIRST_RATE
    ask(databricks, 20.0)
    assert pace.pace_of("host", "clusters").rate == MOST_RATE


@pytest.mark.parametrize("limit", [2.0, 5.0, 10.0, 30.0])
@pytest.mark.parametrize("error", [DatabricksThrottled, DatabricksUnavailable])
def test_it_comes_close_to_what_databricks_accepts(clock: Clock, limit: float, error: Any) -> None:
    databricks = Databricks(clock, limit, error=error)
    ask(databricks, 30.0)
    databricks.accepted = databricks.refused = 0
    assert ask(databricks, 200.0) <= 1  # The last one may have met a refusal when the time was over.
    assert databricks.accepted > 0.85 * limit * 200
    assert databricks.refused < 0.05 * databricks.accepted


@pytest.mark.parametrize("limit", [10.0, 30.0])
def test_a_limit_far_below_the_pace_is_found_in_a_few_refusals(clock: Clock, limit: float) -> None:
    """Each costs a pause. What a bucket let through from one to the next tells the limit."""
    databricks = Databricks(clock, limit=None, burst=int(limit))
    ask(databricks, 60.0)
    databricks.limit = limit
    databricks.accepted = databricks.refused = 0
    ask(databricks, 120.0)
    assert databricks.refused < 25
    assert databricks.accepted > 0.97 * limit * 120


def test_it_recovers_when_the_limit_is_gone(clock: Clock) -> None:
    databricks = Databricks(clock, limit=2.0)
    ask(databricks, 60.0)
    databricks.limit = None
    ask(databricks, 120.0)
    assert pace.pace_of("host", "clusters").rate > 10 * 2.0


def test_nobody_asks_before_the_time_that_databricks_names(clock: Clock) -> None:
    host = Pace(clock)
    host.refused(30.0)
    assert not host.turn(until=29.0)
    assert clock.now() == 0.0
    assert host.turn(until=60.0)
    assert clock.now() >= 30.0


def test_one_burst_of_refusals_halves_it_once_and_never_below_the_least(clock: Clock) -> None:
    host = Pace(clock)
    for _ in range(10):
        host.refused(None)
    assert host.rate == FIRST_RATE / 2
    for _ in range(20):
        clock.at += 60
        host.refused(None)
    assert host.rate == LEAST_RATE


def test_pauses_that_databricks_does_not_name_grow(clock: Clock) -> None:
    host, waited = Pace(clock), []
    for _ in range(4):
        host.refused(None)
        before = clock.now()
        assert host.turn(until=10_000)
        waited.append(clock.now() - before)
    assert waited == sorted(waited)
    assert waited[-1] >= 8


def test_a_request_that_is_always_turned_away_is_given_up_for_this_call(clock: Clock) -> None:
    def never(method: str, path: str, *, query: Any = None, body: Any = None) -> None:
        sent.append(method)
        raise DatabricksThrottled("no", status=429, retry_after=1)

    sent: list[str] = []
    call = paced("host", 10_000)(never)
    with pytest.raises(DatabricksThrottled):
        call("POST", "/api/2.1/clusters/x")
    assert len(sent) == 6
    # Nor is another one sent then: the time is for those that may come through.
    with pytest.raises(OutOfTime):
        call("POST", "/api/2.1/clusters/y")
    assert len(sent) == 6


@pytest.mark.parametrize("error", [OutcomeUnknown("?", status=500), NotFound("gone", status=404)])
def test_other_refusals_are_passed_on_at_once_and_do_not_slow_it_down(clock: Clock, error: RekeyError) -> None:
    def refuses(method: str, path: str, *, query: Any = None, body: Any = None) -> None:
        raise error

    with pytest.raises(type(error)):
        paced("host", 100)(refuses)("POST", "/api/2.1/clusters/start")
    assert pace.pace_of("host", "clusters").rate >= FIRST_RATE


def test_lost_connections_are_not_sent_again(clock: Clock) -> None:
    sent = []

    def lost(method: str, path: str, *, query: Any = None, body: Any = None) -> None:
        sent.append(path)
        raise DatabricksUnavailable("could not be reached")

    with pytest.raises(DatabricksUnavailable):
        paced("host", 100)(lost)("POST", "/api/2.1/clusters/start")
    assert len(sent) == 1


def test_each_family_of_endpoints_has_its_own_and_a_new_one_begins_like_the_slowest(clock: Clock) -> None:
    assert pace.pace_of("host", "sql").rate == FIRST_RATE
    for _ in range(3):
        clock.at += 100
        pace.pace_of("host", "clusters").refused(1)
    assert pace.pace_of("host", "sql").rate == FIRST_RATE
    assert pace.pace_of("host", "pipelines").rate == pace.pace_of("host", "clusters").rate == FIRST_RATE / 8
    assert pace.pace_of("other", "clusters").rate == FIRST_RATE


def test_what_one_lambda_has_learnt_another_begins_with(clock: Clock) -> None:
    ask(Databricks(clock, limit=5.0), 60.0)
    rates = pace.learnt("host")
    pace.forget()
    pace.recall("host", rates)
    databricks = Databricks(clock, limit=5.0)
    ask(databricks, 10.0)
    assert databricks.refused <= 1
    assert databricks.accepted > 0.85 * 50


def test_threads_share_one_pace(clock: Clock) -> None:
    host = Pace(clock)
    threads = [threading.Thread(target=lambda: [host.turn(until=1e9) for _ in range(10)]) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert clock.now() == pytest.approx(79 / FIRST_RATE)


def test_a_call_asks_for_nothing_new_when_most_of_its_time_is_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest is for the answers that are under way, and for the ledger."""
    untils: list[float] = []

    def until(host: str, moment: float) -> Any:
        untils.append(moment)
        return lambda call: call

    monkeypatch.setattr(pace, "paced", until)
    clock.at = 1_000.0
    Crew(cast(WorkspaceApi, Api()), 100)
    assert len(untils) == 1
    assert 1_030 <= untils[0] <= 1_050


class Api:
    host = "host"

    def through(self, _: Any) -> Any:
        return self
