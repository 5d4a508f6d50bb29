"""The snapshot: compute as it was, written once, before the first terminate, and never overwritten."""

import json
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from rekey.aws import clients
from rekey.base import clock
from rekey.rotation.compute.world import (
    CLUSTER_STOPPABLE,
    PIPELINE_STOPPABLE,
    RESTARTABLE_SOURCES,
    WAREHOUSE_STOPPABLE,
    Compute,
    pool_settings,
    run_state,
)


class ClusterWas(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    state: str
    source: str

    @property
    def restartable(self) -> bool:
        return self.source in RESTARTABLE_SOURCES


class WarehouseWas(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    state: str
    type: str


class PipelineWas(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    state: str
    continuous: bool


class RunWas(BaseModel):
    """A job run that was active: it is cut short, and its job's owner should know."""

    model_config = ConfigDict(frozen=True)

    run_id: int
    job_id: int | None
    name: str
    state: str


class Snapshot(BaseModel):
    """What ran, and how every pool was set. What was off is not in it, and stays off."""

    model_config = ConfigDict(frozen=True)

    taken_at: str
    clusters: tuple[ClusterWas, ...]
    pools: tuple[dict[str, Any], ...]
    warehouses: tuple[WarehouseWas, ...]
    pipelines: tuple[PipelineWas, ...] = ()
    runs: tuple[RunWas, ...] = ()

    @classmethod
    def of(cls, compute: Compute) -> "Snapshot":
        return cls(
            taken_at=clock.text(clock.now()),
            clusters=tuple(
                ClusterWas(
                    id=each["cluster_id"],
                    name=each.get("cluster_name", ""),
                    state=each["state"],
                    source=each.get("cluster_source", "UI"),
                )
                for each in compute.clusters
                if each["state"] in CLUSTER_STOPPABLE
            ),
            pools=tuple(pool_settings(each) for each in (*compute.pools, *compute.quiet_pools)),
            warehouses=tuple(
                WarehouseWas(
                    id=each["id"],
                    name=each.get("name", ""),
                    state=each["state"],
                    type=each.get("warehouse_type", "CLASSIC"),
                )
                for each in compute.warehouses
                if each["state"] in WAREHOUSE_STOPPABLE
            ),
            pipelines=tuple(
                PipelineWas(
                    id=each["pipeline_id"],
                    name=each.get("name", ""),
                    state=each["state"],
                    continuous=bool(each.get("spec", {}).get("continuous")),
                )
                for each in compute.pipelines
                if each["state"] in PIPELINE_STOPPABLE
            ),
            runs=tuple(
                RunWas(
                    run_id=each["run_id"],
                    job_id=each.get("job_id"),
                    name=each.get("run_name", ""),
                    state=run_state(each),
                )
                for each in compute.runs
            ),
        )

    @property
    def ids(self) -> set[str]:
        return {
            *(each.id for each in self.clusters),
            *(each["instance_pool_id"] for each in self.pools),
            *(each.id for each in self.warehouses),
        }


def snapshot_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/snapshot.json"


def write_once(bucket: str, key: str, snapshot: BaseModel) -> None:
    """Put a snapshot unless there is one already: the first one is the truth."""
    try:
        clients.s3().put_object(
            Bucket=bucket,
            Key=key,
            Body=snapshot.model_dump_json(indent=2).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if clients.error_code(error) not in ("PreconditionFailed", "412"):
            raise


def read(bucket: str, key: str) -> Snapshot:
    body = clients.s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    return Snapshot.model_validate(json.loads(body))
