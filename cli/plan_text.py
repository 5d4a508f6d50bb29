"""A plan for a person: what forbids it first, then one headline, then what is behind it. Plain functions."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from cli.wording import counted, roughly, short_key

Preflight = dict[str, Any]

BLOCKED, CAREFUL, TITLE, SOFT = "bold red", "yellow", "bold", "dim"


def as_lines(preflight: Preflight, next_command: str = "") -> list[Text]:
    """The plan for a terminal. `next_command` starts it: told last, and only where that is possible."""
    possible = preflight["possible"]
    lines = [Text(_what(preflight), style=TITLE), Text(_where(preflight["workspace"]), style=SOFT)]
    if not possible:
        found = preflight["findings"]
        lines.append(Text(f"Not possible now: {counted(len(found), 'reason')}", style=BLOCKED))
        lines += [Text(f"  ✗ {each}", style="red") for each in found]
    else:
        lines.append(Text(_headline(preflight), style=TITLE))
        lines += [Text(f"  ! {each}", style=CAREFUL) for each in preflight["findings"]]
    for title, rows in _sections(preflight):
        lines += [Text(""), Text(title, style=TITLE), *(Text(f"  {row}") for row in rows)]
    if possible and next_command:
        lines += [Text(""), Text(f"Next: {next_command}")]
    return lines


def as_text(preflight: Preflight, next_command: str = "") -> str:
    return "\n".join(each.plain for each in as_lines(preflight, next_command))


def _what(preflight: Preflight) -> str:
    operation = (preflight.get("operation") or "rotation").replace("_", " ")
    uses = " + ".join(preflight.get("use_cases") or ())
    return f"{preflight['workspace']['name']}: {operation}{f' {uses}' if uses else ''}"


def _where(workspace: dict[str, Any]) -> str:
    if workspace["network"] is None:
        return f"workspace {workspace['workspace_id'] or 'yet to be made'}, which could not be looked at"
    return (
        f"workspace {workspace['workspace_id'] or 'yet to be made'}, {workspace['region']}, "
        f"{workspace['tier'] or 'tier of the account'}, {workspace['status']}, {workspace['network']}-managed network"
    )


def _headline(preflight: Preflight) -> str:
    """About 26 min, downtime about 24 min. Stops 6 clusters and 2 pools. Makes 1 key (1 USD a month)."""
    if preflight["operation"] in ("revoke", "restore"):
        return _access(preflight["operation"])
    down, cost = preflight["expected_downtime_seconds"], preflight["cost"]
    counts = preflight.get("stops") or {}
    stops = [counted(number, kind.removesuffix("s")) for kind, number in counts.items() if number]
    made = cost["new_keys"]
    return " ".join(
        [
            f"About {roughly(preflight['expected_seconds'])},",
            f"downtime about {roughly(down)}." if down else "no downtime.",
            f"Stops {_and(stops)}." if stops else "Stops nothing.",
            f"Makes {counted(made, 'key')} ({cost['usd_a_month']:g} USD a month)." if made else "Makes no key.",
        ]
    )


def _access(operation: str) -> str:
    what = "Takes Databricks' access to the keys away" if operation == "revoke" else "Gives Databricks its access back"
    return f"{what}, once a second person approves. Stops nothing, makes no key."


def _sections(preflight: Preflight) -> Iterator[tuple[str, Sequence[str]]]:
    sections = (
        ("Keys now", _keys(preflight["present_keys"])),
        ("Would not work any more", preflight.get("stops_working") or ()),
        ("Would stop, and bring back", preflight["would_stop"]),
        ("Job runs that would be cut short", preflight["would_cut_short"]),
        ("Steps that take time", _phases(preflight["phases"])),
        ("Why", preflight["why"]),
    )
    yield from ((title, rows) for title, rows in sections if rows)


def _keys(present: Sequence[dict[str, Any]]) -> list[str]:
    longest = max((len(each["use_case"]) for each in present), default=0)
    return [f"{each['use_case']:<{longest}}  {_key(each)}" for each in present]


def _key(key: dict[str, Any]) -> str:
    if not key["key_arn"]:
        return "no customer-managed key"
    alias = (key["key_alias"] or "").removeprefix("alias/")
    named = f"{alias} ({short_key(key['key_arn'])})" if alias else short_key(key["key_arn"])
    shared = key.get("shared_by") or key["shared_with"]
    return f"{named}, shared with {_and(shared)}" if shared else named


def _phases(phases: Sequence[dict[str, Any]]) -> list[str]:
    longest = max((len(each["name"]) for each in phases), default=0)
    return [
        f"{each['name']:<{longest}}  about {roughly(each['expected_seconds'])}, "
        f"at most {roughly(each['budget_seconds'])}; {each['why']}"
        for each in phases
    ]


def _and(items: Sequence[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
