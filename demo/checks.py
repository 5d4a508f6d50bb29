"""What must hold after the rotations: plain judgements about what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.wording import HOUR, counted, duration, first_of
from demo import compute
from demo.model import Json, OldKey, Subject
from demo.outcome import Outcome
from local.cloud import Scales
from rekey.model.canary import is_canary
from rekey.model.chain import verify


@dataclass(frozen=True)
class Check:
    """Something that must hold, and what was seen where it does not."""

    what: str
    trouble: str = ""
    workspace: str = ""
    """Whose check it is; empty where it is about everything."""

    @property
    def held(self) -> bool:
        return not self.trouble


def checks_of(outcome: Outcome) -> list[Check]:
    """What must hold for one rotation."""
    troubles = {
        "the rotation succeeded": "" if outcome.status == "succeeded" else f"it {outcome.execution.status.lower()}",
        "the new key is in use, no other field changed": _switch_trouble(outcome),
        "compute was stopped, and is as it was": _compute_trouble(outcome),
        "the downtime is not below the lower bound": _downtime_trouble(outcome),
        "no findings": first_of(list(outcome.execution.output.get("findings", ()))),
        "the evidence's audit trail is whole": _evidence_trouble(outcome),
    }
    return [Check(what, trouble, outcome.subject.name) for what, trouble in troubles.items()]


def objects_check(outcomes: Sequence[Outcome], unreadable: Sequence[Json]) -> Check:
    """Every object that was seeded is there and readable, and nothing came on top but rekey's own notebooks."""
    seeded = {each.subject.name: _objects(each.subject.before) for each in outcomes}
    now = {each.subject.name: _objects(each.after) for each in outcomes}
    what = f"all {sum(map(len, seeded.values()))} objects are readable"
    if unreadable:
        first = unreadable[0]
        return Check(what, f"{len(unreadable)} are not: {first['kind']} {first['name']}: {first['reason']}")
    lost = [f"{each} of {name} is gone" for name in seeded for each in sorted(seeded[name] - now[name])]
    added = [f"{each} of {name} is new" for name in seeded for each in sorted(now[name] - seeded[name])]
    return Check(what, first_of([*lost, *added]))


def _objects(workspace: Mapping[str, Any]) -> set[str]:
    """The objects by name, without rekey's notebook: it stays until the old key's watch is over."""
    return {f"{each['kind']} {each['name']}" for each in workspace["sim"]["objects"] if not is_canary(each["name"])}


def violations_check(violations: Sequence[Json]) -> Check:
    """The simulator saw no broken rule."""
    if not violations:
        return Check("no rule was broken")
    first = violations[0]
    return Check("no rule was broken", f"{counted(len(violations), 'violation')}: {first['rule']}: {first['detail']}")


def old_key_check(subjects: Sequence[Subject], key: OldKey | None, scales: Scales) -> Check:
    """Disabled, by the scheduled key check, not before the scaled 24 hours were over."""
    whose = next(each.name for each in subjects if each.old_key_arn)
    return Check("the key check disabled the old key, after its 24 h", _old_key_trouble(key, scales), whose)


def _old_key_trouble(key: OldKey | None, scales: Scales) -> str:
    if key is None or key.state != "Disabled":
        return f"it is {key.state if key else 'not there'}"
    if not key.swept or key.since is None or key.disabled_at is None:
        return "it is Disabled, but the ledger does not know of it"
    after = key.disabled_at - key.since
    early = f"it was disabled {after / scales.day / HOUR:.1f} h after the verified switch"
    return early if after < scales.grace_seconds else ""


def _switch_trouble(outcome: Outcome) -> str:
    subject = outcome.subject
    before, after = subject.before["keys"], outcome.after["keys"]
    new = outcome.execution.output.get("key_arn")
    if new is None or new in before.values():
        return "there is no new key"
    want = {**before, **dict.fromkeys(subject.use_cases, new)}
    return first_of([f"{each} shows {after[each]}" for each in want if after[each] != want[each]])


def _compute_trouble(outcome: Outcome) -> str:
    if not any(outcome.interrupted.values()):
        return "nothing was stopped"
    return first_of(compute.differences(outcome.subject.before, outcome.after))


def _downtime_trouble(outcome: Outcome) -> str:
    """Less than the lower bound would mean that something was measured wrongly, or not stopped."""
    down, bound = outcome.downtime_seconds, outcome.subject.lower_bound_seconds
    if outcome.status != "succeeded":
        return ""  # The lower bound is that of a whole rotation.
    if down is None:
        return "no downtime was measured"
    return f"{duration(down)} are less than {duration(bound)}" if down < bound else ""


def _evidence_trouble(outcome: Outcome) -> str:
    return first_of(verify(outcome.evidence).problems) if outcome.evidence else "there is no evidence"
