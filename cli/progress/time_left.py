"""How long a rotation may still take, by its plan's phases. Plain functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from cli.wording import roughly
from rekey.model.phases import Phase


@dataclass(frozen=True)
class TimeLeft:
    """Seconds; none is ever below 0."""

    expected: float
    at_most: float
    late: str = ""
    """Name of the current step when it takes longer than expected."""

    def ends(self, now: float, real: float, zone: tzinfo | None) -> str:
        """ends about 20:31, at the latest 22:10: by the clock on the wall. `real` is real seconds for one of these."""
        at_most = _clock(now + self.at_most * real, zone)
        if self.late or not self.expected:
            return f"ends at the latest {at_most}"
        about = _clock(now + self.expected * real, zone)
        return f"ends about {about}" if about == at_most else f"ends about {about}, at the latest {at_most}"

    def __str__(self) -> str:
        """about 12 min left, at most 1 h 40 min by its budgets"""
        if self.at_most == 0:
            return "about to end"
        most = f"at most {roughly(self.at_most)} by its budgets"
        if not self.late:
            return f"about {roughly(self.expected)} left, {most}"
        after = f"about {roughly(self.expected)} more after it" if self.expected else "it is the last to take time"
        return f"{self.late} takes longer than expected; {after}, {most}"


def _clock(moment: float, zone: tzinfo | None) -> str:
    """20:31, and the day where it is not within the next hours."""
    return datetime.fromtimestamp(moment, zone).strftime("%H:%M")


def time_left(
    phases: Sequence[Phase], took: Mapping[str, float], current: str | None, *, begins_in: float = 0.0
) -> TimeLeft:
    """Time left in a rotation that is in the step `current`.

    `took` has the seconds spent so far in each step that was entered. A step that the plan has no phase for takes a
    moment: what is left is every phase after the last one entered. `begins_in` is the wait for the window to open.
    A step that is come back to (Databricks may still see instances) leaves what remains of those after it.
    """
    names = [each.name for each in phases]
    if current in names:
        ahead = phases[names.index(current) :]
    else:
        entered = [index for index, name in enumerate(names) if name in took]
        ahead = phases[entered[-1] + 1 :] if entered else phases
    expected = begins_in + sum(max(0.0, each.expected_seconds - took.get(each.name, 0.0)) for each in ahead)
    at_most = begins_in + sum(max(0.0, each.budget_seconds - took.get(each.name, 0.0)) for each in ahead)
    late = bool(ahead and ahead[0].name == current and took.get(current, 0.0) > ahead[0].expected_seconds)
    return TimeLeft(expected, at_most, current if late and current else "")
