"""What one would write oneself on the official SDK: a careful script, one request after the other or with 20 threads,
and one that leaves triggers alone, sends the PATCH and waits for RUNNING."""

import random
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import DatabricksError, OperationFailed
from databricks.sdk.service import compute, pipelines, sql
from databricks.sdk.service.compute import ListClustersFilterBy, State
from databricks.sdk.service.jobs import JobSettings, PauseStatus
from databricks.sdk.service.pipelines import PipelineState
from databricks.sdk.service.provisioning import Workspace

from benchmarks.compute.stage import Stage
from benchmarks.compute.virtual import Pool
from benchmarks.compute.wire import URL
from tests.names import ACCOUNT_ID

PATIENCE = timedelta(days=30)
"""A script that gives up would leave everything down; these never do."""

POLL_SECONDS = 10.0
"""Of what the SDK has no waiter for: pools, instances that outlive their clusters, the key field."""

UP = [State.RUNNING, State.PENDING, State.RESIZING, State.RESTARTING]


@dataclass
class Script:
    """A maintenance script, with as many threads as it has."""

    stage: Stage
    threads: int
    careful: bool = True
    """Whether it pauses triggers, and waits for the key field and not for RUNNING."""

    def __post_init__(self) -> None:
        tokens = self.stage.simulator.tokens
        workspace = self.stage.workspace
        common: dict[str, Any] = {"auth_type": "pat", "clock": self.stage.time, "retry_timeout_seconds": 10**9}
        host = f"{URL}/w/{workspace.deployment_name}"
        self.api = WorkspaceClient(config=Config(host=host, token=tokens.issue(1e12, workspace.workspace_id), **common))
        account = Config(host=URL, account_id=ACCOUNT_ID, token=tokens.issue(1e12, None), **common)
        self.account = AccountClient(config=account)

    def run(self, configuration_id: str) -> float:
        """Seconds of downtime: from the first stop until the last waiter has come back."""
        api, phase = self.api, self._phase
        phase("before")
        jobs = [each for each in api.jobs.list() if _unpaused(each)] if self.careful else []
        self._each(jobs, lambda job: self._set_trigger(job, PauseStatus.PAUSED))
        running = api.clusters.list(filter_by=ListClustersFilterBy(cluster_states=UP))
        clusters = [str(each.cluster_id) for each in running if _is_somebodys(each)]
        warehouses = [str(each.id) for each in api.warehouses.list() if not each.enable_serverless_compute]
        pools = list(api.instance_pools.list())
        streams = [str(each.pipeline_id) for each in api.pipelines.list_pipelines()]
        idle = {
            each.instance_pool_id: (each.min_idle_instances or 0, each.idle_instance_autotermination_minutes or 0)
            for each in pools
        }
        phase("terminate")
        began = self.stage.time.now()
        self._each(pools, lambda pool: self._edit(pool, 0, 0))
        self._wait(
            [
                *self._each(clusters, lambda each: api.clusters.delete(each)),
                *self._each(streams, lambda each: api.pipelines.stop(each)),
                *self._each(warehouses, lambda each: api.warehouses.stop(each)),
            ]
        )
        phase("switch")
        self._until(lambda: self._switch(configuration_id))
        if self.careful:
            self._until(lambda: self._shows(configuration_id))
        phase("restart")
        self._each(pools, lambda each: self._edit(each, *idle[each.instance_pool_id]))
        waits = [
            *self._each(clusters, lambda each: api.clusters.start(each)),
            *self._each(warehouses, lambda each: api.warehouses.start(each)),
        ]
        self._each(streams, lambda each: api.pipelines.start_update(each))
        self._each(jobs, lambda job: self._set_trigger(job, PauseStatus.UNPAUSED))
        self._wait(waits)
        self._each(streams, lambda each: self._until(lambda: self._streams(each)))
        return self.stage.time.now() - began

    def _phase(self, name: str) -> None:
        self.stage.wire.phase = name

    def _each(self, things: Iterable[Any], act: Callable[[Any], Any]) -> list[Any]:
        if self.threads == 1:
            return [act(each) for each in things]
        with Pool(self.stage.time, self.threads) as pool:
            futures = [pool.submit(act, each) for each in things]
        return [each.result() for each in futures]

    def _wait(self, waits: list[Any]) -> None:
        self._each(waits, _result)

    def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            self.stage.time.sleep(POLL_SECONDS)

    def _switch(self, configuration_id: str) -> bool:
        number = self.stage.workspace.workspace_id
        try:
            change = Workspace(managed_services_customer_managed_key_id=configuration_id)
            self.account.workspaces.update(number, change).result(PATIENCE)
        except DatabricksError as error:
            if "terminate" not in str(error).lower():
                raise
            return False
        return True

    def _shows(self, configuration_id: str) -> bool:
        shown = self.account.workspaces.get(self.stage.workspace.workspace_id)
        return shown.managed_services_customer_managed_key_id == configuration_id

    def _streams(self, pipeline_id: str) -> bool:
        return self.api.pipelines.get(pipeline_id).state in (PipelineState.RUNNING, PipelineState.FAILED)

    def _edit(self, pool: Any, least: int, minutes: int) -> None:
        self.api.instance_pools.edit(
            pool.instance_pool_id,
            pool.instance_pool_name,
            pool.node_type_id,
            min_idle_instances=least,
            idle_instance_autotermination_minutes=minutes,
            max_capacity=pool.max_capacity,
            custom_tags=pool.custom_tags,
        )

    def _set_trigger(self, job: Any, status: PauseStatus) -> None:
        schedule = job.settings.schedule
        schedule.pause_status = status
        self.api.jobs.update(job.job_id, new_settings=JobSettings(schedule=schedule))


def on_virtual_time(stage: Stage) -> list[AbstractContextManager[Any]]:
    """The SDK's waiters sleep by the module `time`."""
    random.seed(0)
    return [patch.object(module, "time", stage.time) for module in (compute, sql, pipelines)]


def _result(wait: Any) -> None:
    """What does not come up is counted at the end (Stage.undone): it keeps nothing else down."""
    with suppress(OperationFailed):
        wait.result(PATIENCE)


def _unpaused(job: Any) -> bool:
    schedule = job.settings.schedule
    return schedule is not None and schedule.pause_status != PauseStatus.PAUSED


def _is_somebodys(cluster: Any) -> bool:
    return cluster.cluster_source is not None and cluster.cluster_source.value in ("UI", "API")
