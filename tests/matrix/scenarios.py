"""The rows: what is asked for, of which workspace; and, for the ways back, what makes it fail."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local.databricks.crypto.kms import STORAGE_ACTIONS
from local.databricks.faults import Match, Order
from rekey.aws.policy_access import parted, principals
from rekey.base import clock
from rekey.model.access import Revoked
from rekey.model.actions import KeyAction
from rekey.model.key import meet
from tests.clients import client
from tests.matrix.cloud import Cloud
from tests.steps.creating import wish

LATENCIES = {
    "cluster_terminate": 20,
    "ec2_outlives_terminated": 15,
    "cluster_start": 30,
    "pool_drain": 20,
    "pool_instance_start": 20,
    "warehouse_stop": 10,
    "warehouse_start": 20,
    "field_lag": 40,
    "managed_network_provisioning": 300,
    "workspace_provisioning": 60,
}
"""Shorter than Databricks' own where nothing but the number of polls hangs on it; rules' times are as they are."""

NOTHING = {"clusters": 0, "pools": 0, "warehouses": 0, "notebooks": 0, "secrets": 0, "files": 0}
SOME: Mapping[str, Any] = {
    "clusters": [{"name": "ada"}, {"name": "pooled", "pooled": True}, {"name": "off", "state": "TERMINATED"}],
    "pools": [{"name": "pool"}],
    "warehouses": [{"name": "bi"}],
    "jobs": [{"trigger": "schedule", "compute": "job_cluster"}],
    "notebooks": 1,
    "secrets": 1,
    "files": 1,
}

Request = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """One operation on one network. `keys` are the use cases that the workspace has keys for already."""

    name: str
    request: Mapping[str, Any]
    network: str = "customer"
    keys: tuple[str, ...] = ("managed_services",)
    seed: Mapping[str, Any] = field(default_factory=lambda: SOME)
    more: Callable[[Cloud, Any, Request], None] = lambda *_: None
    """Makes what else there is, and may complete the request."""
    fails: Callable[[Cloud], None] | None = None
    """What makes it take the way back."""
    refused_use: bool = False
    """Whether the old key's use is refused once it has gone."""

    def make(self, cloud: Cloud) -> Request:
        """The world before, and the request for it."""
        cloud.world.post("latencies", **LATENCIES)
        request = dict(self.request)
        if self.request.get("operation") == "create_workspace":
            request.update(wish(cloud.world))
            self.more(cloud, None, request)
            return request
        keys = {each: _key(cloud, each) for each in self.keys}
        workspace = cloud.world.workspace(**{**NOTHING, **self.seed, "network": self.network, "keys": keys})
        request["workspace_id"] = workspace["workspace_id"]
        self.more(cloud, workspace, request)
        return request


def _key(cloud: Cloud, use_case: str) -> str:
    """A key as an earlier rotation would have made it, open for what Databricks does with it."""
    key_arn = cloud.world.make_key()
    if use_case == "storage":
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        for statement in policy["Statement"]:
            if "Condition" in statement:
                statement["Action"] = [*STORAGE_ACTIONS, "kms:CreateGrant"]
        client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))
    return key_arn


def refused(cloud: Cloud) -> None:
    """Databricks does not take the change, whatever one does."""
    match = Match(method="PATCH", path="/workspaces/")
    cloud.simulator.faults.add(Order(match=match, fault="status", status=400, error_code="BAD_REQUEST", times=None))


def reverted(cloud: Cloud) -> None:
    """The change shows, and then it does not any more."""
    order = Order(match=Match(method="PATCH"), fault="silent_revert", visible_seconds=20, times=1)
    cloud.simulator.faults.add(order)


def unproven(cloud: Cloud) -> None:
    """No notebook can be written: the change is there, its proof is not."""
    match = Match(method="POST", path="/workspace/import", body="-after")
    cloud.simulator.faults.add(Order(match=match, fault="status", status=400, error_code="BAD_REQUEST", times=None))


def broken_network(cloud: Cloud) -> None:
    """The new workspace does not come up."""
    order = Order(match=Match(method="POST", path="*/workspaces"), fault="provisioning_fails", message="No subnet.")
    cloud.simulator.faults.add(order)


def _brought(cloud: Cloud, _: Any, request: Request) -> None:
    """Its policy names nobody but its own account: what Databricks needs is added."""
    key_arn = cloud.world.make_key(ours=False)
    policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
    policy["Statement"] = policy["Statement"][:1]
    client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(policy))
    client("kms").tag_resource(KeyId=key_arn, Tags=[{"TagKey": "rekey:brought", "TagValue": "true"}])
    request["key_arn"] = key_arn


def _shared(cloud: Cloud, workspace: Any, _: Request) -> None:
    """Another workspace is on the same key."""
    keys = {"managed_services": workspace["configurations"]["managed_services"]}
    cloud.world.workspace(**{**NOTHING, "workspace_name": "other", "keys": keys, "notebooks": 1})


def _cached(cloud: Cloud, _: Any, __: Request) -> None:
    """Databricks reads through its cache for a while."""
    cloud.world.post("switches", dek_cache_seconds=300)


def _revoked(cloud: Cloud, workspace: Any, _: Request) -> None:
    """As a revocation has left it: Databricks' statements are out, and the ledger has them."""
    now = cloud.now()
    for configuration_id in workspace["configurations"].values():
        key_arn = cloud.simulator.configurations[configuration_id].key_arn
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        left, taken = parted(policy, principals("commercial", ()))
        client("kms").put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(left))
        revoked = Revoked(
            rotation_id="r0",
            workspaces=(workspace["workspace_id"],),
            by="grace",
            at=clock.text(now),
            was="retained",
            taken=tuple(map(json.dumps, taken)),
        )
        key = meet(key_arn, "retained", "as before", now).revoke(revoked, "for the matrix", now)
        cloud.ledger.keys.introduce(key, KeyAction.ACCESS_REVOKED)


def _window(cloud: Cloud, _: Any, request: Request) -> None:
    opens = datetime.fromtimestamp(cloud.clock.now(), UTC) + timedelta(hours=2)
    request["not_before"] = opens.isoformat()
    request["not_after"] = (opens + timedelta(hours=20)).isoformat()


ROTATE = {"operation": "rotate", "request_id": "CHG1"}
ADD = {"operation": "add", "use_cases": ["MANAGED_SERVICES", "STORAGE"], "request_id": "CHG2"}

ACCESS = {"approval": True, "requested_by": "bob"}

FORWARD = (
    Scenario("rotate", ROTATE),
    Scenario("rotate-managed-network", ROTATE, network="databricks"),
    Scenario("add", ADD, keys=()),
    Scenario("add-managed-network", ADD, keys=(), network="databricks"),
    Scenario("create", {"operation": "create_workspace", "request_id": "CHG3"}),
    Scenario(
        "material",
        {"operation": "rotate_material", "use_cases": ["MANAGED_SERVICES", "STORAGE"], "request_id": "CHG4"},
        keys=("managed_services", "storage"),
    ),
    Scenario("notebooks", {**ROTATE, "renew_notebooks": ["/"]}, seed={**SOME, "mixed_notebooks": 3}),
    Scenario("brought", ROTATE, more=_brought),
    Scenario("shared", ROTATE, more=_shared),
    Scenario("needed", ROTATE, refused_use=True),
    Scenario("approval", {**ROTATE, "approval": True, "requested_by": "bob"}),
    Scenario("window", ROTATE, more=_window),
    Scenario("revoke", {**ACCESS, "operation": "revoke", "request_id": "CHG5"}, more=_cached),
    Scenario("restore", {**ACCESS, "operation": "restore", "request_id": "CHG6"}, more=_revoked),
    Scenario("drain", {**ROTATE, "jobs": "drain", "drain_minutes": 30}, seed={**SOME, "runs": 1}),
)

BACK = tuple(
    Scenario(f"{base.name}-{how.__name__}", base.request, base.network, base.keys, base.seed, base.more, how)
    for base in FORWARD[:4]
    for how in (refused, reverted, unproven)
)

_BROUGHT = next(each for each in FORWARD if each.name == "brought")
_CREATE = next(each for each in FORWARD if each.name == "create")
BACK += (
    replace(_BROUGHT, name="brought-refused", fails=refused),
    replace(_CREATE, name="create-broken", fails=broken_network),
)

SCENARIOS = {each.name: each for each in (*FORWARD, *BACK)}
