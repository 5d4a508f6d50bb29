"""The estate that the fleet is measured on: workspaces of four kinds, with little or no compute that runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.databricks.crypto.kms import STORAGE_ACTIONS
from tests.clients import client
from tests.matrix.fleets import Fleets

OFF = {"name": "off", "state": "TERMINATED"}
NIGHT: Mapping[str, Any] = {
    "clusters": [OFF],
    "pools": 0,
    "warehouses": 0,
    "jobs": [{"trigger": "schedule", "compute": "job_cluster"}],
    "notebooks": 1,
    "secrets": 0,
    "files": 0,
}
"""A workspace in which nothing runs at the moment: a cluster that is off, a job with a schedule, a notebook."""

DAY: Mapping[str, Any] = {**NIGHT, "clusters": [{"name": "ada"}, OFF], "warehouses": [{"name": "bi"}]}
"""And one in which a cluster and a warehouse run. How downtime grows with more of it: `make bench-compute`."""


@dataclass(frozen=True)
class Kind:
    """Workspaces that take the same way."""

    name: str
    of_ten: int
    tasks: tuple[tuple[str, str], ...] = (("rotate", "MANAGED_SERVICES"),)
    """Operation and use case of its rotations, in order, as a fleet without an `operation` asks for them."""
    seed: Mapping[str, Any] = field(default_factory=dict)

    def add(self, fleets: Fleets, name: str) -> int:
        """One more of them."""
        keys = {use_case.lower(): _key(fleets, use_case) for _, use_case in self.tasks}
        return fleets.workspace(name, **{**NIGHT, **self.seed, "keys": keys})


KINDS = (
    Kind("nothing runs", 5),
    Kind("compute runs", 2, seed=DAY),
    Kind(
        "compute runs, a STORAGE key too",
        2,
        (("rotate", "MANAGED_SERVICES"), ("rotate_material", "STORAGE")),
        # The volumes' role would have to be let in by the key's policy, which changes nothing here.
        {**DAY, "reuse_key_for_cluster_volumes": False},
    ),
    Kind("compute runs, Databricks-managed network", 1, seed={**DAY, "network": "databricks"}),
)

_OF_TEN = [kind for kind in KINDS for _ in range(kind.of_ten)]


def kind_of(number: int) -> Kind:
    """Of the workspace in that place, from 0: in any ten that follow one another the kinds are mixed the same way."""
    return _OF_TEN[number * 3 % len(_OF_TEN)]


def _key(fleets: Fleets, use_case: str) -> str:
    """One that Databricks may use for it."""
    key_arn = fleets.cloud.world.make_key()
    if use_case == "STORAGE":
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        for statement in policy["Statement"]:
            if "Condition" in statement:
                statement["Action"] = [*STORAGE_ACTIONS, "kms:CreateGrant"]
        client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))
    return key_arn
