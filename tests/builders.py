"""Workspaces, cases, plans and rotations for tests: plain ones, to be varied."""

from typing import Any

from rekey.base import clock
from rekey.databricks import Estate, KeyConfiguration, Workspace
from rekey.model.key import meet
from rekey.model.plan import OldKey, Plan
from rekey.model.request import UseCase, parse_request
from rekey.model.rotation import Rotation
from rekey.planning.case import Case, Facts, Inside, Wished
from rekey.planning.intent import decide

OLD_ARN = "arn:aws:kms:us-east-1:123456789012:key/old"
NOW = clock.now()

LEFT = meet(OLD_ARN, "grace", "waits", NOW, goes_at=clock.text(NOW), workspaces=(1, 2), unreferenced_since=None)
"""A key that a rotation left, and that waits to go."""

BARE = Workspace(
    workspace_id=1,
    name="prod",
    deployment_name="dbc-1",
    region="us-east-1",
    status="RUNNING",
    status_message="",
    pricing_tier="ENTERPRISE",
    credentials_id="cred",
    network_id="net",
    managed_services_key_id=None,
    storage_key_id=None,
)
"""A workspace without keys."""


def a_configuration(configuration_id: str = "old", *use_cases: UseCase, key_arn: str = OLD_ARN) -> KeyConfiguration:
    return KeyConfiguration(configuration_id, use_cases or ("MANAGED_SERVICES",), key_arn, True)


def a_case(
    subject: Workspace,
    *configurations: KeyConfiguration,
    role: str | None = "role",
    wished: Wished | None = None,
    **fields: Any,
) -> Case:
    """A request for a workspace in which nothing runs, or for one that is wished for. `fields` are the request's."""
    request = parse_request(fields if wished else {"workspace_id": 1, **fields})
    facts = Facts(
        Estate([] if wished else [subject], configurations),
        "123456789012",
        "rekey",
        inside=None if wished else Inside(),
        cross_account_role=role,
        wished=wished,
    )
    return Case(request, subject, decide(request, subject), facts)


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
        start_at=clock.stamp(),
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
        created_at=clock.stamp(),
    )
