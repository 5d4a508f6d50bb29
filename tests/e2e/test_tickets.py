"""A ticket asks, a rotation goes well, and the ticket hears of it: each comment once, on the deployed stack."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.cloud.deploy import APPROVED, APPROVER, IN_REVIEW
from tests.e2e.driver import Driver, until
from tests.e2e.fleets import arn_of, end_of, report, workspaces

TELLING = 3
"""Comments on a ticket whose rotation goes well: planned, started, succeeded."""


class Tickets:
    """The ticket systems' side door."""

    def __init__(self, driver: Driver) -> None:
        self._base = f"{driver.cloud.tickets_url}/_tickets"

    def open(self, provider: str, **request: Any) -> str:
        return str(self._post(f"{provider}", project="SEC", request=request)["key"])

    def approve(self, provider: str, key: str, times: int = 1, to: str = "") -> list[Any]:
        """Approve, or take another step. Gives the answers to the webhook."""
        step = {"to": to or APPROVED[provider], "by": APPROVER, "times": times}
        answers: list[Any] = self._post(f"{provider}/{key}/step", **step)
        return answers

    def comments(self, provider: str, key: str) -> list[str]:
        answer = requests.get(f"{self._base}/{provider}/{key}/comments", timeout=30)
        comments: list[str] = answer.json()
        return comments

    def fault(self, **wish: Any) -> None:
        self._post("faults", **wish)

    def _post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self._base}/{path}", json=body, timeout=120)
        assert answer.ok, answer.text
        return answer.json()


def test_each_kind_of_ticket_starts_a_rotation_that_ends_well_and_has_each_comment_once(driver: Driver) -> None:
    """Though each webhook is delivered five times, and the first call that comments fails or its answer is lost."""
    tickets = Tickets(driver)
    asked = {}
    for provider in APPROVED:
        workspace_id = driver.workspace(keys={"managed_services": driver.make_key()})
        key = tickets.open(provider, workspace_id=workspace_id, operation="rotate")
        method = "PATCH" if provider == "servicenow" else "POST"
        lost = "applied_then_lost" if provider == "jira" else "status"
        tickets.fault(match={"method": method, "path": f"/{provider}/"}, fault=lost, status=502)
        answers = tickets.approve(provider, key, times=5)
        assert [each["status"] for each in answers] == [202, 200, 200, 200, 200], answers
        (rotation_id,) = {each["body"]["rotation_id"] for each in answers}
        asked[provider] = (key, rotation_id, workspace_id)
    for provider, (key, rotation_id, workspace_id) in asked.items():
        ended = driver.wait(rotation_id)
        assert ended.status == "SUCCEEDED", ended
        assert driver.fields(workspace_id)[0] == ended.output["configuration_id"]
        assert driver.evidence(rotation_id)["request"]["ticket"] == {"provider": provider, "key": key}
    for provider, (key, rotation_id, _) in asked.items():
        told = until(
            f"the comments of {key}",
            lambda: tickets.comments(provider, key),  # noqa: B023, it is called at once
            lambda comments: any("went well" in each for each in comments) and len(comments) >= TELLING,
        )
        markers = [found for text in told for found in re.findall(r"\[rekey ([^]]+)\]", text)]
        assert len(told) == len(set(markers)) == TELLING
        assert {each.rpartition("/")[0] for each in markers} == {rotation_id}
        status, again = answer_of(tickets.approve(provider, key))
        assert (status, again) == (200, {"status": "already", "rotation_id": rotation_id})


def test_a_ticket_in_review_has_its_rotation_planned_and_its_approval_lets_it_go_on(driver: Driver) -> None:
    tickets = Tickets(driver)
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=0, pools=0, warehouses=0)
    key = tickets.open("jira", workspace_id=workspace_id, operation="rotate")
    status, answer = answer_of(tickets.approve("jira", key, to=IN_REVIEW["jira"]))
    assert status == 202, answer
    until(
        "the wait to be told",
        lambda: tickets.comments("jira", key),
        lambda told: any("waits for rekey's own approval" in each for each in told),
    )
    before = driver.fields(workspace_id)
    status, approved = answer_of(tickets.approve("jira", key))
    assert (status, approved) == (200, {"status": "approved", "rotation_id": answer["rotation_id"]})
    assert driver.wait(answer["rotation_id"]).status == "SUCCEEDED"
    assert driver.fields(workspace_id) != before


def test_an_approval_right_after_the_review_is_not_lost(driver: Driver) -> None:
    """It comes before the plan is made (delivered again then), or before the execution asks for it (kept)."""
    tickets = Tickets(driver)
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()}, clusters=0, pools=0, warehouses=0)
    key = tickets.open("standard", workspace_id=workspace_id, operation="rotate")
    status, answer = answer_of(tickets.approve("standard", key, to=IN_REVIEW["standard"]))
    assert status == 202, answer
    approved = until(
        "the approval to be taken",
        lambda: answer_of(tickets.approve("standard", key)),
        lambda answered: answered[0] != 503,
    )
    assert approved == (200, {"status": "approved", "rotation_id": answer["rotation_id"]})
    assert driver.wait(answer["rotation_id"]).status == "SUCCEEDED"


def test_a_ticket_in_review_has_its_fleet_planned_and_its_approval_lets_it_begin(driver: Driver) -> None:
    tickets = Tickets(driver)
    name = f"fleet-{uuid.uuid4().hex[:8]}"
    going = workspaces(driver, name, 2)
    forbidden = workspaces(driver, f"{name}-x", 1, workspace_admin=False)
    before = {each: driver.fields(each) for each in going}
    key = tickets.open("standard", fleet={"name": name, "named": f"{name}-*", "waves": [1, 9]})
    status, answer = answer_of(tickets.approve("standard", key, to=IN_REVIEW["standard"]))
    assert status == 202, answer
    told = until("the plan to be told", lambda: tickets.comments("standard", key), lambda found: len(found) >= 2)
    [planned] = [each for each in told if "rekey planned the fleet" in each]
    assert f"rekey planned the fleet {name}: 2 rotations in 2 waves." in planned
    assert f"{name}-x-0 ({forbidden[0]}): " in planned
    assert f"fleets/{name}/plan.json" in planned
    assert {each: driver.fields(each) for each in going} == before
    status, approved = answer_of(tickets.approve("standard", key))
    assert (status, approved) == (200, {"status": "approved", "rotation_id": answer["rotation_id"]})
    assert end_of(driver, arn_of(driver, answer["rotation_id"]))["status"] == "SUCCEEDED"
    assert report(driver, name)["outcomes"] == {"succeeded": 2, "forbidden": 1}
    told = until("its end to be told", lambda: tickets.comments("standard", key), lambda found: len(found) >= 3)
    assert sum("has ended: succeeded" in each for each in told) == 1


def test_deliveries_at_the_same_moment_start_one_rotation(driver: Driver) -> None:
    tickets = Tickets(driver)
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()})
    key = tickets.open("jira", workspace_id=workspace_id, operation="rotate")
    with ThreadPoolExecutor(4) as pool:
        answers = [answer_of(each) for each in pool.map(lambda _: tickets.approve("jira", key), range(4))]
    # While the plan is not made yet, the answer is to deliver again later.
    assert [status for status, _ in answers if status not in (200, 503)] == [202], answers
    (rotation_id,) = {body["rotation_id"] for status, body in answers if status != 503}
    assert all(rotation_id in str(body) for _, body in answers)
    assert driver.wait(rotation_id).status == "SUCCEEDED"


def test_a_refusal_is_answered_and_told(driver: Driver) -> None:
    tickets = Tickets(driver)
    key = tickets.open("servicenow", operation="delete", workspace_id=1)
    status, answer = answer_of(tickets.approve("servicenow", key))
    assert (status, answer["status"]) == (422, "refused")
    [comment] = until("the comment", lambda: tickets.comments("servicenow", key), bool)
    assert "operation: " in comment
    assert "Fix: " in comment


@pytest.mark.parametrize("provider", sorted(APPROVED))
def test_a_stranger_is_answered_alike_everywhere(driver: Driver, provider: str) -> None:
    deliveries = requests.put(f"{driver.cloud.tickets_url}/_tickets/webhooks", json={}, timeout=10).json()
    answer = requests.post(deliveries[provider], data=b'{"key": "SEC-1"}', timeout=30)
    assert (answer.status_code, answer.json()["message"]) == (401, "The delivery could not be authenticated.")


def answer_of(answers: list[Any]) -> tuple[int, Any]:
    [answer] = answers
    return answer["status"], answer["body"]
