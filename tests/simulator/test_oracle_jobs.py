"""The SDK as oracle: jobs, runs, pipelines, and who calls (tests/simulator/oracle.py says how)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from databricks.sdk import errors as sdk_errors
from databricks.sdk.service import jobs

from rekey.base import errors
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.look import Look
from tests.simulator.bench import Bench
from tests.simulator.oracle import Pair, Wire, make_pair, same, workspace_api

UNDER_WAY: dict[str, Any] = {"running": True, "run_seconds": 0}
JOBS = [
    {"trigger": "schedule", **UNDER_WAY},
    {"trigger": "none", "compute": "all_purpose", **UNDER_WAY},
    {"trigger": "periodic", "compute": "serverless", **UNDER_WAY},
    {"trigger": "continuous", "paused": True},
]


@pytest.fixture
def pair(bench: Bench) -> Pair:
    return make_pair(bench, bench.seed(clusters=2, jobs=JOBS, pipelines=4))


def test_list_jobs(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(wire, pair.api.list_jobs, lambda: list(pair.sdk.jobs.list(expand_tasks=True)))
    assert [each["job_id"] for each in ours] == [each.job_id for each in theirs]
    assert [each["settings"] for each in ours] == [each.settings.as_dict() for each in theirs]
    assert {kind for each in ours for kind in each["settings"]} >= {"schedule", "trigger", "continuous", "tasks"}


@pytest.mark.rule("job-update")
@pytest.mark.parametrize("kind", ["schedule", "trigger", "continuous"])
def test_update_job(pair: Pair, wire: Wire, kind: str) -> None:
    """A pause as rekey writes it: the whole trigger, one field of it changed."""
    job = next(each for each in pair.api.list_jobs() if kind in each["settings"])
    wish = {kind: {**job["settings"][kind], "pause_status": "PAUSED"}}
    settings = jobs.JobSettings.from_dict(wish)
    same(
        wire,
        lambda: pair.api.update_job(job["job_id"], wish),
        lambda: pair.sdk.jobs.update(job["job_id"], new_settings=settings),
    )
    understood = pair.sdk.jobs.get(job["job_id"]).settings
    assert understood is not None
    assert understood.as_dict() == {**job["settings"], **wish}


def test_list_active_runs(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(
        wire,
        pair.api.list_active_runs,
        lambda: list(pair.sdk.jobs.list_runs(active_only=True, expand_tasks=True)),
    )
    assert [(each["run_id"], each["job_id"], each["state"]["life_cycle_state"]) for each in ours] == [
        (each.run_id, each.job_id, each.state.life_cycle_state.value) for each in theirs
    ]
    clusters = [[task.get("cluster_instance", {}).get("cluster_id") for task in each["tasks"]] for each in ours]
    sdk_clusters = [[task.cluster_instance and task.cluster_instance.cluster_id for task in e.tasks] for e in theirs]
    assert clusters == sdk_clusters
    assert len(ours) == 3


def test_runs_and_jobs_longer_than_a_page_are_read_to_their_end(wire: Wire, bench: Bench) -> None:
    many = bench.seed(jobs=[{**JOBS[2], "max_concurrent_runs": 1}] * 110, pipelines=110)
    api = workspace_api(bench, many)
    for read, key in ((api.list_jobs, "job_id"), (api.list_active_runs, "run_id"), (api.list_pipelines, "pipeline_id")):
        sent, found = wire.during(read)
        assert (len({each[key] for each in found}), len(sent) > 1) == (110, True)


@pytest.mark.rule("tasks-paged")
def test_tasks_beyond_a_page_are_read_to_their_end(wire: Wire, bench: Bench) -> None:
    """The last of them is the one on a cluster: without it, the job and its run would look serverless."""
    pair = make_pair(bench, bench.seed(jobs=[{**JOBS[0], "tasks": 250}, JOBS[2]]))
    ours, theirs = same(wire, pair.api.list_jobs, lambda: list(pair.sdk.jobs.list(expand_tasks=True)))
    assert len(wire.sent) == 1 + 3
    assert [each["settings"]["tasks"] for each in ours] == [each.settings.as_dict()["tasks"] for each in theirs]
    runs, sdk_runs = same(
        wire,
        pair.api.list_active_runs,
        lambda: list(pair.sdk.jobs.list_runs(active_only=True, expand_tasks=True)),
    )
    assert len(wire.sent) == 1 + 3
    keys = [[task["task_key"] for task in each["tasks"]] for each in runs]
    assert keys == [[task.task_key for task in each.tasks] for each in sdk_runs]
    look = Look(Crew(pair.api, 60))
    assert sorted(use.classic for use in look.uses_of_runs(runs)) == [False, True]
    assert sorted(use.classic for use in look.uses_of_jobs(ours)) == [False, True]


@pytest.mark.rule("run-cancel")
def test_cancel_run(pair: Pair, wire: Wire, bench: Bench) -> None:
    run_id = next(each["run_id"] for each in pair.api.list_active_runs() if "cluster_instance" in each["tasks"][0])
    same(wire, lambda: pair.api.cancel_run(run_id), lambda: pair.sdk.jobs.cancel_run(run_id))
    bench.clock.advance(60)
    state = pair.sdk.jobs.get_run(run_id).state
    assert state is not None
    assert state.result_state == jobs.RunResultState.CANCELED
    assert run_id not in {each["run_id"] for each in pair.api.list_active_runs()}
    refused(lambda: pair.api.cancel_run(1), errors.NotFound)
    # The SDK corrects this code for the run's GET only (errors/overrides.py); we do wherever it says "does not exist".
    refused(lambda: pair.sdk.jobs.cancel_run(1), sdk_errors.InvalidParameterValue)


def test_list_and_get_pipelines(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(wire, pair.api.list_pipelines, lambda: list(pair.sdk.pipelines.list_pipelines()))
    assert [(each["pipeline_id"], each["state"], each.get("cluster_id")) for each in ours] == [
        (each.pipeline_id, each.state.value, each.cluster_id) for each in theirs
    ]
    assert len(ours) > 1
    for pipeline_id in [each["pipeline_id"] for each in ours]:
        read, sdk_read = partial(pair.api.get_pipeline, pipeline_id), partial(pair.sdk.pipelines.get, pipeline_id)
        our, their = same(wire, read, sdk_read)
        assert (our["spec"]["continuous"], our["spec"]["serverless"], our["state"]) == (
            their.spec.continuous,
            their.spec.serverless,
            their.state.value,
        )


@pytest.mark.rule("pipeline-stop")
def test_stop_and_start_a_pipeline(pair: Pair, wire: Wire, bench: Bench) -> None:
    pipeline_id = next(each["pipeline_id"] for each in pair.api.list_pipelines() if each["state"] == "RUNNING")
    same(wire, lambda: pair.api.stop_pipeline(pipeline_id), lambda: pair.sdk.pipelines.stop(pipeline_id))
    bench.clock.advance(60)
    stopped = pair.sdk.pipelines.wait_get_pipeline_idle(pipeline_id, timeout=timedelta(seconds=1))
    assert stopped.pipeline_id == pipeline_id
    we_sent, _ = wire.during(lambda: pair.api.start_pipeline(pipeline_id))
    they_sent, _ = wire.during(
        lambda: refused(lambda: pair.sdk.pipelines.start_update(pipeline_id), sdk_errors.InvalidState)
    )
    assert we_sent == they_sent
    refused(lambda: pair.api.start_pipeline(pipeline_id), errors.InvalidState)


@pytest.mark.parametrize("admin", [True, False])
def test_is_admin(bench: Bench, wire: Wire, admin: bool) -> None:
    pair = make_pair(bench, bench.seed(workspace_admin=admin))
    ours, theirs = same(wire, pair.api.is_admin, pair.sdk.current_user.me)
    assert ours == ("admins" in {each.display for each in theirs.groups}) == admin


def refused(call: Callable[[], Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        call()
