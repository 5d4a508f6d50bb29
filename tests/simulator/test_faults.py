"""Faults: that each does what it says, as often as it says, and that the simulator's state follows."""

import pytest
import requests

from tests.simulator.bench import Bench

KEYS = "/customer-managed-keys"


def order(bench: Bench, fault: str, method: str = "*", path: str = "*", **more: object) -> None:
    bench.side("POST", "/faults", {"match": {"method": method, "path": path}, "fault": fault, **more})


def registered(bench: Bench) -> int:
    return len(bench.world.configurations)


def test_status_so_many_times(bench: Bench) -> None:
    order(bench, "status", "GET", "*/workspaces", status=503, error_code="TEMPORARILY_UNAVAILABLE", times=2)
    for _ in range(2):
        failed = bench.account("GET", "/workspaces")
        assert (failed.status_code, failed.headers["Retry-After"]) == (503, "1")
        assert failed.json() == {"message": "TEMPORARILY_UNAVAILABLE: Something went wrong."}
    assert bench.account("GET", "/workspaces").status_code == 200


def test_status_in_the_workspace_api_and_with_a_body_of_its_own(bench: Bench) -> None:
    workspace = bench.seed()
    order(bench, "status", path="/clusters/list", status=500)
    order(bench, "status", path="/clusters/list", status=509, body="")
    order(bench, "status", path="/clusters/list", status=502, body="<pre>Bad gateway</pre>")
    path = "/api/2.1/clusters/list"
    assert bench.workspace(workspace, "GET", path).json()["error_code"] == "INTERNAL_ERROR"
    maintenance = bench.workspace(workspace, "GET", path)
    assert (maintenance.status_code, maintenance.content) == (509, b"")
    assert bench.workspace(workspace, "GET", path).text == "<pre>Bad gateway</pre>"


def test_skip_times_and_no_end(bench: Bench) -> None:
    order(bench, "status", path="/workspaces", skip=1, times=None)
    codes = [bench.account("GET", "/workspaces").status_code for _ in range(4)]
    assert codes == [200, 500, 500, 500]
    requests.delete(f"{bench.url}/_sim/faults", timeout=10)
    assert bench.account("GET", "/workspaces").status_code == 200


def test_reset_does_nothing_else(bench: Bench) -> None:
    order(bench, "reset", "POST", KEYS)
    body = {"use_cases": ["STORAGE"], "aws_key_info": {"key_arn": bench.key()}}
    with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
        bench.account("POST", KEYS, body)
    assert registered(bench) == 0
    assert bench.account("POST", KEYS, body).status_code == 201


@pytest.mark.parametrize("status", [None, 504])
def test_applied_then_lost(bench: Bench, status: int | None) -> None:
    order(bench, "applied_then_lost", "POST", KEYS, status=status)
    body = {"use_cases": ["STORAGE"], "aws_key_info": {"key_arn": bench.key()}}
    if status is None:
        with pytest.raises(requests.ConnectionError):
            bench.account("POST", KEYS, body)
    else:
        assert bench.account("POST", KEYS, body).status_code == status
    assert registered(bench) == 1
    last = bench.side("GET", "/requests")[-1]
    assert (last["fault"], last["status"]) == ("applied_then_lost", status)


def test_applied_then_lost_waits_for_something_to_lose(bench: Bench) -> None:
    order(bench, "applied_then_lost", "POST", KEYS)
    assert bench.account("POST", KEYS, {}).status_code == 400
    body = {"use_cases": ["STORAGE"], "aws_key_info": {"key_arn": bench.key()}}
    with pytest.raises(requests.ConnectionError):
        bench.account("POST", KEYS, body)
    assert registered(bench) == 1


def test_stale_reads_show_what_was_seen_last(bench: Bench) -> None:
    order(bench, "stale", path=KEYS, times=2)
    assert bench.account("GET", KEYS).json() == []
    bench.register(bench.key(), "STORAGE")
    assert bench.account("GET", KEYS).json() == []
    assert bench.account("GET", KEYS).json() == []
    assert len(bench.account("GET", KEYS).json()) == 1


def test_throttle(bench: Bench) -> None:
    workspace = bench.seed()
    order(bench, "throttle", retry_after=7)
    answer = bench.workspace(workspace, "GET", "/api/2.1/clusters/list")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"


def test_delay(bench: Bench) -> None:
    order(bench, "status", delay_seconds=0.3)
    assert bench.account("GET", "/workspaces").elapsed.total_seconds() >= 0.3


@pytest.mark.parametrize("wish", [{"fault": "sabotage"}, {"fault": "status", "colour": "red"}, {}])
def test_bad_orders(bench: Bench, wish: dict[str, object]) -> None:
    assert requests.post(f"{bench.url}/_sim/faults", json=wish, timeout=10).status_code == 400


def test_the_side_door_is_never_faulty(bench: Bench) -> None:
    order(bench, "status", times=None)
    assert bench.side("GET", "/violations") == []
