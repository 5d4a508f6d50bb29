"""The estate that the fleet is measured on: workspaces of three kinds, each with a little compute."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.databricks.crypto.kms import STORAGE_ACTIONS
from tests.clients import client
from tests.matrix.fleets import Fleets

COMPUTE: Mapping[str, Any] = {
    "clusters": [{"name": "ada"}, {"name": "off", "state": "TERMINATED"}],
    "pools": 0,
    "warehouses": [{"name": "bi"}],
    "jobs": [{"trigger": "schedule", "compute": "job_cluster"}],
    "notebooks": 1,
    "secrets": 0,
    "files": 0,
}
"""Of each workspace: a cluster and a warehouse that run, a cluster that is off, a job with a schedule, a notebook. How
downtime grows with more of it is what `make bench-compute` measures."""


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
        return fleets.workspace(name, **{**COMPUTE, **self.seed, "keys": keys})


KINDS = (
    Kind("customer-managed network", 7),
    Kind("with a STORAGE key too", 2, (("rotate", "MANAGED_SERVICES"), ("rotate_material", "STORAGE"))),
    Kind("Databricks-managed network", 1, seed={"network": "databricks"}),
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
