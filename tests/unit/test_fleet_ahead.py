"""Looking ahead at a fleet's workspaces while Databricks or AWS is away: when it is tried again, and how often."""

from typing import Any

import pytest

from rekey.base.errors import DatabricksThrottled, DatabricksUnavailable, RekeyError
from rekey.databricks import Estate
from rekey.fleet import ahead
from rekey.model.answers import Planned
from rekey.model.fleet import Member
from rekey.model.fleet_request import parse_fleet_request

REQUEST = parse_fleet_request({"fleet": {"name": "autumn", "named": "*"}})


def a_member(number: int, **more: Any) -> Member:
    return Member(
        rotation_id=f"autumn-{number}",
        workspace_id=number,
        workspace_name=f"prod-{number}",
        region="eu-central-1",
        operation="rotate",
        use_cases=("MANAGED_SERVICES",),
        **more,
    )


def looked_at(monkeypatch: pytest.MonkeyPatch, error: RekeyError, *members: Member) -> tuple[Member, ...]:
    """What one call makes of them where each preflight ends so."""

    def failing(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(ahead, "open_rotation", failing)
    return look_ahead(monkeypatch, members, lambda: Estate([], []))


def look_ahead(monkeypatch: pytest.MonkeyPatch, members: tuple[Member, ...], read: Any) -> tuple[Member, ...]:
    """`read` gives the account's lists."""
    monkeypatch.setattr(ahead, "connect_account", lambda _: None)
    monkeypatch.setattr(Estate, "read", lambda _: read())
    nothing: Any = None
    return ahead.look_ahead(nothing, nothing, REQUEST, members, "arn", lambda: 900.0)


def test_an_outage_is_tried_again_in_the_next_calls_and_then_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    away = DatabricksUnavailable("Databricks is away.", status=503, code="TEMPORARILY_UNAVAILABLE")
    member = a_member(1)
    for tries in range(1, ahead.MOST_TRIES):
        [member] = looked_at(monkeypatch, away, member)
        assert (member.looked_at, member.tries, member.forbidden) == (False, tries, ())
    [member] = looked_at(monkeypatch, away, member)
    assert (member.looked_at, member.forbidden) == (True, ("no preflight could be made: Databricks is away.",))


def test_too_many_requests_forbid_nothing_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is rekey that asks too fast."""
    busy = DatabricksThrottled("Too many.", status=429, code="REQUEST_LIMIT_EXCEEDED")
    member = a_member(1, tries=ahead.MOST_TRIES)
    for _ in range(3):
        [member] = looked_at(monkeypatch, busy, member)
    assert member == a_member(1, tries=ahead.MOST_TRIES)


def test_any_other_error_is_that_workspaces_own(monkeypatch: pytest.MonkeyPatch) -> None:
    [member] = looked_at(monkeypatch, RekeyError("It is no admin."), a_member(1))
    assert (member.looked_at, member.forbidden) == (True, ("It is no admin.",))


def test_the_lists_of_the_account_are_read_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    estates, given = [], []

    def read() -> Estate:
        estates.append(Estate([], []))
        return estates[-1]

    def planned(*arguments: Any) -> Planned:
        given.append(arguments[-1])
        return Planned(decision="report", rotation_id="", status="planned", plan=None, preflight={})

    monkeypatch.setattr(ahead, "open_rotation", planned)
    looked = look_ahead(monkeypatch, tuple(map(a_member, range(1, 6))), read)
    assert all(each.looked_at for each in looked)
    [estate] = estates
    assert [each is estate for each in given] == [True] * 5


def test_lists_that_are_turned_away_are_read_by_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Estate:
        raise DatabricksThrottled("Too many.", status=429, code="REQUEST_LIMIT_EXCEEDED")

    members = (a_member(1), a_member(2))
    assert look_ahead(monkeypatch, members, read) == members
