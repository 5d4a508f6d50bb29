"""10,000 deliveries that nobody should send: never a 5xx, and never an execution without a valid signature."""

import logging
import random
import string
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from local.tickets.delivery import sign
from local.tickets.state import PROVIDERS, Provider
from tests.tickets.desk import APPROVED, Desk, http_event

CASES = 10_000
VALID = 0.04
"""The share of deliveries whose signature is good, and only the rest is not."""
HEADERS = ("x-hub-signature", "webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "x-other")
JUNK = [
    "",
    " ",
    "\x00",
    "ä",
    "\udc80",
    "v1,",
    "v1,=",
    "sha256=",
    "sha256=" + "0" * 64,
    "nan",
    "-1",
    "1e999",
    "9" * 5000,
]


@pytest.fixture
def quiet() -> Iterator[None]:
    """Ten thousand log lines are most of the time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Fuzzer:
    """Makes deliveries; each is signed well or not, and says which."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._random = random.Random(20261121)
        self._keys: dict[Provider, str] = {}
        for name in PROVIDERS:
            ticket = desk.open(name)
            desk.approve(name, ticket)
            self._keys[name] = ticket.key

    def delivery(self) -> tuple[Any, bool]:
        """(event, whether its signature is valid)."""
        provider = self._random.choice(PROVIDERS)
        body = self._body(provider)
        raw, headers = sign(self._desk.state, provider, body)
        how = self._random.random()
        if how < VALID:
            return self._event(provider, raw.decode(), headers), True
        if how < 0.3:
            return self._event(provider, self._text(), self._headers({})), False
        if how < 0.6:
            changed = self._mutated(raw.decode())
            return self._event(provider, changed, headers), changed.encode("utf-8", "replace") == raw
        name = "x-hub-signature" if provider == "jira" else self._random.choice(HEADERS[1:4])
        return self._event(provider, raw.decode(), {**headers, name: self._junk()}), False

    def odd_event(self) -> Any:
        """What API Gateway never sends."""
        event = self._event("jira", self._text(), self._headers({}))
        event[self._random.choice(list(event))] = self._value(2)
        return self._random.choice([event, self._value(2)])

    def _event(self, provider: str, body: str, headers: dict[str, str]) -> Any:
        return http_event(f"/tickets/{provider}", headers, body, encoded=False)

    def _body(self, provider: Provider) -> Any:
        """A body that is like a real one, but for something."""
        key = self._random.choice([self._keys[provider], self._junk(), f"{self._keys[provider]}9"])
        good: Any = {"key": key, "number": key, "status": "approved", "timestamp": time.time_ns() // 1_000_000}
        item = {"field": "status", "toString": APPROVED["jira"]}
        good |= {"webhookEvent": "jira:issue_updated", "issue": {"key": key}, "changelog": {"items": [item]}}
        for _ in range(self._random.randrange(3)):
            good[self._random.choice(list(good))] = self._value(3)
        return self._random.choice([good, good, good, self._value(3)])

    def _value(self, depth: int) -> Any:
        kind = self._random.randrange(7 if depth else 5)
        if kind == 5:
            return [self._value(depth - 1) for _ in range(self._random.randrange(4))]
        if kind == 6:
            return {self._text()[:8]: self._value(depth - 1) for _ in range(self._random.randrange(4))}
        return [None, True, self._random.randrange(-(10**20), 10**20), 1.5, self._junk()][kind]

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers | {self._random.choice(HEADERS): self._junk() for _ in range(self._random.randrange(4))}

    def _junk(self) -> str:
        return self._random.choice([*JUNK, self._text()])

    def _text(self) -> str:
        letters = string.printable + "äß漢\u2028\ud83d"
        return "".join(self._random.choices(letters, k=self._random.randrange(60)))

    def _mutated(self, text: str) -> str:
        at = self._random.randrange(len(text) + 1)
        return text[:at] + self._junk() + text[at + self._random.randrange(3) :]


def test_no_delivery_breaks_the_webhook_and_none_without_a_signature_starts_anything(desk: Desk, quiet: None) -> None:
    """The tickets are there and approved: what got past the signature would start their rotations."""
    fuzzer, answers, started = Fuzzer(desk), Counter[tuple[bool, int]](), set()
    for n in range(CASES):
        event, valid = (fuzzer.odd_event(), False) if n % 10 == 0 else fuzzer.delivery()
        status, answer = desk.call(event)
        assert 200 <= status < 500, event
        assert valid or status in (401, 404, 413), (event, answer)
        answers[valid, status] += 1
        if status == 202:
            started.add(answer["rotation_id"])
    assert {each["name"] for each in desk.executions()} == started
    assert len(started) == len(PROVIDERS), "a good delivery among the bad ones starts its rotation, once"
    assert answers[False, 401] > CASES / 2
    assert sum(n for (valid, _), n in answers.items() if valid) > 100, answers
    assert len({status for valid, status in answers if valid}) >= 4, answers
