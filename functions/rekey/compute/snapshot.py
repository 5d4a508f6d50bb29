"""The snapshot: compute as it was, written once, before the first terminate, and never overwritten."""

import json
from typing import Any

from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict

from rekey import aws, clock
from rekey.compute.world import (
    CLUSTER_STOPPABLE,
    RESTARTABLE_SOURCES,
    WAREHOUSE_STOPPABLE,
    Compute,
    pool_settings,
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


class Snapshot(BaseModel):
    """What ran, and how pools were set. What was off is not in it, and stays off."""

    model_config = ConfigDict(frozen=True)

    taken_at: str
    clusters: tuple[ClusterWas, ...]
    pools: tuple[dict[str, Any], ...]
    warehouses: tuple[WarehouseWas, ...]

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
            pools=tuple(pool_settings(each) for each in compute.pools),
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


def write_once(bucket: str, rotation_id: str, snapshot: Snapshot) -> str:
    """Put the snapshot unless there is one already: the first one is the truth. Gives its key."""
    key = snapshot_key(rotation_id)
    try:
        aws.s3().put_object(
            Bucket=bucket,
            Key=key,
            Body=snapshot.model_dump_json(indent=2).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
        )
    except ClientError as error:
        if aws.error_code(error) not in ("PreconditionFailed", "412"):
            raise
    return key


def read(bucket: str, key: str) -> Snapshot:
    body = aws.s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    return Snapshot.model_validate(json.loads(body))
