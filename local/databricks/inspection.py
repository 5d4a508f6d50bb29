"""The whole state as plain JSON, for assertions and for a curious person."""

from dataclasses import asdict
from typing import Any

from local.databricks.routes import customer_managed_keys, workspaces
from local.databricks.rules import ec2, pools, runs
from local.databricks.rules.start import in_settle_wait
from local.databricks.state.account import Workspace
from local.databricks.state.compute import Pool
from local.databricks.world import World


def dump(world: World) -> dict[str, Any]:
    """{"account_id", "now", "scales", "latencies", "switches", "faults", "configurations", "workspaces"}."""
    return {
        "account_id": world.settings.account_id,
        "now": world.now(),
        "scales": {"minute": world.scale.minute, "day": world.scale.day},
        "latencies": asdict(world.latencies),
        "limits": asdict(world.limiter.limits),
        "switches": asdict(world.switches),
        "faults": world.faults.as_list(),
        "violations": len(world.violations.as_list()),
        "configurations": [customer_managed_keys.render(world, c) for c in world.configurations.values()],
        "workspaces": [dump_workspace(world, workspace) for workspace in world.workspaces.values()],
    }


def dump_workspace(world: World, workspace: Workspace) -> dict[str, Any]:
    """The workspace as GET shows it, and under "sim" what the API would not tell."""
    now, vault = world.now(), workspace.vault
    update = workspace.update
    return {
        **workspaces.render(world, workspace),
        "sim": {
            "update": asdict(update) if update else None,
            "in_settle_wait": in_settle_wait(world, workspace),
            "blackout_until": workspace.blackout_until,
            "ec2": ec2.living(world, workspace),
            "refusals": dict(workspace.refusals),
            "eras": [{"key_arn": era.key_arn, "since": era.since, "usable": bool(era.deks)} for era in vault.eras],
            "objects": [
                {"kind": sealed.kind, "name": sealed.name, "key_arn": vault.key_of(sealed, now)}
                for sealed in workspace.contents.sealed()
            ],
            "clusters": {
                c.cluster_id: {
                    "name": c.spec.get("cluster_name"),
                    "source": c.source,
                    "state": c.life.state(now),
                    "ec2": ec2.cluster_alive(world, c),
                    "pool_id": c.pool_id,
                }
                for c in workspace.clusters.values()
            },
            "pools": {pool.pool_id: _pool(world, workspace, pool) for pool in workspace.pools.values()},
            "warehouses": {
                w.warehouse_id: {
                    "name": w.name,
                    "type": w.warehouse_type,
                    "serverless": w.serverless,
                    "state": w.life.state(now),
                    "ec2": ec2.warehouse_alive(world, w),
                }
                for w in workspace.warehouses.values()
            },
            "jobs": {
                str(job.job_id): {
                    "name": job.name,
                    "kind": job.kind,
                    "paused": job.paused,
                    "active_runs": [run.run_id for run in runs.active_runs(world, workspace, job.job_id)],
                }
                for job in workspace.jobs.values()
            },
            "runs": {str(run.run_id): run.life.state(now) for run in workspace.runs.values()},
            "runs_stand_on": {
                str(run.run_id): [f"{hold.kind} {hold.id}" for hold in run.holds] for run in workspace.runs.values()
            },
            "pipelines": {p.pipeline_id: p.life.state(now) for p in workspace.pipelines.values()},
        },
    }


def _pool(world: World, workspace: Workspace, pool: Pool) -> dict[str, Any]:
    now = world.now()
    return {
        "name": pool.name,
        "node_type_id": pool.node_type_id,
        "min_idle_instances": pool.min_idle_instances,
        "max_capacity": pool.max_capacity,
        "idle_instance_autotermination_minutes": pool.idle_instance_autotermination_minutes,
        "custom_tags": pool.custom_tags,
        "idle": len(pools.idle_now(pool, now)),
        "pending": len(pools.pending_now(pool, now)),
        "used": pools.used_now(workspace, pool, now),
        "ec2": ec2.pool_alive(world, pool),
    }
