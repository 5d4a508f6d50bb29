"""Every reason why a well-formed wish for a workspace must not be carried out, each naming field and mend."""

from collections.abc import Sequence

from rekey.model.request import Request, UseCase
from rekey.model.wish import MENDS
from rekey.planning.facts import Facts, reuse_for_volumes
from rekey.planning.refusals import NO_CMK_REGIONS, forbids_given


def forbids_new(request: Request, facts: Facts, use_cases: Sequence[UseCase]) -> list[str]:
    """Plain: nothing here touches the world."""
    wished = facts.workspace
    found = []
    if wished.region in NO_CMK_REGIONS:
        found.append(
            f"workspace.aws_region: Databricks has no customer-managed keys in {wished.region}. Mend: give another one."
        )
    if wished.pricing_tier not in (None, "ENTERPRISE"):
        found.append(
            f"workspace.pricing_tier: customer-managed keys need ENTERPRISE, not {wished.pricing_tier}. "
            f"Mend: {MENDS['pricing_tier']}."
        )
    found += [
        f"workspace.{field}: the Databricks account has no such configuration. Mend: {MENDS[field]}."
        for field in facts.absent
    ]
    if facts.network_user is not None:
        found.append(
            f"workspace.network_id: the network is used by workspace {facts.network_user}, and serves only one. "
            "Mend: register another network configuration."
        )
    for each in facts.workspaces:
        if each.name == wished.name:
            found.append(
                f"workspace.workspace_name: the account has a workspace of that name, {each.workspace_id} "
                f"({each.status}). Mend: give another name; one that ended FAILED is yours to repair or to delete."
            )
    volumes = "STORAGE" in use_cases and reuse_for_volumes(request, facts.configurations)
    if volumes and facts.cross_account_role is None and "credentials_id" not in facts.absent:
        found.append(
            "reuse_key_for_cluster_volumes: the credentials name no cross-account role, and cluster volumes cannot use "
            "the key without it. Mend: set it to false, or give other credentials."
        )
    return found + forbids_given(request, facts, "create_workspace", use_cases)
