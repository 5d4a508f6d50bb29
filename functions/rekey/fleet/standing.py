"""How each rotation of a fleet stands. The ledger is the truth: what a Map run says of its items decides nothing."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from rekey.base import clock
from rekey.ledger import Ledger
from rekey.model.attention import attention, down_now, outcome
from rekey.model.fleet import GOOD, FleetPlan, Member, Outcome, Standing
from rekey.model.outcome import downtime_seconds
from rekey.model.rotation import Rotation
from rekey.rotation.next_step import begins_at

AT_ONCE = 8
"""Items that are read side by side."""


def standings(ledger: Ledger, plan: FleetPlan, members: Iterable[Member]) -> list[Standing]:
    """Of these members of the plan, in their order."""
    wanted = list(members)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda each: _with_others(ledger, plan, each, _own(ledger, each)), wanted))


def _own(ledger: Ledger, member: Member) -> Standing:
    if member.forbidden:
        return _standing(member, "forbidden", why=member.forbidden[0])
    if rotation := ledger.find(member.rotation_id):
        return _of_rotation(member, rotation)
    if refusal := ledger.find_refusal(member.rotation_id):
        return _standing(member, "refused", why=_first_line(str(refusal["message"])))
    return _standing(member, "waiting")


def _with_others(ledger: Ledger, plan: FleetPlan, member: Member, own: Standing) -> Standing:
    """What hangs on the rotation of another workspace: the key that both share."""
    other = member.renewed_by or member.takes_key_of
    planned = next((each for each in plan.members if each.rotation_id == other), None)
    if planned is None or own.outcome != "waiting":
        return own
    maker = _own(ledger, planned)
    if member.renewed_by:
        # One key, renewed once: what came of it is so for each workspace that is on it.
        return _standing(member, maker.outcome, why=maker.why, key_arn=maker.key_arn, ended_at=maker.ended_at)
    if maker.ended and maker.outcome not in GOOD:
        return _standing(member, "skipped", why=f"it was to take the key that {other} did not bring about")
    return own


def _of_rotation(member: Member, rotation: Rotation) -> Standing:
    if not rotation.ended:
        opens = begins_at(rotation) if not rotation.begun else None
        return _standing(
            member,
            "running",
            why=rotation.finishing.said if rotation.finishing else "",
            begins_at=opens if opens and not clock.passed(opens) else None,
        )
    came: Outcome = _OUTCOMES[outcome(rotation)]
    return _standing(
        member,
        came,
        why=_why(rotation),
        key_arn=rotation.key_arn or next(iter(rotation.plan.material_keys), None),
        downtime_seconds=downtime_seconds(rotation),
        ended_at=rotation.ended_at,
        evidence=rotation.evidence_sha256 is not None,
    )


_OUTCOMES: Mapping[str, Outcome] = {
    "succeeded": "succeeded",
    "needs_attention": "needs_attention",
    "failed": "failed",
    "cancelled": "cancelled",
}


def _why(rotation: Rotation) -> str:
    if rotation.failure:
        return f"{rotation.failure.state} ({rotation.failure.error}): {_first_line(rotation.failure.cause)}"
    if rotation.cancel:
        return f"cancelled by {rotation.cancel.by}"
    if down := down_now(rotation.still_down):
        return down
    return next((each.text for each in attention(rotation)), "")


def _standing(member: Member, came: Outcome, **more: object) -> Standing:
    planned = member.model_dump(include={*Standing.model_fields} & {*Member.model_fields} - {"key_arn"})
    return Standing.model_validate({**planned, "outcome": came, **more})


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else ""
