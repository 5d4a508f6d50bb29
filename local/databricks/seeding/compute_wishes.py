"""What a test may ask the side door to make of compute, one by one: clusters, pools, warehouses, pipelines, jobs."""

from typing import Annotated, Any, Literal

from pydantic import Field

from local.databricks.state.compute import Failing, TerminationReason
from local.databricks.wish import Wish

TriggerWish = Literal[
    "schedule", "continuous", "periodic", "file_arrival", "table_update", "model", "sql_condition", "unknown", "none"
]
ComputeWish = Literal[
    "job_cluster",
    "new_cluster",
    "all_purpose",
    "pipeline",
    "warehouse",
    "dashboard",
    "run_job",
    "condition",
    "unknown",
    "serverless",
]
ClusterState = Literal["PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "TERMINATED", "ERROR", "UNKNOWN"]
WarehouseState = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "DELETING", "DELETED"]
"""CODE databricks-sdk-py: State of service/compute.py and of service/sql.py."""
WarehouseTaskWish = Literal["sql", "dbt", "dashboard", "notebook", "alert", "power_bi"]


class FailureWish(Wish):
    """The next `times` starts (null: all) come to nothing after `after` simulated seconds (null: they go on starting
    for ever), for this reason. CODE databricks-sdk-py TerminationReasonCode: also AWS_RESOURCE_QUOTA_EXCEEDED,
    AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE, both CLOUD_FAILURE; ISSUE terraform-provider-databricks#2976."""

    code: str = "INIT_SCRIPT_FAILURE"
    type: Literal["SUCCESS", "CLIENT_ERROR", "CLOUD_FAILURE", "SERVICE_FAULT"] = "CLIENT_ERROR"
    parameters: dict[str, str] = Field(
        default_factory=lambda: {"databricks_error_message": "Cluster scoped init script /x.sh failed: exit status 1"}
    )
    times: int | None = None
    after: float | None = 60

    def failing(self) -> Failing:
        return Failing(TerminationReason(self.code, self.type, self.parameters), self.times, self.after)


class ClusterSeed(Wish):
    """One cluster, in the first pool if it is `pooled`. `source` may be one that nobody here knows."""

    name: str | None = None
    source: str = "UI"
    state: ClusterState = "RUNNING"
    num_workers: int = 1
    pinned: bool = False
    pooled: bool = False
    fails: FailureWish | None = None


class PoolSeed(Wish):
    """One pool, with its minimum of idle instances up."""

    name: str | None = None
    min_idle_instances: int = 1
    max_capacity: int = 10
    idle_instance_autotermination_minutes: int = 15
    custom_tags: dict[str, str] = Field(default_factory=dict)
    fails: FailureWish | None = None


class WarehouseSeed(Wish):
    """One SQL warehouse."""

    name: str | None = None
    type: Literal["CLASSIC", "PRO"] = "CLASSIC"
    serverless: bool = False
    state: WarehouseState = "RUNNING"
    fails: FailureWish | None = None


class PipelineSeed(Wish):
    """One pipeline; `running` has an active update."""

    name: str | None = None
    continuous: bool = False
    serverless: bool = False
    running: bool = False


class JobSeed(Wish):
    """One job. Its trigger fires every `every_seconds`, a run takes `run_seconds` (0: until someone ends it), both
    simulated. `running`: it has a run under way; left out, a continuous job that is not paused has.

    `compute` is what its last task stands on: a cluster of the job's (job_cluster) or of the task's own (new_cluster),
    an all-purpose one, a pipeline, a warehouse (by a task of type `warehouse_task`), the warehouse of a dashboard
    (which the task does not name), another job; `cluster`, `pipeline`, `warehouse` and `job` say which, by their place
    in the workspace. A condition stands on nothing, and an unknown type of task on what the switch says. The task is
    inside `for_each` loops. Of more than one of `tasks` the others are serverless; a list of tasks is taken as it is,
    with "main" for the key of a job cluster.

    A sql_condition asks `warehouse` and finds what `condition_met` says; an unknown trigger is of a type that nobody
    here knows. `update_refused` is what any update is refused with, e.g. "Cluster validation error: ...".
    """

    name: str | None = None
    trigger: TriggerWish = "schedule"
    paused: bool = False
    every_seconds: float = 900
    run_seconds: float = 300
    condition_met: bool = True
    compute: ComputeWish = "job_cluster"
    warehouse_task: WarehouseTaskWish = "sql"
    cluster: int = 0
    pipeline: int = 0
    warehouse: int = 0
    job: int = 0
    for_each: Annotated[int, Field(ge=0, le=3)] = 0
    max_retries: int = 0
    max_concurrent_runs: int = 1
    running: bool | None = None
    update_refused: str | None = None
    tasks: int | list[dict[str, Any]] = 1
