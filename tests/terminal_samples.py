"""What commands show on a terminal, from fixed data: plan, status, keys and the live view."""

import dataclasses
import io
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from cli import doctor, keys, status, workspaces
from cli.picture import recorded
from cli.plan_text import as_lines
from cli.table import Output, show, tell
from rekey.model.checks import Check
from rekey.model.inventory import Inventory, Reason
from tests import estates

RECORDED = Path(__file__).resolve().parents[1] / "docs" / "images" / "rotate.json"
NOW = datetime(2026, 11, 21, 20, 30, tzinfo=UTC)
ARN = "arn:aws:kms:eu-central-1:123456789012:key/"
IDS = ("0a1b2c3d-0000-4000-8000-000000000001", "9f8e7d6c-0000-4000-8000-000000000002")

NEXT = "rekey rotate 1234567890123456"

PLAN: dict[str, Any] = {
    "possible": True,
    "operation": "rotate",
    "use_cases": ["MANAGED_SERVICES"],
    "findings": [],
    "workspace": {
        "account_id": "a",
        "workspace_id": 1234567890123456,
        "name": "payments-prod",
        "region": "eu-central-1",
        "tier": "ENTERPRISE",
        "status": "RUNNING",
        "network": "customer",
    },
    "present_keys": [
        {"use_case": "MANAGED_SERVICES", "key_arn": ARN + IDS[1], "key_alias": "alias/rekey-payments",
         "shared_with": ["7"], "shared_by": ["risk-models"]},
        {"use_case": "STORAGE", "key_arn": None, "key_alias": None, "shared_with": [], "shared_by": []},
    ],
    "stops": {"clusters": 2, "pools": 1, "warehouses": 0},
    "would_stop": ["cluster nightly-etl RUNNING", "cluster ad-hoc RUNNING", "pool small ACTIVE"],
    "would_cut_short": ["run 7 of job 3 (hourly)"],
    "why": ["operation: rotate, because the workspace has a MANAGED_SERVICES key"],
    "phases": [
        {"name": "Terminate compute", "expected_seconds": 150, "budget_seconds": 1800, "downtime": True,
         "why": "3 compute resources stop, and their EC2 instances end a little later"},
        {"name": "Switch workspace key", "expected_seconds": 180, "budget_seconds": 5400, "downtime": True,
         "why": "customer-managed network: the key field shows after a few minutes"},
    ],
    "expected_seconds": 330,
    "expected_downtime_seconds": 330,
    "cost": {"new_keys": 1, "usd_a_month": 1.0},
}  # fmt: skip

BLOCKED: dict[str, Any] = {
    **PLAN,
    "possible": False,
    "findings": [
        "use_cases: a STORAGE key can be added to a workspace, never replaced. Fix: ask for MANAGED_SERVICES alone.",
        "workspace_id: the tier PREMIUM has no customer-managed keys. Fix: upgrade the workspace to ENTERPRISE.",
    ],
    "stops": {},
    "why": [],
    "phases": [],
    "expected_seconds": None,
    "expected_downtime_seconds": None,
    "cost": {"new_keys": 0, "usd_a_month": 0.0},
}

NOW_IN = "Switch workspace key"
_STATUS = (
    ("rotate-1234567890123456-0a1b2c3d", 1234567890123456, "payments-prod", "rotate", NOW_IN, "20:24", None),
    ("add-7-5e6f7a8b", 7, "a-workspace-with-a-rather-long-name-of-its-own", "add", "needs attention", "18:00", 1790.0),
    ("CHG0031337", 8, None, None, "refused", "09:00", 2.0),
)  # fmt: skip

ROWS = [
    {"rotation_id": rotation, "workspace_id": number, "workspace_name": name, "operation": operation, "status": state,
     "since": f"2026-11-21T{since}:00Z", "ended": None, "seconds": seconds, "requested_by": "ada@example.com"}
    for rotation, number, name, operation, state, since, seconds in _STATUS
]  # fmt: skip

_KEYS: tuple[tuple[Any, ...], ...] = (
    (IDS[0], "current", "a workspace's key", 12, [1234567890123456], ["payments-prod"], None, 1, False),
    (IDS[1], "grace", "the switch left it behind", 377, [], [], "2026-11-22T20:09:00.000Z", 2, False),
    (IDS[0][::-1], "disabled", "its watch is over, and nothing refers to it", 800, [], [], None, 3, True),
)

KEYS: dict[str, Any] = {
    "keys": [
        {"key_arn": ARN + key_id, "state": state, "why": why, "age_days": age, "referenced_by": users, "used_by": names,
         "last_use": "Decrypt 2026-11-21T19:00:00.000Z", "goes_at": goes, "usd_month": usd, "may_be_deleted": spare,
         "rotates_every_days": None if age == 800 else 365 * (age < 100),
         "kind": "external store (XKS)" if age == 800 else "KMS"}
        for key_id, state, why, age, users, names, goes, usd, spare in _KEYS
    ],
    "usd_month": 6,
    "keys_may_be_deleted": [ARN + IDS[0][::-1]],
}  # fmt: skip


def _inventory() -> Inventory:
    first, second, third = "0a1b2c3d-0000-4000-8000-000000000001", IDS[1], IDS[0][::-1]
    managed = estates.use("MANAGED_SERVICES", 12, first, renews=353)
    rows = [
        estates.workspace("payments-prod", 1234567890123456, managed, estates.use("STORAGE", 377, second)),
        estates.workspace("bare", 7, estates.without("MANAGED_SERVICES"), estates.without("STORAGE")),
        estates.workspace(
            "a-workspace-with-a-rather-long-name-of-its-own",
            8,
            estates.use("MANAGED_SERVICES", 200, third, Reason.DISABLED, Reason.ROTATION_OFF),
            estates.use("STORAGE", None, third, Reason.UNREADABLE),
        ),
        estates.workspace("young", 9, managed.model_copy(update={"shared_with": ("payments-prod",)})),
    ]
    return estates.inventory(rows)


def _workspaces(to: Console, output: Output) -> None:
    found = _inventory()
    workspaces.show_workspaces(found, found.workspaces, output, to, estates.TAKEN)


EXAMINED = [
    Check(name="credentials", ok=True, said="arn:aws:sts::123456789012:assumed-role/Operator/ada, eu-central-1"),
    Check(name="stack", ok=True, said="rekey, version 0.1.0, UPDATE_COMPLETE"),
    Check(name="Workspace payments-prod, API (dbc-1.cloud.databricks.com)", ok=False,
          said="GET /api/2.0/preview/scim/v2/Me: an IP access list of the workspace keeps rekey's network out. "
          "Fix: put 198.51.100.7 on the IP access list of the Databricks workspace"),
    Check(name="alarms' topic", ok=False, said="nobody hears of an alarm",
          fix="set rekey:alarm_email, or subscribe your pager: aws sns subscribe --topic-arn rekey-alarms"),
    Check(name="trail", ok=None, said="cannot be told: AWS refused: not authorized: cloudtrail:DescribeTrails"),
]  # fmt: skip


def _live(to: Console) -> None:
    to.print(dataclasses.replace(recorded(RECORDED), zone=UTC), soft_wrap=False)


SCREENS: Mapping[str, Callable[[Console], None]] = {
    "plan": lambda to: tell(as_lines(PLAN, NEXT), to),
    "plan-blocked": lambda to: tell(as_lines(BLOCKED, NEXT), to),
    "status": lambda to: show(ROWS, status.columns(NOW), Output.TEXT, to),
    "status-wide": lambda to: show(ROWS, status.columns(NOW), Output.WIDE, to),
    "keys": lambda to: keys.show_keys(KEYS, Output.TEXT, to, NOW),
    "keys-wide": lambda to: keys.show_keys(KEYS, Output.WIDE, to, NOW),
    "workspaces": lambda to: _workspaces(to, Output.TEXT),
    "workspaces-wide": lambda to: _workspaces(to, Output.WIDE),
    "doctor": lambda to: tell(doctor.as_lines(EXAMINED), to),
    "live": _live,
}


def drawn(screen: str, *, width: int | None, **environment: str) -> str:
    """A screen on a terminal of that width, or piped (None)."""
    written = io.StringIO()
    to = Console(file=written, width=width or 200, force_terminal=width is not None, highlight=False, soft_wrap=True,
                 emoji=False, markup=False, _environ={"TERM": "xterm-256color", **environment})  # fmt: skip
    SCREENS[screen](to)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"
