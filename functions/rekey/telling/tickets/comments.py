"""What a ticket is told: short paragraphs for a person, from the events that rekey publishes. Plain functions."""

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from rekey.base.durations import about
from rekey.base.words import counted
from rekey.model.attention import down_now
from rekey.model.fleet import GOOD

Data = Mapping[str, Any]

LONGEST = 32_000
"""Characters of a comment; some systems take less."""

MOST_PARAGRAPHS = 40

_CUT = " … (cut)"


class Whole(str):
    """A paragraph that is never cut."""


def compose(kind: str, detail: Data) -> list[str] | None:
    """The comment for an event, its marker last; None for an event that a ticket is not told of."""
    tell = _TOLD.get(kind)
    if tell is None:
        return None
    data = detail.get("data") or {}
    last = Whole(f"{_time(detail)}{marker(detail)}")
    return fitted([*(each for each in tell(detail, data) if each), last], LONGEST)


def marker(detail: Data) -> str:
    """What tells that this event was told: in each comment, and looked for before it is written."""
    return f"[rekey {detail['id']}]"


def fitted(paragraphs: list[str], longest: int) -> list[str]:
    """No more than `longest` characters, blank lines in between included: cut where the text is longest.

    The marker, which is last, and the evidence's address stay whole.
    """
    if len(paragraphs) > MOST_PARAGRAPHS:
        left = len(paragraphs) - MOST_PARAGRAPHS + 1
        paragraphs = [*paragraphs[: MOST_PARAGRAPHS - 4], f"and {left} more{_CUT}", *paragraphs[-3:]]
    lengths = [_length_of(each) for each in paragraphs]
    whole = {n for n, each in enumerate(paragraphs) if isinstance(each, Whole)}
    room = longest - len("\n\n") * len(paragraphs) - sum(lengths[n] for n in whole)
    shorter_first = sorted(set(range(len(paragraphs))) - whole, key=lambda n: lengths[n])
    cut = list(paragraphs)
    for done, n in enumerate(shorter_first):
        share = min(lengths[n], room // (len(shorter_first) - done))
        room -= share
        if share < lengths[n]:
            cut[n] = _first_part(paragraphs[n], share - len(_CUT)) + _CUT
    return cut


def _fleet_planned(_: Data, data: Data) -> list[str]:
    counts, left_out = data.get("counts") or {}, [str(each) for each in data.get("forbidden") or []]
    rotations, waves = counts.get("rotations", 0), data.get("waves", 0)
    return [
        f"rekey planned the fleet {data.get('fleet')}: {counted(rotations, 'rotation')} in {counted(waves, 'wave')}.",
        f"{counted(counts.get('forbidden', 0), 'rotation')} forbidden and left out:" if left_out else "",
        *left_out,
        "It begins once it is approved, three days are waited for that." if data.get("approval") else "It begins now.",
        f"The whole plan: {data.get('plan')}",
    ]


def _fleet_asked(_: Data, data: Data) -> list[str]:
    return [
        f"The fleet {data.get('fleet')} waits for a person before {data.get('waits_for')}, three days at the most.",
        f"To answer: rekey fleet approve {data.get('fleet')}",
    ]


def _fleet_ended(detail: Data, data: Data) -> list[str]:
    """The one comment on what became of all its workspaces: they themselves tell the ticket nothing."""
    came = ", ".join(f"{number} {each.replace('_', ' ')}" for each, number in (data.get("outcomes") or {}).items())
    return [
        f"The fleet {data.get('fleet')} has ended: {data.get('status')}. Of its rotations: {came or 'none'}.",
        f"Why: {data['why']}" if data.get("why") else "",
        f"Every workspace is in the report: {data.get('report')} (rekey fleet report {data.get('fleet')}).",
        _for_the_rest(detail, data),
    ]


def _for_the_rest(detail: Data, data: Data) -> str:
    """How to have done what the fleet has left; empty where it has left nothing."""
    fleet, outcomes, ticket = data.get("fleet"), data.get("outcomes") or {}, detail.get("ticket") or {}
    if not any(number for each, number in outcomes.items() if each not in (*GOOD, "forbidden")):
        return ""
    # An event may name a ticket, too: then it is not the ticket's approval that asks.
    if detail.get("correlation_id") == f"{ticket.get('provider')}:{ticket.get('key')}":
        return "To have done what is left, have the ticket approved again."
    if data.get("status") == "failed":
        return "To have it go on where it was, ask for it again with the same name."
    return f"To have another fleet do what is left: rekey fleet rotate NAME --rest-of {fleet}"


def _refused(_: Data, data: Data) -> list[str]:
    return [
        "rekey refused the rotation; nothing was touched.",
        *str(data.get("message", "")).splitlines(),
        "After fixing it, have the ticket approved again.",
    ]


def _accepted(detail: Data, data: Data) -> list[str]:
    start = data.get("start_at")
    return [
        f"rekey accepted the rotation: {_what(data)} of {_workspace(detail)}.",
        f"It starts {f'at {start}' if start else 'now'}{_length(data)}.",
        "Before that it waits for rekey's own approval." if data.get("approval") else "",
        _stops(data.get("would_stop")),
        f"Why: {' '.join(map(str, data['why']))}" if data.get("why") else "",
    ]


def _approval_asked(detail: Data, data: Data) -> list[str]:
    return [f"The {_what(data)} of {_workspace(detail)} waits for rekey's own approval, three days at the most."]


def _declined(detail: Data, data: Data) -> list[str]:
    return [
        f"The rotation of {_workspace(detail)} was declined{_by(data)}; nothing was touched.",
        "After fixing it, have the ticket approved again.",
    ]


def _started(detail: Data, data: Data) -> list[str]:
    return [f"rekey has started the {_what(data)} of {_workspace(detail)}."]


def _done(detail: Data, data: Data) -> list[str]:
    attention = data.get("attention") or []
    return [
        f"Done{', and needs attention' if attention else ''}: the {_what(data)} of {_workspace(detail)} "
        f"{'was' if attention else 'went well and was'} verified.",
        _downtime(data),
        *(f"Needs attention: {each}" for each in attention),
        f"The key is now {data['key_arn']}." if data.get("key_arn") else "",
        _old_key(data),
        *(f"Note: {each}" for each in data.get("findings") or [] if each not in attention),
        _evidence(data.get("evidence")),
    ]


def _downtime(data: Data) -> str:
    down, seconds = down_now(data.get("still_down") or {}), data.get("downtime_seconds")
    if down:
        return f"The downtime is not over: {down}."
    return "No compute was down." if seconds is None else f"Classic compute was down for {about(seconds)}."


def _failed(detail: Data, data: Data) -> list[str]:
    return [
        f"The rotation of {_workspace(detail)} failed in the state {data.get('state', '?')}: {data.get('error', '')}.",
        *str(data.get("cause", "")).splitlines(),
        *_notes(data),
        "After fixing it, have the ticket approved again.",
        Whole(f"Evidence in the console: {_page(data['evidence'])}") if data.get("evidence") else "",
    ]


def _compute_down(detail: Data, data: Data) -> list[str]:
    down = [str(each) for each in data.get("down") or []]
    since = data.get("since", "?")
    return [
        f"Classic compute of {_workspace(detail)} is down longer than planned, since {since}."
        if down
        else f"Classic compute of {_workspace(detail)} has not been seen to be back, and should be since {since}.",
        f"Down: {'; '.join(down)}." if down else "What of it is down could not be looked at yet.",
        f"Why: {data['failure']}" if data.get("failure") else "",
        "rekey goes on bringing it back by itself; whoever is on call for rekey has an alarm.",
    ]


def _cancelled(detail: Data, data: Data) -> list[str]:
    return [f"The rotation of {_workspace(detail)} was cancelled{_by(data)}.", _evidence(data.get("evidence"))]


def _taken_up(detail: Data, data: Data) -> list[str]:
    return [
        f"The rotation of {_workspace(detail)} was interrupted: {data.get('why', '')}.",
        "rekey carries it on by itself, and tells here how it ended.",
    ]


def _unfinished(detail: Data, data: Data) -> list[str]:
    return [
        f"The rotation of {_workspace(detail)} was interrupted, and rekey cannot finish it yet; it tries again.",
        "Its compute is not back." if data.get("compute_is_down") else "",
        f"What keeps it: {data.get('said', '')}",
        f"`rekey finish {detail.get('rotation_id', '')}` shows what is undone.",
    ]


def _access_revoked(detail: Data, data: Data) -> list[str]:
    others = [str(each) for each in data.get("workspaces") or [] if each != detail.get("workspace_id")]
    return [
        f"Databricks' access to the keys of {_workspace(detail)} is taken away{_allowed(data)}.",
        f"The keys are shared: the same holds for the workspace {', '.join(others)}." if others else "",
        "Reads go on until Databricks lets its cached data keys go; rekey watches that, and tells when it is over.",
    ]


def _access_restored(detail: Data, data: Data) -> list[str]:
    return [
        f"Databricks' access to the keys of {_workspace(detail)} is given back{_allowed(data)}.",
        "rekey reads and writes in the workspace now, and tells when that works.",
    ]


def _allowed(data: Data) -> str:
    """Who asked for it, and who approved."""
    approved = data.get("approved_by")
    asked = f", as {data.get('requested_by')} asked"
    return f"{asked} and {approved} approved" if approved else f"{asked} without a second person's approval"


def _key_back(_: Data, data: Data) -> list[str]:
    return [
        f"The old key {data.get('key_arn', '')} was still needed, so rekey enabled it again and holds it.",
        f"Why: {data['why']}." if data.get("why") else "",
        "Move whatever still uses it to the new key; then `rekey keys adopt` lets it go.",
    ]


def _key_needed(_: Data, data: Data) -> list[str]:
    return [
        f"The key {data.get('key_arn', '')} is needed, nobody can use it, and rekey could not bring it back.",
        f"Why: {data['why']}." if data.get("why") else "",
    ]


_TOLD: dict[str, Callable[[Data, Data], list[str]]] = {
    "Rotation Refused": _refused,
    "Rotation Planned": _accepted,
    "Rotation Approval Requested": _approval_asked,
    "Rotation Declined": _declined,
    "Rotation Started": _started,
    "Rotation Succeeded": _done,
    "Rotation Failed": _failed,
    "Compute Down": _compute_down,
    "Rotation Cancelled": _cancelled,
    "Rotation Taken Up": _taken_up,
    "Rotation Unfinished": _unfinished,
    "Key Access Revoked": _access_revoked,
    "Key Access Restored": _access_restored,
    "Key Re-enabled": _key_back,
    "Key Needed": _key_needed,
    "Fleet Planned": _fleet_planned,
    "Fleet Approval Requested": _fleet_asked,
    "Fleet Ended": _fleet_ended,
}

TOLD = tuple(_TOLD)
"""The detail-types that a ticket is told of."""


def _workspace(detail: Data) -> str:
    workspace_id = detail.get("workspace_id")
    return f"workspace {workspace_id}" if workspace_id else "the new workspace"


def _what(data: Data) -> str:
    use_cases = " and ".join(map(str, data.get("use_cases") or []))
    names = {
        "add": "first keys",
        "rotate": "key rotation",
        "rotate_material": "renewal of key material",
        "revoke": "revocation of Databricks' access to its keys",
        "restore": "restoration of Databricks' access to its keys",
    }
    name = names.get(str(data.get("operation")), "rotation")
    return f"{name} ({use_cases})" if use_cases else name


def _stops(would_stop: Any) -> str:
    pieces = {kind: n for kind, n in (would_stop or {}).items() if n}
    if not pieces:
        return "It stops no compute."
    return f"It stops and brings back: {', '.join(f'{n} {kind}' for kind, n in pieces.items())}."


def _length(data: Data) -> str:
    expected, down = data.get("expected_seconds"), data.get("expected_downtime_seconds")
    if not expected:
        return ""
    downtime = f", with a downtime of about {about(down)}" if down else ", without downtime"
    return f" and takes about {about(expected)}{downtime}"


def _old_key(data: Data) -> str:
    key_arn, due = data.get("old_key_arn"), data.get("old_key_due_at")
    if not key_arn:
        return ""
    if data.get("old_key_fate") == "retain":
        return f"The old key {key_arn} is retained."
    return f"The old key {key_arn} is disabled {f'at {due}' if due else 'after 24 hours'} at the earliest."


def _notes(data: Data) -> list[str]:
    return [f"Note: {each}" for each in data.get("findings") or []]


def _by(data: Data) -> str:
    by, reason = data.get("by"), data.get("reason")
    return f"{f' by {by}' if by else ''}{f' ({reason})' if reason else ''}"


def _evidence(uri: Any) -> str:
    return Whole(f"Evidence: {uri} ({_page(uri)})") if uri else ""


def _page(uri: Any) -> str:
    """The evidence's page in the console. It needs a sign-in, as its address does: a ticket gives nothing away."""
    bucket, _, key = str(uri).removeprefix("s3://").partition("/")
    region = os.environ.get("AWS_REGION", "us-east-1")
    console = "console.amazonaws-us-gov.com" if region.startswith("us-gov-") else "console.aws.amazon.com"
    return f"https://{region}.{console}/s3/object/{bucket}?region={region}&prefix={quote(key)}"


def _length_of(text: str) -> int:
    """As Java counts, in which Jira and ServiceNow are written: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _first_part(text: str, length: int) -> str:
    return text.encode("utf-16-le", "surrogatepass")[: 2 * max(length, 0)].decode("utf-16-le", "ignore")


def _time(detail: Data) -> str:
    return f"{detail['time']} " if detail.get("time") else ""
