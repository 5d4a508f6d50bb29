"""How far virtual time is from real time: one small case in both, with latencies of seconds."""

import time
from dataclasses import dataclass

from benchmarks.compute import rekey
from benchmarks.compute.stage import built
from benchmarks.compute.workspaces import Size
from local.databricks.settings import Latencies

OBJECTS = 10

QUICK = Latencies(
    request=0.15,
    cluster_terminate=4,
    cluster_start=8,
    ec2_outlives_terminated=3,
    pool_drain=4,
    pool_instance_start=4,
    warehouse_stop=2,
    warehouse_start=6,
    pipeline_stop=2,
    pipeline_restart=2,
    field_lag=5,
)


@dataclass(frozen=True)
class Scaled:
    """The same rotation twice. Seconds of downtime."""

    objects: int
    real_seconds: float
    virtual_seconds: float
    error: float
    """Of the virtual one, as a part of the real one."""
    took_seconds: float


def at_scale_one() -> Scaled:
    began = time.monotonic()
    real, virtual = (_downtime(real=each) for each in (True, False))
    took = round(time.monotonic() - began, 1)
    return Scaled(OBJECTS, round(real, 1), round(virtual, 1), round(virtual / real - 1, 3), took)


def _downtime(*, real: bool) -> float:
    with built(Size.of(OBJECTS), None, QUICK, real=real) as stage:
        return rekey.rotate(stage).downtime
