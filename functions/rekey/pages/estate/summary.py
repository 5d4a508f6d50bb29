"""The first screen: how many of how many comply, and what keeps the others from it."""

from collections.abc import Iterator, Sequence

from rekey.base import clock
from rekey.base.words import counted
from rekey.model.inventory import MEANINGS, Counts, Inventory, KeyUse, Reason
from rekey.pages.estate.due import DAYS, due_uses
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, facts, moment, name, table

WORST = (Reason.DELETION, Reason.DISABLED)
"""With these somebody's data cannot be read now, or soon never again."""


def summary(inventory: Inventory) -> Markup:
    """Title, status, and facts."""
    counts = inventory.counts
    word, look = _status(inventory)
    return tag(
        "header",
        tag("p", "Databricks workspaces and their keys · rekey", class_="kind"),
        tag("h1", headline(counts)),
        tag(
            "section",
            tag("p", tag("strong", word), class_="word"),
            tag("div", [tag("p", each) for each in _about(inventory)], _bar(inventory)),
            class_=f"status {look}",
            aria_label="Status",
        ),
        facts(list(_facts(inventory)), class_="facts"),
    )


def headline(counts: Counts) -> str:
    """410 of 500 workspaces comply."""
    found = counted(counts.workspaces, "workspace")
    return f"{counts.compliant:,} of {found} {'complies' if counts.workspaces == 1 else 'comply'}"


def reasons(inventory: Inventory) -> list[Child]:
    """How many workspaces have each reason; nothing where all comply."""
    found = inventory.counts.reasons
    lines = [
        [MEANINGS[reason], f"{found[reason]:,}", _first(inventory, reason)] for reason in MEANINGS if found.get(reason)
    ]
    if not lines:
        return []
    return [
        table("", ["Reason", "Workspaces", "Which"], lines, class_="reasons"),
        tag("p", "A workspace may have several. What to do stands in its row.", class_="note"),
    ]


def uses(inventory: Inventory) -> Iterator[KeyUse]:
    for workspace in inventory.workspaces:
        yield from workspace.keys


def _status(inventory: Inventory) -> tuple[str, str]:
    counts = inventory.counts
    if any(counts.reasons.get(each) for each in WORST):
        return "Data at risk", "bad"
    if counts.compliant == counts.workspaces:
        return "All comply", "good"
    return "Not all comply", "amber"


def _about(inventory: Inventory) -> Iterator[Child]:
    counts = inventory.counts
    if risk := sum(counts.reasons.get(each, 0) for each in WORST):
        yield tag("strong", f"{counted(risk, 'workspace')} on a key that is disabled or will be deleted.")
    left = counts.workspaces - counts.compliant
    if left:
        yield f"{counted(left, 'workspace')} {'does' if left == 1 else 'do'} not comply; the reasons are below."
    elif counts.workspaces:
        yield "Every workspace has the keys that the policy asks for, and none is too old."
    asked = [f"{use_case} at most {counted(days, 'day')}" for use_case, days in inventory.max_age_days.items()]
    yield f"The policy: {', '.join(asked)} after the material was made or renewed."


def _bar(inventory: Inventory) -> Markup | None:
    """The share that complies; the sentence above has the same numbers."""
    counts = inventory.counts
    if not counts.workspaces:
        return None
    share = 100 * counts.compliant / counts.workspaces
    return tag(
        "svg",
        tag("rect", width="100%", height=10, class_="rest"),
        tag("rect", width=f"{share:.2f}%", height=10, class_="share"),
        width="100%",
        height=10,
        aria_hidden="true",
        class_="comply",
    )


def _facts(inventory: Inventory) -> Iterator[tuple[str, Child]]:
    counts = inventory.counts
    oldest = max((each.age_days for each in uses(inventory) if each.age_days is not None), default=None)
    yield "Keys in use", f"{counts.keys:,}"
    yield "Keys past the policy", f"{counts.keys_past_policy:,}"
    yield "Oldest material", NOTHING if oldest is None else counted(oldest, "day")
    yield f"Due in {DAYS} days", _due_text(due_uses(inventory))
    yield "Without a key", counted(counts.reasons.get(Reason.NO_KEY, 0), "workspace")
    yield "Cannot be read", counted(counts.reasons.get(Reason.UNREADABLE, 0), "workspace")
    yield "Taken", moment(clock.text(clock.moment(inventory.taken_at)))


def _due_text(found: Sequence[tuple[str, str, KeyUse]]) -> str:
    by_itself = {each.key_arn for _, _, each in found if each.renews_in_time}
    keys = {each.key_arn for _, _, each in found}
    return (
        f"{counted(len(keys), 'key')}, {len(by_itself):,} of them renewed by KMS itself"
        if by_itself
        else counted(len(keys), "key")
    )


def _first(inventory: Inventory, reason: Reason) -> list[Child]:
    named = [
        workspace.name
        for workspace in inventory.workspaces
        if any(why.reason == reason for each in workspace.keys for why in each.whys)
    ]
    shown: list[Child] = [[", " if n else "", name(each)] for n, each in enumerate(named[:6])]
    return [*shown, f" and {len(named) - 6:,} more" if len(named) > 6 else None]
