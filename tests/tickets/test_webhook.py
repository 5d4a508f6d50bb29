"""ticket_webhook: what starts a rotation, once, and all that does not."""

from typing import Any

import pytest

from local.tickets import jira
from local.tickets.delivery import sign
from local.tickets.state import PROVIDERS, Provider
from rekey.model.request import parse_request
from rekey.telling.tickets.intake import MAX_BYTES
from rekey.telling.tickets.register import Register
from rekey.telling.tickets.standard import Standard
from tests.tickets.desk import WORKSPACE, Desk

NOT_AUTHENTIC = (401, {"status": "refused", "message": "The delivery could not be authenticated."})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_approved_ticket_starts_a_rotation(desk: Desk, provider: Provider) -> None:
    ticket = desk.open(provider, operation="rotate", use_cases=["MANAGED_SERVICES"])
    status, answer = desk.ask(provider, ticket)
    assert (status, answer["status"]) == (202, "started")
    asked = desk.input_of(answer["rotation_id"])
    assert asked["request_id"] == f"{provider}:{ticket.key}"
    assert asked["ticket"] == {"provider": provider, "key": ticket.key}
    assert (asked["workspace_id"], asked["operation"]) == (WORKSPACE, "rotate")
    assert asked["use_cases"] == ["MANAGED_SERVICES"]
    assert asked["requested_by"] == ("Alex Example" if provider == "servicenow" else "alex@example.com")
    assert parse_request(asked).reason == "Rotate the key"


def test_planned_times_are_taken_as_each_system_writes_them(desk: Desk) -> None:
    of_jira = desk.open("jira", not_before="2026-11-30T22:00:00.000+0100")
    of_servicenow = desk.open("servicenow", start_date="2026-11-30 21:00:00")
    seen = set()
    for provider, ticket in (("jira", of_jira), ("servicenow", of_servicenow)):
        status, answer = desk.ask(provider, ticket)  # type: ignore[arg-type]
        assert status == 202, answer
        seen.add(parse_request(desk.input_of(answer["rotation_id"])).not_before)
    assert len(seen) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_five_times_the_same_delivery_is_one_rotation(desk: Desk, provider: Provider) -> None:
    raw, headers = sign(desk.state, provider, desk.approve(provider, desk.open(provider)))
    answers = [desk.post(provider, raw, headers) for _ in range(5)]
    assert [status for status, _ in answers] == [202, 200, 200, 200, 200]
    assert {body["status"] for _, body in answers[1:]} == {"already"}
    assert {body["rotation_id"] for _, body in answers} == {desk.executions()[0]["name"]}
    assert len(desk.executions()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_same_ticket_approved_twice_is_one_rotation(desk: Desk, provider: Provider) -> None:
    ticket = desk.open(provider)
    _, first = desk.ask(provider, ticket)
    assert desk.ask(provider, ticket) == (200, {"status": "already", "rotation_id": first["rotation_id"]})
    assert len(desk.executions()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_after_a_failure_a_new_approval_asks_again_and_an_old_delivery_does_not(desk: Desk, provider: Provider) -> None:
    ticket = desk.open(provider)
    raw, headers = sign(desk.state, provider, desk.approve(provider, ticket))
    _, first = desk.post(provider, raw, headers)
    desk.stop(first["rotation_id"])
    assert desk.post(provider, raw, headers) == (200, {"status": "already", "rotation_id": first["rotation_id"]})
    status, second = desk.ask(provider, ticket)
    assert (status, second["status"]) == (202, "started")
    assert second["rotation_id"] != first["rotation_id"]


def test_of_the_same_delivery_twice_at_once_one_is_the_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, headers = sign(desk.state, "standard", desk.approve("standard", desk.open("standard")))
    read, answers = Standard.read, []

    def meanwhile(system: Standard, key: str) -> Any:
        monkeypatch.setattr(Standard, "read", read)
        answers.append(desk.post("standard", raw, headers))
        return read(system, key)

    monkeypatch.setattr(Standard, "read", meanwhile)
    answers.append(desk.post("standard", raw, headers))
    assert [(status, body["status"]) for status, body in answers] == [(202, "started"), (200, "already")]


def test_a_step_in_jira_is_one_delivery_whichever_webhook_brings_it(desk: Desk) -> None:
    ticket = desk.open("jira")
    body = desk.approve("jira", ticket)
    _, first = desk.send("jira", body)
    desk.stop(first["rotation_id"])
    body["timestamp"] += 1
    assert desk.send("jira", body) == (200, {"status": "already", "rotation_id": first["rotation_id"]})


def test_a_crash_between_claim_and_start_is_made_good_by_the_next_try(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, headers = sign(desk.state, "jira", desk.approve("jira", desk.open("jira")))
    with monkeypatch.context() as broken:
        broken.setattr(Register, "start", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            desk.post("jira", raw, headers)
    assert desk.post("jira", raw, headers)[0] == 202
    assert len(desk.executions()) == 1


def test_of_two_deliveries_at_once_one_is_faster(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second arrives between the first one's look at the ledger and its claim."""
    ticket, current = desk.open("jira"), Register.current
    second: list[Any] = []

    def meanwhile(register: Register, ticket_id: str) -> Any:
        seen = current(register, ticket_id)
        if not second:
            second.append(None)
            second[0] = desk.ask("jira", ticket)
        return seen

    monkeypatch.setattr(Register, "current", meanwhile)
    assert desk.ask("jira", ticket) == (200, {"status": "already", "rotation_id": second[0][1]["rotation_id"]})
    assert second[0][0] == 202
    assert len(desk.executions()) == 1


def test_other_changes_of_a_jira_ticket_ask_for_nothing(desk: Desk) -> None:
    """Our own comments come back as updates: after a failure they must not ask again."""
    ticket = desk.open("jira")
    commented = jira.commented(ticket, desk.state.comment(ticket, {"type": "doc", "version": 1, "content": []}))
    assert desk.send("jira", commented)[1]["status"] == "ignored"
    assert desk.ask("jira", ticket, to="In Progress")[1]["status"] == "ignored"
    assert desk.executions() == []


# --- two fields of one name, which Jira allows ---

START = "2026-11-30T22:00:00.000+0100"


@pytest.mark.parametrize("other", [None, "", START], ids=["empty", "blank", "the same"])
@pytest.mark.parametrize("filled", ["customfield_10053", "customfield_10777", "customfield_10001"])
def test_of_two_fields_of_one_name_the_one_that_is_filled_in_counts(desk: Desk, other: str | None, filled: str) -> None:
    """Wherever it stands: before the other, or after it."""
    ticket = desk.open("jira", not_before=START if filled == "customfield_10053" else other)
    more = "customfield_10777" if filled == "customfield_10053" else filled
    ticket.more_fields[more] = ("Planned start", other if filled == "customfield_10053" else START)
    status, answer = desk.ask("jira", ticket)
    assert status == 202, answer
    assert desk.input_of(answer["rotation_id"])["not_before"] == START


def test_two_fields_of_one_name_that_say_different_things_are_refused_by_their_ids(desk: Desk) -> None:
    ticket = desk.open("jira", not_before=START)
    ticket.more_fields["customfield_10777"] = ("Planned start", START.replace("11-30", "12-24"))
    status, answer = desk.ask("jira", ticket)
    assert status == 422
    assert answer["message"].startswith("not_before: ")
    for said in ("customfield_10053", "customfield_10777", '"Planned start"', "Fix: "):
        assert said in answer["message"]
    assert desk.executions() == []


def test_an_ambiguous_name_that_nothing_is_read_from_is_no_trouble_and_an_id_decides(desk: Desk) -> None:
    ticket = desk.open("jira", not_before=START)
    for number, (name, value) in enumerate([("Team", "a"), ("Team", "b"), ("Planned start", "tomorrow")]):
        ticket.more_fields[f"customfield_1077{number}"] = (name, value)
    settings = desk.settings()
    settings["jira"]["mapping"] = {"not_before": "fields.customfield_10053"}
    desk.configure(settings)
    status, answer = desk.ask("jira", ticket)
    assert status == 202, answer
    assert desk.input_of(answer["rotation_id"])["not_before"] == START


# --- not authentic: all alike ---


def altered(desk: Desk, provider: Provider, how: str) -> tuple[bytes, dict[str, str]]:
    ticket = desk.open(provider)
    body = desk.approve(provider, ticket)
    if how == "old" and provider == "jira":
        body["timestamp"] -= 3 * 3_600_000
    raw, headers = sign(desk.state, provider, body)
    name = "x-hub-signature" if provider == "jira" else "webhook-signature"
    match how:
        case "unsigned":
            del headers[name]
        case "another body":
            raw += b" "
        case "another secret":
            desk.state.secret[provider] = {**desk.state.secret[provider], "webhook_secrets": ["whsec_" + "QUJD" * 8]}
            raw, headers = sign(desk.state, provider, body)
        case "old" if provider != "jira":
            headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) - 301)
    return raw, headers


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("how", ["unsigned", "another body", "another secret", "old"])
def test_whatever_is_not_authentic_is_answered_alike(desk: Desk, provider: Provider, how: str) -> None:
    assert desk.post(provider, *altered(desk, provider, how)) == NOT_AUTHENTIC
    assert desk.executions() == []


@pytest.mark.parametrize("secret", [{}, {"jira": {}}, {"jira": {"webhook_secrets": [""]}}])
def test_without_any_secret_nothing_is_authentic(desk: Desk, secret: Any) -> None:
    """An empty secret is one that everybody has."""
    body = desk.approve("jira", desk.open("jira"))
    desk.state.secret = {"jira": {"webhook_secrets": [""]}}
    raw, headers = sign(desk.state, "jira", body)
    desk.write_secret(secret)
    assert desk.post("jira", raw, headers) == NOT_AUTHENTIC


def test_the_first_secret_counts_while_the_second_is_brought_in(desk: Desk) -> None:
    body = desk.approve("jira", desk.open("jira"))
    secrets = desk.state.secret["jira"]["webhook_secrets"]
    desk.state.secret["jira"]["webhook_secrets"] = secrets[:1]
    assert desk.send("jira", body)[0] == 202


# --- authentic, but not to be followed: see also test_authorisation.py ---


def test_a_ticket_that_is_not_there(desk: Desk) -> None:
    ticket = desk.open("jira")
    body = desk.approve("jira", ticket)
    del desk.state.tickets["jira"][ticket.key]
    assert desk.send("jira", body)[0] == 404


@pytest.mark.parametrize("key", ["SEC-1/../../../admin", "SEC-1?x=", "sec-1", "SEC-01", "SEC-1\n", "", 7, None, {}])
def test_a_key_is_a_key_before_it_goes_into_an_address(desk: Desk, key: object) -> None:
    body = desk.approve("jira", desk.open("jira"))
    body["issue"]["key"] = key
    assert desk.send("jira", body)[0] == 400
    assert desk.send("servicenow", {"number": key})[0] == 400
    assert desk.send("servicenow", {"number": f"CHG0030001^ORnumber!={key}"})[0] == 400
    if key != "sec-1":
        assert desk.send("standard", {"key": key})[0] == (404 if key == "SEC-01" else 400)


def test_a_large_body_is_refused_before_it_is_looked_at(desk: Desk) -> None:
    assert desk.post("jira", b"x" * (MAX_BYTES + 1), {})[0] == 413
    assert desk.post("jira", b"x" * MAX_BYTES, {}) == NOT_AUTHENTIC


def test_what_is_not_configured_is_not_there(desk: Desk) -> None:
    desk.configure({})
    assert desk.ask("standard", desk.open("standard"))[0] == 404
    assert desk.post("github", b"{}", {})[0] == 404


@pytest.mark.parametrize("fault", [{"fault": "status", "status": 500}, {"fault": "throttle"}])
def test_when_the_ticket_system_is_away_the_sender_may_try_again(desk: Desk, fault: dict[str, Any]) -> None:
    raw, headers = sign(desk.state, "jira", desk.approve("jira", desk.open("jira")))
    desk.fault(match={"path": "/jira"}, **fault)
    assert desk.post("jira", raw, headers)[0] == 503
    assert desk.post("jira", raw, headers)[0] == 202
    assert len(desk.executions()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("body", ["<html><body>Your instance is hibernating</body></html>", "null", '"asleep"', "[]"])
def test_a_ticket_system_that_sleeps_answers_200_and_the_sender_may_try_again(
    desk: Desk, provider: Provider, body: str
) -> None:
    raw, headers = sign(desk.state, provider, desk.approve(provider, desk.open(provider)))
    desk.fault(match={"path": f"/{provider}"}, fault="status", status=200, body=body)
    assert desk.post(provider, raw, headers)[0] == 503
    assert desk.executions() == []
    assert desk.post(provider, raw, headers)[0] == 202


def test_a_redirect_of_the_ticket_system_is_not_followed(desk: Desk) -> None:
    body = desk.approve("jira", desk.open("jira"))
    desk.fault(match={"path": "/jira"}, fault="status", status=302)
    assert desk.send("jira", body)[0] == 503
