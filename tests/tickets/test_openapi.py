"""Schemathesis sends what docs/tickets.openapi.json allows, and what it does not: each answer is as described there."""

import json
import time
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from local.tickets.state import PROVIDERS, Provider
from tests.tickets.desk import Desk
from tests.tickets.gateway import DESCRIPTION, PATH, Gateway

CONFORMS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
DOCUMENTED = 503
"""The only answer over 499: deliver it again."""


def sent(gateway: Gateway, provider: Provider, mode: GenerationMode, known: dict[str, Any]) -> Counter[int]:
    """Send what Hypothesis makes up, some of it about a ticket that is there. Gives how often each status came."""
    schema = schemathesis.openapi.from_wsgi(PATH, gateway)
    operation = schema[f"/tickets/{provider}"]["POST"]

    @given(case=operation.as_strategy(generation_mode=mode), names=st.sampled_from([(), ("timestamp",), tuple(known)]))
    def send(case: "schemathesis.Case[Any]", names: tuple[str, ...]) -> None:
        if isinstance(case.body, dict):
            case.body = {**case.body, **{name: known[name] for name in names}}
        response = case.call()
        assert response.status_code < 500 or response.status_code == DOCUMENTED
        case.validate_response(response, checks=CONFORMS)

    send()
    return Counter(status for status, _ in gateway.answers)


def about(desk: Desk, provider: Provider) -> dict[str, Any]:
    """What a delivery says of an approved ticket."""
    ticket = desk.open(provider)
    body: dict[str, Any] = desk.approve(provider, ticket)
    return {**body, "timestamp": time.time_ns() // 1_000_000}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_signed_is_answered_as_described(desk: Desk, provider: Provider) -> None:
    gateway = Gateway(desk, signs=True)
    answered = sent(gateway, provider, GenerationMode.POSITIVE, about(desk, provider))
    assert answered[202] == 1
    said = Counter(answer["status"] for _, answer in gateway.answers)
    assert said["already"] >= 1
    # A Jira body has a time, which must be now; it also tells of what is no approval.
    assert bool(said["ignored"]) is bool(answered[401]) is (provider == "jira")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_signed_and_not_as_described_breaks_nothing(desk: Desk, provider: Provider) -> None:
    gateway = Gateway(desk, signs=True)
    answered = sent(gateway, provider, GenerationMode.NEGATIVE, about(desk, provider))
    assert len(answered) > 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_not_signed_is_always_answered_alike(desk: Desk, provider: Provider) -> None:
    gateway = Gateway(desk, signs=False)
    answered = sent(gateway, provider, GenerationMode.POSITIVE, about(desk, provider))
    assert set(answered) == {401}
    assert len({str(answer) for _, answer in gateway.answers}) == 1
    assert desk.executions() == []


def test_a_ticket_system_that_is_away_is_told_as_described(desk: Desk) -> None:
    known = about(desk, "standard")
    desk.fault(match={}, fault="status", status=500, times=None)
    answered = sent(Gateway(desk, signs=True), "standard", GenerationMode.POSITIVE, known)
    assert answered[503] > 1
    assert desk.executions() == []


def test_every_ticket_system_is_described() -> None:
    assert set(json.loads(DESCRIPTION.read_text(encoding="utf-8"))["paths"]) == {
        f"/tickets/{each}" for each in PROVIDERS
    }
