"""Rotations for tests: a plain one, to be varied."""

from typing import Any

from rekey.base import clock
from rekey.model.plan import OldKey, Plan
from rekey.model.request import parse_request
from rekey.model.rotation import Rotation

OLD_ARN = "arn:aws:kms:us-east-1:123456789012:key/old"


def a_plan(**changes: Any) -> Plan:
    plan = Plan(
        operation="rotate",
        use_cases=("MANAGED_SERVICES",),
        why=(),
        workspace_id=1,
        workspace_name="prod",
        deployment_name="dbc-1",
        region="us-east-1",
        network="customer",
        before={"MANAGED_SERVICES": "old", "STORAGE": None},
        old_key=OldKey(configuration_id="old", key_arn=OLD_ARN, fate="disable", why=""),
        settle=False,
        start_at=clock.text(clock.now()),
        reuse_key_for_cluster_volumes=True,
        cross_account_role=None,
        would_stop={},
    )
    return plan.model_copy(update=changes)


def a_rotation(rotation_id: str = "r1", *, plan: Plan | None = None, request: dict[str, Any] | None = None) -> Rotation:
    return Rotation(
        rotation_id=rotation_id,
        execution_arn=f"arn:aws:states:us-east-1:123456789012:execution:rekey-rotate-key:{rotation_id}",
        fence=1,
        status="planned",
        request=parse_request({"workspace_id": 1, **(request or {})}),
        plan=plan or a_plan(),
        created_at=clock.text(clock.now()),
    )
