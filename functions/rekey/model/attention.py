"""Whether a rotation that succeeded leaves something to a person: decided on findings' codes and on what is down."""

from collections.abc import Mapping
from typing import Literal

from rekey.base.words import counted
from rekey.model.findings import Finding, FindingCode
from rekey.model.rotation import Rotation, Status

Outcome = Status | Literal["needs_attention"]
"""How it stands: the status, but for a rotation that succeeded and leaves something to a person."""

INFORMING: frozenset[FindingCode] = frozenset(
    {
        FindingCode.STARTED_MEANWHILE,
        FindingCode.UNSURE,
        FindingCode.NOT_PAUSED,
        FindingCode.MAY_RUN,
        FindingCode.ORPHAN,
        FindingCode.KEY_WAITS,
        FindingCode.KEY_NOT_DISABLED,
    }
)
"""Findings that nobody has to do anything about: it is over, or rekey sees to it. Every other code needs a person, also
one of tomorrow's."""


def attention(rotation: Rotation) -> tuple[Finding, ...]:
    """The findings that a person must see to."""
    return tuple(each for each in rotation.findings if each.code not in INFORMING)


def outcome(rotation: Rotation) -> Outcome:
    if rotation.status == "succeeded" and (rotation.still_down or attention(rotation)):
        return "needs_attention"
    return rotation.status


def down_now(still_down: Mapping[str, int]) -> str:
    """ "3 clusters and 1 warehouse are down"; empty when nothing is. `still_down` is how many of each kind."""
    named = [counted(number, kind) for kind, number in still_down.items() if number]
    if not named:
        return ""
    *most, last = named
    listed = f"{', '.join(most)} and {last}" if most else last
    return f"{listed} {'is' if sum(still_down.values()) == 1 else 'are'} down"
