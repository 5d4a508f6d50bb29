"""The plan: what is decided for which workspace, and every reason to refuse."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rekey.base.errors import RequestRefused
from rekey.databricks import KeyConfiguration, Workspace
from rekey.model.plan import Plan
from rekey.planning.plan import conclude
from tests.builders import BARE, OLD_ARN, a_case, a_configuration

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
KEYED = replace(BARE, managed_services_key_id="old")


def plan(workspace: Workspace, *configurations: KeyConfiguration, role: str | None = "role", **fields: Any) -> Plan:
    case = a_case(workspace, *(configurations or (a_configuration(),)), role=role, **fields)
    return conclude(case, NOW).agreed()


@pytest.mark.rule("managed-add")
def test_a_workspace_without_keys_gets_both() -> None:
    made = plan(BARE)
    assert (made.operation, made.use_cases, made.settle) == ("add", ("MANAGED_SERVICES", "STORAGE"), True)
    assert made.old_key is None
    assert any("has no MANAGED_SERVICES key" in reason for reason in made.why)


@pytest.mark.rule("no-settle-wait")
def test_a_workspace_with_a_managed_services_key_is_rotated_without_a_settle_wait() -> None:
    made = plan(KEYED)
    assert (made.operation, made.use_cases, made.settle) == ("rotate", ("MANAGED_SERVICES",), False)
    assert made.old_key is not None
    assert (made.old_key.key_arn, made.old_key.fate) == (OLD_ARN, "disable")


@pytest.mark.rule("storage-add")
def test_storage_can_be_added_to_a_workspace_that_has_the_other_key() -> None:
    made = plan(KEYED, operation="add")
    assert (made.use_cases, made.old_key) == (("STORAGE",), None)


def test_use_cases_come_in_one_order_whatever_was_asked() -> None:
    assert plan(BARE, use_cases=["STORAGE", "MANAGED_SERVICES"]).use_cases == ("MANAGED_SERVICES", "STORAGE")


@pytest.mark.rule("storage-key-forever")
def test_an_old_key_that_served_storage_is_retained() -> None:
    shared = a_configuration("shared", "STORAGE")
    made = plan(KEYED, a_configuration(), shared)
    assert made.old_key is not None
    assert made.old_key.fate == "retain"
    assert "STORAGE" in made.old_key.why


def test_an_old_key_is_retained_when_asked() -> None:
    made = plan(KEYED, old_key="retain")
    assert made.old_key is not None
    assert made.old_key.fate == "retain"


def test_the_window_opens_when_asked_else_now() -> None:
    assert plan(KEYED).start_at == "2026-11-21T22:00:00.000Z"
    soon = datetime.now(UTC).replace(microsecond=0).isoformat()
    assert plan(KEYED, not_before=soon).start_at.startswith(soon[:19])


@pytest.mark.rule("customer-network")
def test_the_network_kind_is_told_apart() -> None:
    assert plan(KEYED).network == "customer"
    assert plan(replace(KEYED, network_id=None)).network == "databricks"


BOTH = replace(KEYED, storage_key_id="old")


@pytest.mark.rule("enterprise", "failed-workspace", "storage-never-replaced", "us-west-1")
@pytest.mark.parametrize(
    ("workspace", "fields", "said"),
    [
        (replace(BARE, region="us-west-1"), {}, "workspace_id: the workspace is in us-west-1"),
        (replace(BARE, pricing_tier="PREMIUM"), {}, "workspace_id: the workspace's tier is PREMIUM"),
        (replace(BARE, status="FAILED", status_message="no route"), {}, "FAILED (no route)"),
        (replace(BARE, status="PROVISIONING"), {}, "workspace_id: the workspace is PROVISIONING"),
        (BARE, {"operation": "rotate"}, 'no MANAGED_SERVICES key to rotate. Fix: ask for operation "add"'),
        (KEYED, {"operation": "add", "use_cases": ["MANAGED_SERVICES"]}, 'Fix: ask for operation "rotate"'),
        (BOTH, {"operation": "add"}, "every key that it can have"),
        (BOTH, {"operation": "add", "use_cases": ["STORAGE"]}, "never replaced"),
        (BOTH, {"use_cases": ["STORAGE"]}, "never replaced"),
    ],
)
def test_what_cannot_be_done_is_refused(workspace: Workspace, fields: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        plan(workspace, **fields)
    assert said in str(refusal.value)
    assert "Fix:" in str(refusal.value)


def test_every_finding_is_reported_at_once() -> None:
    with pytest.raises(RequestRefused) as refusal:
        plan(replace(BARE, region="us-west-1", pricing_tier="PREMIUM"))
    assert len(str(refusal.value).splitlines()) == 2


@pytest.mark.rule("policy-volumes")
def test_cluster_volumes_need_the_cross_account_role() -> None:
    with pytest.raises(RequestRefused, match="reuse_key_for_cluster_volumes"):
        plan(BARE, role=None)
    assert plan(BARE, role=None, reuse_key_for_cluster_volumes=False).settle


def test_a_configuration_the_account_does_not_list_is_refused() -> None:
    with pytest.raises(RequestRefused, match="does not list"):
        plan(KEYED, a_configuration("other"))
