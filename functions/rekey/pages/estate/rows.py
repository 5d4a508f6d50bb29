"""Each workspace's row, and what filters and sorts the rows where scripts run."""

from collections.abc import Sequence
from urllib.parse import quote

from rekey.base.words import counted
from rekey.model.inventory import MEANINGS, Inventory, KeyUse, WorkspaceKeys
from rekey.model.use_cases import USE_CASES
from rekey.pages.evidence.html import Child, Markup, tag
from rekey.pages.evidence.wording import NOTHING, code, name

COLUMNS = ("Workspace", "Complies", "Managed services", "Storage", "Due", "Last evidence")

_ORDERS = (("name", "name"), ("worst", "not complying first"), ("age", "oldest first"), ("due", "next due first"))


def controls(inventory: Inventory) -> Markup:
    """Hidden until the script is there that they need."""
    found = [(reason.value, MEANINGS[reason]) for reason in MEANINGS if inventory.counts.reasons.get(reason)]
    which = [("", "all"), ("no", "not complying"), ("yes", "complying"), *found]
    return tag(
        "div",
        _labelled("find", "Find", tag("input", id="find", type="search", autocomplete="off", spellcheck="false")),
        _labelled("which", "Show", _select("which", which)),
        _labelled("order", "Sort by", _select("order", _ORDERS)),
        tag("p", counted(len(inventory.workspaces), "workspace"), id="shown", role="status"),
        id="controls",
        class_="controls",
        role="search",
        aria_label="Workspaces",
        hidden="",
    )


def rows(inventory: Inventory, rotations: str | None) -> Markup:
    """The table; its cells carry their column's name, so that a narrow screen can stack them."""
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in COLUMNS]))
    body = tag("tbody", [_row(each, rotations, inventory.taken_at[:10]) for each in inventory.workspaces], id="rows")
    return tag("table", tag("caption", "Every workspace of the account"), head, body, class_="estate")


def _row(workspace: WorkspaceKeys, rotations: str | None, today: str) -> Markup:
    by_use = {each.use_case: each for each in workspace.keys}
    cells = (
        _complies(workspace),
        *(_use(by_use.get(each)) for each in USE_CASES),
        _due(workspace, today),
        _evidence(workspace.rotation_id, rotations),
    )
    shown = [tag("td", cell, data_column=column) for column, cell in zip(COLUMNS[1:], cells, strict=True)]
    reasons = " ".join(sorted({why.reason.value for each in workspace.keys for why in each.whys}))
    return tag(
        "tr",
        tag("th", _who(workspace), scope="row", data_column=COLUMNS[0]),
        shown,
        data_which=f"{'yes' if workspace.compliant else 'no'} {reasons}".strip(),
        data_age=max((each.age_days for each in workspace.keys if each.age_days is not None), default=-1),
        data_due=min((each.due_at[:10] for each in workspace.keys if each.due_at), default="9999"),
    )


def _who(workspace: WorkspaceKeys) -> list[Child]:
    number = code(str(workspace.workspace_id)) if workspace.workspace_id else "no id"
    status = f" · {workspace.status}" if workspace.status != "RUNNING" else ""
    return [tag("strong", name(workspace.name)), tag("span", number, f" · {workspace.region}{status}", class_="beside")]


def _complies(workspace: WorkspaceKeys) -> list[Child]:
    if workspace.compliant:
        return [tag("span", "yes", class_="yes")]
    found = dict.fromkeys(MEANINGS[why.reason] for each in workspace.keys for why in each.whys)
    texts = [tag("li", f"{each.use_case}: ", tag("bdi", why.text)) for each in workspace.keys for why in each.whys]
    return [
        tag("span", "no: ", ", ".join(found), class_="no"),
        tag("details", tag("summary", "What to do"), tag("ul", texts)),
    ]


def _use(use: KeyUse | None) -> list[Child]:
    if use is None:
        return [tag("span", "none needed", class_="beside")]
    if use.key_arn is None:
        return ["cannot be read" if use.configuration_id else "no key"]
    age = "age unknown" if use.age_days is None else counted(use.age_days, "day")
    state = f", {use.kms_state}" if use.kms_state not in (None, "Enabled") else ""
    lines: list[Child] = [f"{age}{state}", _beside(code(use.key_arn.rpartition("/")[2]))]
    lines.append(_beside(f"{use.region} · {use.account}{_origin(use.origin)}"))
    if use.shared_with:
        lines.append(_beside(f"shared with {_named(use.shared_with)}"))
    return lines


def _origin(origin: str | None) -> str:
    return {None: "", "AWS_KMS": "", "EXTERNAL": " · imported material"}.get(origin, f" · {origin}")


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 2 else f"{names[0]} and {len(names) - 1:,} more"


def _beside(what: Child) -> Markup:
    return tag("span", what, class_="beside")


def _due(workspace: WorkspaceKeys, today: str) -> Child:
    found = [each for each in workspace.keys if each.due_at]
    if not found:
        return NOTHING
    first = min(found, key=lambda each: each.due_at or "")
    day = (first.due_at or "")[:10]
    if day < today:
        return [tag("time", day, datetime=day), tag("span", "past", class_="beside no")]
    return [tag("time", day, datetime=day), _beside("KMS renews it") if first.renews_in_time else None]


def _evidence(rotation_id: str | None, rotations: str | None) -> Child:
    if rotation_id is None:
        return NOTHING
    shown = code(rotation_id)
    return tag("a", shown, href=f"{rotations}{quote(rotation_id, safe='')}/evidence.html") if rotations else shown


def _labelled(of: str, text: str, control: Markup) -> Markup:
    return tag("label", tag("span", text), control, for_=of)


def _select(name_: str, options: Sequence[tuple[str, str]]) -> Markup:
    return tag("select", [tag("option", text, value=value) for value, text in options], id=name_)
