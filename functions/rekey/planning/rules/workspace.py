"""Rules on the workspace: whether it can have keys at all, and can be worked on now."""

from collections.abc import Iterator

from rekey.model.refusal import Refusal
from rekey.model.request_fields import WORKSPACE_FIELDS
from rekey.planning.case import Case

NO_CMK_REGIONS = frozenset({"us-west-1"})
"""Databricks, "Create a workspace using the Account API": no customer-managed keys there."""


def us_west_1(case: Case) -> Iterator[Refusal]:
    region = case.workspace.region
    if region not in NO_CMK_REGIONS:
        return
    if case.intent.creates:
        problem = f"Databricks has no customer-managed keys in {region}"
        yield Refusal("workspace.aws_region", problem, "give another one")
    else:
        problem = f"the workspace is in {region}, where Databricks has no customer-managed keys"
        yield Refusal("workspace_id", problem, "none in this region; move to a workspace in another one")


def enterprise(case: Case) -> Iterator[Refusal]:
    tier = case.workspace.pricing_tier
    if tier in (None, "ENTERPRISE"):
        return
    if case.intent.creates:
        problem = f"customer-managed keys need ENTERPRISE, not {tier}"
        yield Refusal("workspace.pricing_tier", problem, WORKSPACE_FIELDS["pricing_tier"].fix)
    else:
        problem = f"the workspace's tier is {tier}; customer-managed keys need ENTERPRISE"
        yield Refusal("workspace_id", problem, "have the account upgraded")


def workspace_running(case: Case) -> Iterator[Refusal]:
    workspace = case.workspace
    # Access is KMS': whether it can be proven, the workspace will tell.
    if workspace.status != "RUNNING" and not (case.intent.creates or case.intent.changes_access):
        yield Refusal(
            "workspace_id",
            f"the workspace is {workspace.status} ({workspace.status_message or 'no reason given'}); "
            "keys can be changed only while it is RUNNING",
            "wait, or have the workspace repaired, and ask again",
        )


def workspace_admin(case: Case) -> Iterator[Refusal]:
    """Renewing material stops no compute, so nobody has to see it."""
    inside = case.facts.inside
    if inside and not inside.admin and not case.intent.renews:
        yield Refusal(
            "workspace_id",
            "the service principal is no admin of this workspace, so it cannot see all of its compute",
            "make it a workspace admin",
        )
