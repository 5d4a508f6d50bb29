"""The side door, the scales, and the simulator as a process."""

import json
import os
import signal
import subprocess
import sys

import pytest
import requests

from local.databricks import Latencies, ManualClock, Settings, running
from tests.quick_moto import quick_moto
from tests.simulator.bench import Bench, kms_client, kms_of


def test_requests_are_logged_without_secrets(bench: Bench) -> None:
    bench.account("GET", "/workspaces?x=1")
    told = bench.side("GET", "/requests")
    assert (told[-1]["method"], told[-1]["status"], told[-1]["query"]) == ("GET", 200, "x=1")
    assert told[-1]["at"] == bench.clock.now()
    assert bench.settings.client_secret not in json.dumps(told)
    assert "Bearer" not in json.dumps(told)


def test_state_is_json_with_everything(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, pools=1, warehouses=1, runs=1, pipelines=1, notebooks=1)
    told = bench.side("GET", "/state")
    assert told["scales"] == {"minute": 1.0, "day": 1.0}
    assert told["latencies"]["settle"] == 1200
    assert told["switches"]["patch_response"] == "empty"
    sim = bench.sim(workspace)
    assert [len(sim[kind]) for kind in ("clusters", "pools", "warehouses", "runs", "pipelines")] == [3, 1, 1, 1, 1]
    assert bench.settings.client_secret not in json.dumps(told)


def test_reset_forgets_all(bench: Bench) -> None:
    bench.seed(clusters=1)
    bench.side("POST", "/switches", {"unusable_key": "apply"})
    bench.side("POST", "/latencies", {"cluster_start": 1})
    bench.side("POST", "/reset")
    told = bench.side("GET", "/state")
    assert (told["workspaces"], told["switches"]["unusable_key"], told["latencies"]["cluster_start"]) == (
        [],
        "revert",
        240,
    )
    assert bench.side("GET", "/requests") == []
    assert bench.account("GET", "/workspaces").json() == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/switches", {"unusable_key": "explode"}, "unusable_key"),
        ("/switches", {"nonsense": True}, "nonsense"),
        ("/latencies", {"nonsense": 1}, "nonsense"),
        ("/latencies", {"settle": "long"}, "settle"),
        ("/workspaces", {"workspace_name": "x", "nonsense": 1}, "nonsense"),
        ("/workspaces", {"workspace_name": "x", "jobs": [{"trigger": "schedule", "crew": 3}]}, "crew"),
        ("/workspaces", {}, "workspace_name"),
        ("/faults", {"fault": "flood"}, "fault"),
        ("/faults", {"fault": "reset", "match": {"verb": "GET"}}, "match.verb"),
        ("/networks", {"vpc": "vpc-1"}, "vpc"),
        ("/federation_policies", {"issuer": "https://x"}, "subject"),
    ],
)
def test_nonsense_is_refused_by_the_name_of_its_field(
    bench: Bench, path: str, body: dict[str, object], field: str
) -> None:
    refused = requests.post(f"{bench.url}/_sim{path}", json=body, timeout=10)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert f"{field}: " in refused.json()["message"]


def test_what_is_refused_changes_nothing(bench: Bench) -> None:
    before = bench.side("GET", "/state")
    body = {"unusable_key": "apply", "nonsense": True}
    assert requests.post(f"{bench.url}/_sim/switches", json=body, timeout=10).status_code == 400
    assert bench.side("GET", "/state") == before


@pytest.mark.parametrize(
    ("seed", "query", "seconds"),
    [
        ({"clusters": 1}, "rotate", 60 + 45 + 120 + 240),
        ({"clusters": 1, "network": "databricks"}, "rotate", 60 + 45 + 600 + 240),
        ({"clusters": 1}, "add&storage=true", 60 + 45 + 120 + 1200 + 240),
        ({"warehouses": 1}, "rotate", 30 + 45 + 120 + 180),
        ({"pools": 1, "warehouses": 1}, "rotate", 60 + 45 + 120 + 180),
        ({}, "rotate", 0),
    ],
)
def test_lower_bound(bench: Bench, seed: dict[str, object], query: str, seconds: float) -> None:
    workspace = bench.seed(**seed)
    bound = bench.side("GET", f"/lower_bound?workspace_id={workspace['workspace_id']}&operation={query}")
    assert bound["seconds"] == bound["real_seconds"] == seconds
    if seconds:
        assert sum(bound["terms"].values()) == seconds


def test_scales_shrink_minutes_and_days_apart() -> None:
    clock = ManualClock()
    settings = Settings(minute_scale=0.01, day_scale=0.001, latencies=Latencies(field_lag=100))
    with quick_moto(), running(settings, kms_of, clock) as (url, state):
        bench = Bench(url, state.world, clock, kms_client("us-east-1"), settings)
        bench.login()
        old = bench.key()
        workspace = bench.seed(notebooks=1, keys={"managed_services": old})
        bench.patch(workspace, managed=bench.register(bench.key(), "MANAGED_SERVICES"))
        clock.advance(1)
        assert len(bench.sim(workspace)["eras"]) == 3
        bench.disable(old)
        clock.advance(86.3)
        assert len(bench.unreadable()) == 1
        clock.advance(0.2)
        assert bench.unreadable() == []


def test_as_a_process() -> None:
    arguments = ["--port", "0", "--minute-scale", "0.5", "--latency", "settle=7", "--switch", "unusable_key=apply"]
    arguments += ["--limit", "clusters=2.5:10"]
    environment = {**os.environ, "DATABRICKS_SIMULATOR_CLIENT_SECRET": "other"}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.databricks", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    assert url.startswith("http://127.0.0.1:")
    told = requests.get(f"{url}/_sim/state", timeout=10).json()
    assert (told["scales"]["minute"], told["latencies"]["settle"]) == (0.5, 7.0)
    assert told["switches"]["unusable_key"] == "apply"
    assert told["limits"]["families"] == {"clusters": {"per_second": 2.5, "burst": 10}}
    token = requests.post(
        f"{url}/oidc/accounts/{told['account_id']}/v1/token",
        data={"grant_type": "client_credentials", "scope": "all-apis"},
        auth=(Settings().client_id, "other"),
        timeout=10,
    )
    assert token.status_code == 200
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")
