"""Evidence as the real handlers write it, in a world whose time moves with the simulator's."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from rekey.base import clock, errors
from tests.seals import sealed_anew
from tests.steps.workloads import FAILS
from tests.steps.world import World

Evidence = dict[str, Any]

CALL_SECONDS = 2.4
"""How long a call of a Lambda takes."""

BEGAN = datetime(2026, 11, 21, 19, 58, 12, tzinfo=UTC)

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;{{7*7}} \u202egnihtyna\u202c " + "long" * 60

MANY = 500


class Dated(World):
    """A world in which rekey's own time is the simulator's, so that phases take as long as they would."""

    def call(self, name: str, /, **event: Any) -> Any:
        self.clock.advance(CALL_SECONDS)
        return super().call(name, **event)


def dated(world: World, monkeypatch: pytest.MonkeyPatch) -> Dated:
    start = world.clock.now()
    monkeypatch.setattr(clock, "now", lambda: BEGAN + timedelta(seconds=world.clock.now() - start))
    return Dated(world.url, world.clock, world.ledger, world.settings)


def succeeded(world: World) -> Evidence:
    """First keys for both use cases, with the settle wait."""
    seed = {"workspace_name": "payments-prod", "clusters": 6, "pools": 2, "warehouses": 4, "jobs": 3}
    world.rotate(
        workspace_id=world.workspace(**seed)["workspace_id"],
        operation="add",
        request_id="CHG0031337",
        reason="First customer-managed keys for payments, as agreed with the information security office",
        requested_by="alex@example.com",
        ticket={"provider": "jira", "key": "SEC-12"},
    )
    return evidence_of(world)


def attention(world: World) -> Evidence:
    """Three clusters that fail at each start."""
    clusters = [*({**FAILS, "name": f"etl-{number}"} for number in range(3)), {}]
    seed = {"workspace_name": "analytics", "clusters": clusters, "pools": 1, "warehouses": 1}
    world.rotate(
        workspace_id=world.workspace(**seed)["workspace_id"],
        operation="add",
        use_cases=["MANAGED_SERVICES"],
        reason="First customer-managed key",
        requested_by="kim@example.com",
    )
    return evidence_of(world)


def failed(world: World) -> Evidence:
    """Somebody breaks the new key's policy: Verify sees it, and the workspace goes back to its old key."""
    seed = {"workspace_name": "risk-models", "keys": {"managed_services": world.make_key()}}
    world.post("switches", unusable_key="apply")
    world.prepare(
        workspace_id=world.workspace(**seed)["workspace_id"], requested_by="sam@example.com", reason="Yearly rotation"
    )
    kms, key_arn = boto3.client("kms"), world.rotation().key_arn
    assert key_arn is not None
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=policy.replace("414351767826", "111111111111"))
    world.switch()
    with pytest.raises(errors.PolicyMismatch) as broken:
        world.call("verify", rotation_id=world.rotation_id)
    world.fail("Verify", "PolicyMismatch", str(broken.value))
    return evidence_of(world)


def hostile(world: World) -> Evidence:
    """Text that wants to be markup wherever a person may write some, and hundreds of clusters."""
    seed = {"workspace_name": HOSTILE[:90], "clusters": 1, "pools": 0, "warehouses": 1}
    world.rotate(
        workspace_id=world.workspace(**seed)["workspace_id"],
        operation="add",
        use_cases=["MANAGED_SERVICES"],
        reason=HOSTILE,
        requested_by=HOSTILE[:200],
        ticket={"provider": "<b>jira</b>", "key": "</style><script>alert(3)</script>"},
    )
    evidence = evidence_of(world)
    # Compute is not in the audit trail: more of it, with other names, leaves the chain whole, once it is sealed anew.
    row = evidence["compute"]["compared"][0]
    many = [{**copy.deepcopy(row), "id": f"{row['id']}-{number}", "name": f"etl-{number}"} for number in range(MANY)]
    evidence["compute"]["compared"] = [{**row, "name": HOSTILE, "note": HOSTILE}, *many]
    evidence["findings"] = [HOSTILE]
    paths = [{"path": f"/Users/{HOSTILE}", "outcome": "failed: </td></table><script>alert(4)</script>"}]
    evidence["notebooks"] = {"paths": ["/Users"], "listed": True, "counts": {"renewed": 0, "failed": 1}, "table": paths}
    return sealed_anew(evidence)


def evidence_of(world: World) -> Evidence:
    found: Evidence = world.evidence()
    return found


def as_text(evidence: Evidence) -> str:
    return json.dumps(evidence, indent=2) + "\n"


SAMPLES: dict[str, Callable[[World], Evidence]] = {
    "succeeded": succeeded,
    "attention": attention,
    "failed": failed,
    "hostile": hostile,
}
