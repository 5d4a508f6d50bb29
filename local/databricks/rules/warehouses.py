"""Starting and stopping SQL warehouses."""

from local.databricks.rules.ec2 import runs_on_ec2
from local.databricks.rules.start import reason_to_fail, will_fail
from local.databricks.state.account import Workspace
from local.databricks.state.compute import WAREHOUSE_DELETED, Warehouse
from local.databricks.world import World


def start(world: World, workspace: Workspace, warehouse: Warehouse) -> None:
    """STARTING, then RUNNING; nothing when it is up, coming up or being deleted."""
    now = world.now()
    if warehouse.life.state(now) in {"RUNNING", "STARTING"} | WAREHOUSE_DELETED:
        return
    failing = None
    if runs_on_ec2(world, warehouse):
        reason = reason_to_fail(world, workspace, f"warehouse {warehouse.warehouse_id}")
        failing = will_fail(workspace, reason, warehouse.failing)
    warehouse.failure = failing.reason if failing else None
    if failing:
        ends = () if failing.after is None else ((world.minutes(failing.after), "STOPPED"),)
        warehouse.life.begin(now, "STARTING", *ends)
    else:
        warehouse.life.begin(now, "STARTING", (world.minutes(world.latencies.warehouse_start), "RUNNING"))


def stop(world: World, workspace: Workspace, warehouse: Warehouse) -> None:
    """STOPPING, then STOPPED. A serverless one has no EC2, so stopping it is needless harm: a violation."""
    now = world.now()
    if warehouse.serverless:
        world.violations.record(
            "serverless_warehouse_stopped", now, workspace.workspace_id, f"warehouse {warehouse.warehouse_id}"
        )
    if warehouse.life.state(now) not in {"STOPPED", "STOPPING"} | WAREHOUSE_DELETED:
        warehouse.life.begin(now, "STOPPING", (world.minutes(world.latencies.warehouse_stop), "STOPPED"))


def query_every(world: World, workspace: Workspace, warehouse: Warehouse, seconds: float) -> None:
    """Someone queries the warehouse every so many simulated seconds: a stopped one starts by itself (INFER)."""

    def query() -> None:
        if world.workspaces.get(workspace.workspace_id) is not workspace:
            return
        if warehouse.life.state(world.now()) == "STOPPED":
            start(world, workspace, warehouse)
        world.later(world.now() + world.minutes(seconds), query)

    world.later(world.now() + world.minutes(seconds), query)
