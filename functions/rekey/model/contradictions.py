"""What an evidence's document says and its audit trail says otherwise, field by field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rekey.base import clock
from rekey.model.actions import Action
from rekey.model.rotation import ENDS

CLOSE_SECONDS = 120.0
"""A moment of the document is read from the clock in the same call as its entry's, and a call takes no longer."""

_MOMENTS: Mapping[str, tuple[Action, ...]] = {
    "opened": (Action.PLANNED,),
    "blackout_started": (Action.SNAPSHOT_WRITTEN,),
    "switched": (Action.SWITCHED, Action.WORKSPACE_RUNS),
    "switch_verified": (Action.SWITCH_VERIFIED,),
    "compute_back": (Action.COMPUTE_BACK,),
    "ended": (Action.SUCCEEDED, Action.FAILED, Action.CANCELLED),
}
"""The last entry of which kind has a moment of the timeline."""

_VALUES: Sequence[tuple[str, tuple[Action, ...], str]] = (
    ("request", (Action.PLANNED,), "request"),
    ("plan.why", (Action.PLANNED,), "why"),
    ("plan.would_stop", (Action.PLANNED,), "would_stop"),
    ("approval.by", (Action.APPROVED,), "by"),
    ("approval.reason", (Action.APPROVED,), "reason"),
    ("keys.new_key_arn", (Action.KEY_CREATED, Action.KEY_FOUND, Action.KEY_GIVEN), "key_arn"),
    (
        "keys.new_configuration_id",
        (Action.CONFIGURATION_REGISTERED, Action.CONFIGURATION_FOUND, Action.CONFIGURATION_GIVEN),
        "configuration_id",
    ),
    ("failure.state", (Action.FAILURE_SEEN,), "state"),
    ("failure.error", (Action.FAILURE_SEEN,), "error"),
)
"""Field of the document, the entries that say the same, and under which name."""

_ABSENT = object()


def contradictions(evidence: Mapping[str, Any], entries: Sequence[Any]) -> list[str]:
    """Each with the entry's number. `entries` are those before the seal; what either side lacks is no contradiction."""
    rows = [each for each in entries if isinstance(each, Mapping) and isinstance(each.get("detail"), Mapping)]
    return [*_values(evidence, rows), *_keys_before(evidence, rows), *_moments(evidence, rows), *_end(evidence, rows)]


def _values(evidence: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for field, actions, name in _VALUES:
        said, entry = _at(evidence, field), _last(rows, actions)
        if entry is None or said is _ABSENT or name not in entry["detail"]:
            continue
        if said != entry["detail"][name] and not (said is None and field.startswith("keys.")):
            yield f"entry {entry.get('seq')} has another {field} than the document"


def _keys_before(evidence: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    entry, before = _last(rows, (Action.SWITCHED, Action.CHANGE_ACCEPTED)), _at(evidence, "keys.before")
    if entry is None or not isinstance(before, Mapping) or not isinstance(entry["detail"].get("before"), Mapping):
        return
    for use_case, configuration_id in entry["detail"]["before"].items():
        said = before.get(use_case)
        if (said.get("configuration_id") if isinstance(said, Mapping) else None) != configuration_id:
            yield f"entry {entry.get('seq')} has another {use_case} key before than the document"


def _moments(evidence: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for name, actions in _MOMENTS.items():
        said, entry = _at(evidence, f"timeline.{name}"), _last(rows, actions)
        if entry is not None and said not in (_ABSENT, None) and not _close(said, entry.get("at")):
            yield f"entry {entry.get('seq')} has another moment than timeline.{name}"
    down, back = _at(evidence, "timeline.blackout_started"), _at(evidence, "timeline.compute_back")
    seconds = _at(evidence, "downtime_seconds")
    # Two Lambdas' clocks wrote these moments: where the later one was behind, no time is what can be said.
    behind = seconds == 0 and _before(back, down)
    if isinstance(seconds, int | float) and not behind and not _close(down, back, seconds, 0.01):
        yield "downtime_seconds is not the time between blackout_started and compute_back"


def _end(evidence: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    said, status = rows[-1].get("action") if rows else None, evidence.get("status")
    if rows and said != status and (said in ENDS or status in ENDS):
        yield f"entry {rows[-1].get('seq')} says {said}, the document {status}"


def _last(rows: Sequence[Mapping[str, Any]], actions: Sequence[Action]) -> Mapping[str, Any] | None:
    return next((each for each in reversed(rows) if each.get("action") in actions), None)


def _at(evidence: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(evidence, Mapping) or name not in evidence:
            return _ABSENT
        evidence = evidence[name]
    return evidence


def _before(one: Any, other: Any) -> bool:
    """Whether `one` is earlier than `other`; False where either is no moment."""
    try:
        return clock.moment(one) < clock.moment(other)
    except (AttributeError, TypeError, ValueError):
        return False


def _close(one: Any, other: Any, apart: float = 0.0, tolerance: float = CLOSE_SECONDS) -> bool:
    """Whether `other` is so many seconds after `one`; what is no moment is close to nothing."""
    try:
        between = (clock.moment(other) - clock.moment(one)).total_seconds()
    except (AttributeError, TypeError, ValueError):
        return False
    return abs(between - apart) <= tolerance
