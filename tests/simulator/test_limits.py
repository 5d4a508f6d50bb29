"""Rate limits and latencies of requests, on the simulator's clock."""

import math
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from tests.simulator.bench import Bench, Json
from tests.simulator.oracle import workspace_host

CLUSTERS = "/api/2.1/clusters/list"
POOLS = "/api/2.0/instance-pools/list"


def limit(bench: Bench, family: str, per_second: float, burst: int = 1, **more: Any) -> None:
    bench.side("POST", "/limits", {"families": {family: {"per_second": per_second, "burst": burst}}, **more})


def codes(bench: Bench, workspace: Json, *paths: str) -> list[int]:
    return [bench.workspace(workspace, "GET", path).status_code for path in paths]


def test_a_family_has_its_burst_and_then_its_rate(bench: Bench) -> None:
    workspace = bench.seed()
    limit(bench, "clusters", per_second=2, burst=3)
    assert codes(bench, workspace, *[CLUSTERS] * 4, POOLS) == [200, 200, 200, 429, 200]
    bench.clock.advance(0.4)
    assert codes(bench, workspace, CLUSTERS) == [429]
    bench.clock.advance(0.1)
    assert codes(bench, workspace, CLUSTERS, CLUSTERS) == [200, 429]
    bench.clock.advance(60)
    assert codes(bench, workspace, *[CLUSTERS] * 4) == [200, 200, 200, 429]
    requests.delete(f"{bench.url}/_sim/limits", timeout=10)
    assert set(codes(bench, workspace, *[CLUSTERS] * 9)) == {200}


def test_each_host_has_buckets_of_its_own(bench: Bench) -> None:
    first, second = bench.seed(workspace_name="a"), bench.seed(workspace_name="b")
    limit(bench, "all", per_second=1)
    assert codes(bench, first, CLUSTERS, POOLS) == [200, 429]
    assert codes(bench, second, POOLS) == [200]
    assert [bench.account("GET", "/workspaces").status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("family", "path"),
    [
        ("warehouses", "/api/2.0/sql/warehouses"),
        ("jobs", "/api/2.2/jobs/list"),
        ("runs", "/api/2.2/jobs/runs/list"),
        ("pipelines", "/api/2.0/pipelines"),
        ("notebooks", "/api/2.0/workspace/list?path=/"),
        ("other", "/api/2.0/preview/scim/v2/Me"),
    ],
)
def test_families(bench: Bench, family: str, path: str) -> None:
    workspace = bench.seed()
    limit(bench, family, per_second=1)
    assert codes(bench, workspace, path, path, CLUSTERS, CLUSTERS) == [200, 429, 200, 200]


def test_the_token_endpoint_is_a_family_too(bench: Bench) -> None:
    limit(bench, "token", per_second=1)
    url = f"{bench.url}/oidc/accounts/{bench.settings.account_id}/v1/token"
    assert [requests.post(url, timeout=10).status_code for _ in range(2)] == [400, 429]


@pytest.mark.parametrize("code", ["REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", ""])
@pytest.mark.parametrize("retry_after", ["seconds", "date", "none"])
def test_what_a_refusal_says(bench: Bench, code: str, retry_after: str) -> None:
    workspace = bench.seed()
    limit(bench, "clusters", per_second=0.1, error_code=code, retry_after=retry_after)
    bench.workspace(workspace, "GET", CLUSTERS)
    refused = bench.workspace(workspace, "GET", CLUSTERS)
    assert (refused.status_code, refused.json().get("error_code", "")) == (429, code)
    header = refused.headers.get("Retry-After")
    if retry_after == "none":
        assert header is None
        return
    if retry_after == "seconds":
        wait = float(header or 0)
    else:
        date = parsedate_to_datetime(refused.headers["Date"])
        wait = (parsedate_to_datetime(str(header)) - date).total_seconds()
    assert wait == 10
    bench.clock.advance(wait)
    assert codes(bench, workspace, CLUSTERS) == [200]


def test_the_sdk_knows_it_and_waits_as_told(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    limit(bench, "clusters", per_second=0.5)
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(math.floor(seconds))
        bench.clock.advance(seconds)

    secret: dict[str, Any] = {"client_id": bench.settings.client_id, "client_secret": bench.settings.client_secret}
    client = WorkspaceClient(config=Config(host=workspace_host(bench, workspace), **secret))
    client.api_client._api_client._clock = type("Told", (), {"time": bench.clock.now, "sleep": staticmethod(sleep)})()
    assert [len(list(client.clusters.list())) for _ in range(2)] == [1, 1]
    assert waited == [2]


def test_requests_one_after_the_other_take_their_time(bench: Bench) -> None:
    workspace = bench.seed()
    bench.side("POST", "/latencies", {"request": 0.15})
    began = bench.clock.now()
    assert codes(bench, workspace, *[CLUSTERS] * 10) == [200] * 10
    assert bench.clock.now() - began == pytest.approx(1.5)


def test_requests_side_by_side_take_it_together(bench: Bench) -> None:
    """With a wide margin: when the machine is busy, some come too late to share."""
    workspace = bench.seed()
    bench.side("POST", "/latencies", {"request": 10})
    began = bench.clock.now()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: codes(bench, workspace, CLUSTERS), range(20)))
    assert answers == [[200]] * 20
    assert bench.clock.now() - began <= 10 * 15


def test_what_is_due_while_a_request_is_under_way_happens_before_it(bench: Bench) -> None:
    workspace = bench.seed(clusters=1)
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    bench.terminate(workspace, cluster_id)
    bench.side("POST", "/latencies", {"request": 60})
    assert bench.clusters(workspace)[0]["state"] == "TERMINATED"


@pytest.mark.parametrize("wish", [{"per_second": 0}, {"per_second": 1, "burst": 0}, {"per_second": "many"}])
def test_limits_that_make_no_sense_are_refused(bench: Bench, wish: Json) -> None:
    answer = requests.post(f"{bench.url}/_sim/limits", json={"families": {"clusters": wish}}, timeout=10)
    assert (answer.status_code, "families.clusters" in answer.json()["message"]) == (400, True)
