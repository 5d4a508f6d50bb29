"""How an instance pool keeps its idle instances."""

from local.databricks.rules.start import reason_to_fail, will_fail
from local.databricks.state.account import Workspace
from local.databricks.state.compute import CLUSTER_OFF, Pool, PoolInstance
from local.databricks.world import World


def idle_now(pool: Pool, now: float) -> list[PoolInstance]:
    """Instances that wait for a cluster."""
    return [i for i in pool.idle if i.idle_from <= now and (i.leaves_at is None or now < i.leaves_at)]


def pending_now(pool: Pool, now: float) -> list[PoolInstance]:
    """Instances on their way up."""
    return [i for i in pool.idle if i.requested_at <= now < i.idle_from]


def used_now(workspace: Workspace, pool: Pool, now: float) -> int:
    """Instances of the pool in clusters that are not terminated."""
    clusters = (c for c in workspace.clusters.values() if c.pool_id == pool.pool_id)
    return sum(c.instances for c in clusters if c.life.state(now) not in CLUSTER_OFF)


def rebalance(world: World, workspace: Workspace, pool: Pool) -> None:
    """Let surplus idle instances go and ask for missing ones, after an edit or a change of what is used."""
    now = world.now()
    lag = world.minutes(world.latencies.ec2_outlives_terminated)
    pool.idle = [i for i in pool.idle if i.leaves_at is None or now < i.leaves_at + lag]
    present = [i for i in pool.idle if i.leaves_at is None or now < i.leaves_at]
    kept, surplus = present[: pool.min_idle_instances], present[pool.min_idle_instances :]
    for instance in kept:
        instance.leaves_at = None
    patience = world.minutes(pool.idle_instance_autotermination_minutes * 60 + world.latencies.pool_drain)
    for instance in surplus:
        leaves_at = max(now, instance.idle_from) + patience
        instance.leaves_at = leaves_at if instance.leaves_at is None else min(instance.leaves_at, leaves_at)
    missing = pool.min_idle_instances - len(kept)
    if pool.max_capacity:
        missing = min(missing, pool.max_capacity - used_now(workspace, pool, now) - len(present))
    if missing > 0:
        launch(world, workspace, pool, missing)


def launch(world: World, workspace: Workspace, pool: Pool, count: int) -> None:
    """Ask EC2 for `count` idle instances; that is classic compute, so the blackout counts."""
    reason = reason_to_fail(world, workspace, f"pool {pool.pool_id} launches {count} idle instance(s)")
    failing = will_fail(workspace, reason, pool.failing)
    if failing is not None:
        pool.pending_errors.append(failing.reason.code)
        return
    now = world.now()
    ready = now + world.minutes(world.latencies.pool_instance_start)
    pool.idle += [PoolInstance(idle_from=ready, requested_at=now) for _ in range(count)]


def lend(world: World, workspace: Workspace, pool: Pool, count: int) -> None:
    """Hand up to `count` idle instances to a cluster."""
    taken = idle_now(pool, world.now())[:count]
    pool.idle = [instance for instance in pool.idle if instance not in taken]
    rebalance(world, workspace, pool)


def give_back(world: World, workspace: Workspace, pool: Pool, count: int) -> None:
    """A cluster ended: its instances are idle again until the pool lets them go."""
    now = world.now()
    pool.idle += [PoolInstance(idle_from=now, requested_at=now) for _ in range(count)]
    rebalance(world, workspace, pool)
