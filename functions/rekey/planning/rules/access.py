"""Rules on Databricks' access to keys: what may be taken away or given back, and what waits for it."""

from collections.abc import Iterator

from rekey.aws.tags import BROUGHT
from rekey.model.key import Key
from rekey.model.refusal import Refusal
from rekey.planning import access
from rekey.planning.case import Case, KeyCase
from rekey.planning.rules.policy import trusted


def access_fits(case: Case) -> Iterator[Refusal]:
    """Revoke what is not revoked, restore what is; anything else waits until it is restored."""
    number, revoked = case.workspace.workspace_id, [key for key in case.facts.known if key.revoked]
    if case.intent.operation == "restore":
        if not any(access.revoked_for(key, number) for key in revoked):
            problem = "nobody has revoked the access to a key of this workspace"
            yield Refusal("operation", problem, "`rekey workspaces` shows what is revoked")
        return
    used = {each.arn for each in case.facts.given.keys} if case.intent.changes_access else None
    for key in revoked:
        if used is None or key.key_arn in used:
            yield Refusal("workspace_id", _told(key), f"restore it first: `rekey restore {number}`")
            return


def sharers_named(case: Case) -> Iterator[Refusal]:
    """Whoever shares a key loses its access too: nobody does that to a workspace without naming it."""
    if not case.intent.changes_access:
        return
    named, sharing = set(case.request.shared_with or ()), access.sharers(case)
    if missing := [each for each in sharing if each.workspace_id not in named]:
        listed = ", ".join(f"{each.name} ({each.workspace_id})" for each in missing)
        options = " ".join(f"--shared-with {each.workspace_id}" for each in sharing)
        yield Refusal(
            "shared_with",
            f"the key is shared with {listed}, whose access goes and comes with this workspace's",
            f"name all of them ({options}), or give this workspace a key of its own first (`rekey rotate`)",
        )


def access_consent(case: KeyCase) -> Iterator[Refusal]:
    if not trusted(case):
        problem = f"the key {case.key.arn} carries no tag of rekey, so its policy is not rekey's to write"
        fix = f"tag it {BROUGHT}=true, or have its owner take Databricks' statements out (docs/emergency.md)"
        yield Refusal(case.field, problem, fix)


def _told(key: Key) -> str:
    said = f" on {key.revoked.at} by {key.revoked.by} ({key.revoked.rotation_id})" if key.revoked else ""
    return f"Databricks' access to its key {key.key_arn} was revoked{said}"
