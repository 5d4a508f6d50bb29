"""Rules on a wish for a workspace: what it names is there, and is not taken."""

from collections.abc import Iterator

from rekey.model.refusal import Refusal
from rekey.model.request_fields import WORKSPACE_FIELDS
from rekey.planning.case import Case


def wished_ids(case: Case) -> Iterator[Refusal]:
    for field in case.facts.wished.absent if case.facts.wished else ():
        problem = "the Databricks account has no such configuration"
        yield Refusal(f"workspace.{field}", problem, WORKSPACE_FIELDS[field].fix)


def network_once(case: Case) -> Iterator[Refusal]:
    user = case.facts.wished.network_user if case.facts.wished else None
    if user is not None:
        problem = f"the network is used by workspace {user}, and serves only one"
        yield Refusal("workspace.network_id", problem, "register another network configuration")


def workspace_name(case: Case) -> Iterator[Refusal]:
    for each in case.facts.estate.workspaces if case.intent.creates else ():
        if each.name == case.workspace.name:
            yield Refusal(
                "workspace.workspace_name",
                f"the account has a workspace of that name, {each.workspace_id} ({each.status})",
                "give another name; one that ended FAILED is yours to repair or to delete",
            )
