"""The key check: every few minutes, look at each key that waits to go or is watched, and do what is to be done now.

Level-triggered: nothing but the ledger's items is remembered between two sweeps, so that one that comes early,
late, twice or not at all changes nothing.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import get_args

from rekey.aws import clients
from rekey.aws.kms_key import WAITS_FOR_DELETION, KmsKey, LastUse
from rekey.aws.tags import EARLIER, MANAGED
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, DatabricksError
from rekey.base.observability import count, keys_by_state, logger
from rekey.base.settings import DAY_SECONDS, Settings
from rekey.databricks import Account, Estate
from rekey.databricks import canary as canaries
from rekey.databricks.connect import connect_workspace
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import CLAIM_SECONDS, WAITING, Key, State
from rekey.model.key_answers import Swept
from rekey.retirement.care import care, claim
from rekey.retirement.conditions import Case, Facts, KmsFacts, decide, needed
from rekey.retirement.look import look_at_key
from rekey.retirement.needed import NO_SUCH_KEY, UNUSABLE, tell, what_keeps
from rekey.retirement.reenable import reenable
from rekey.retirement.signs import Inside, Signs, told_late

SETTLES_WITHIN = timedelta(minutes=5)
"""KMS is eventually consistent: a key that was disabled a moment ago may still read Enabled."""

GONE = KmsFacts(state="", tags={}, last_use=LastUse(known=False, said="KMS has no such key any more"))


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one key check works with."""

    ledger: Ledger
    settings: Settings
    facts: Facts
    inside: Inside
    signs: Signs


@dataclass(slots=True)
class Tally:
    """What has been done so far, by key."""

    disabled: list[str] = field(default_factory=list)
    enabled: list[str] = field(default_factory=list)
    needed: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def sweep(
    settings: Settings, ledger: Ledger, account: Account, *, now: datetime, inside: Inside | None = None
) -> Swept:
    """Look at every key that waits or is watched. One key's trouble never stops another's."""
    found, tally = ledger.keys.to_sweep(), Tally()
    # Also when it is 0: an alarm that hears nothing knows that no key check runs.
    overdue = 0
    if found:
        facts = Facts(now, settings.grace_seconds, Estate.read(account), settings.keys.managed_by)
        inside = inside or (lambda workspace: connect_workspace(settings, workspace.deployment_name))
        at_work = Sweep(ledger, settings, facts, inside, Signs(facts.estate, inside, _revoked(ledger)))
        for key in found:
            after = _guarded(at_work, key, tally)
            overdue += is_overdue(after, settings.grace_seconds, now)
    count("KeysOverdue", overdue)
    if tally.disabled:
        count("KeysDisabled", len(tally.disabled))
    if tally.failed:
        count("KeySweepFailures", len(tally.failed))
    looked_after = care(settings.keys, ledger, now)
    keys_by_state(_numbers(ledger))
    return Swept(looked_at=len(found), **asdict(tally), looked_after=looked_after)


def _revoked(ledger: Ledger) -> frozenset[int]:
    """Workspaces whose access was taken away."""
    revoked = [key.revoked for key in ledger.keys.all() if key.revoked]
    return frozenset(workspace_id for each in revoked for workspace_id in each.workspaces)


def _numbers(ledger: Ledger) -> dict[str, int]:
    """How many keys are in each state, those with none too. Two queries of an index, which may lag a moment."""
    found = Counter(key.state for key in ledger.keys.all())
    return {state: found[state] for state in get_args(State)}


def is_overdue(key: Key, grace_seconds: int, now: datetime) -> bool:
    """Whether a key should have gone more than a day ago (of the same length as the grace period's day)."""
    day = timedelta(seconds=min(grace_seconds, DAY_SECONDS))
    return key.state in WAITING and key.goes_at is not None and now > clock.moment(key.goes_at) + day


def _guarded(at_work: Sweep, key: Key, tally: Tally) -> Key:
    try:
        with clients.named_errors():
            after = look_after(at_work, key)
    except AwsUnavailable as error:
        # Another sweep, a rotation or a person was quicker, or AWS is busy: the next key check looks again.
        tally.kept[key.key_arn] = str(error)
        return key
    except Exception as error:  # noqa: BLE001, whatever is wrong with one key, the others must be looked at
        logger.exception("a key could not be looked at", extra={"key_arn": key.key_arn})
        tally.failed[key.key_arn] = f"{type(error).__name__}: {error}"
        return key
    if after.needed:
        tally.needed[key.key_arn] = after.why
    elif (key.state, after.state) == ("disabled", "held"):
        tally.enabled.append(key.key_arn)
    elif after.state == "disabled" and key.state != "disabled":
        tally.disabled.append(key.key_arn)
    elif after.state in WAITING or after.state == "retained":
        tally.kept[key.key_arn] = after.why
    return after


def look_after(at_work: Sweep, key: Key) -> Key:
    """Do for one key what is to be done now. Gives the key as it is then."""
    if key.is_revoked:
        return key  # The index may lag.
    if key.state in WAITING:
        key = _retire(at_work, key)
    elif key.watch_until is not None:
        key = _watch(at_work, key)
    if key.canaries and not (key.state in WAITING or key.watch_until is not None):
        key = _remove_canaries(at_work, key)
    return _tell_overdue(at_work, key)


def _tell_overdue(at_work: Sweep, key: Key) -> Key:
    now = at_work.facts.now
    if key.overdue_at or not is_overdue(key, at_work.settings.grace_seconds, now):
        return key
    told = key.but(overdue_at=clock.text(now), changed_at=clock.text(now))
    return at_work.ledger.keys.change(key, told, KeyAction.OVERDUE)


def _retire(at_work: Sweep, key: Key) -> Key:
    now, table = at_work.facts.now, at_work.ledger.keys
    if key.claimed_at and abs((now - clock.moment(key.claimed_at)).total_seconds()) < CLAIM_SECONDS:
        raise AwsUnavailable("another sweep is disabling it")
    kms = _look(at_work, key)
    if kms is None:
        seen = _with_what_is_seen(key, GONE, at_work.facts)
        return _gone(at_work, seen, needed(Case(seen, GONE, at_work.facts)))
    if key.claimed_at and kms.state in ("Disabled", *WAITS_FOR_DELETION):
        # A key check ended between DisableKey and the ledger; what happened since nobody has watched.
        return _watch(at_work, _disabled(at_work, key, key.why))
    seen = _with_what_is_seen(key, kms, at_work.facts)
    case = Case(seen, kms, at_work.facts)
    decision = decide(case)
    if kms.state in UNUSABLE and (need := needed(case)) and (trouble := what_keeps(key.key_arn)):
        # Somebody else took it away, who may bring it back: rekey tells what misses it, and touches nothing.
        after = seen.to("retained", need, now) if decision.verdict == "retain" else _waiting(seen, need, now)
        return tell(at_work.ledger, key, after, need, trouble, now)
    seen = seen.but(needed=None, needed_at=None)
    if decision.verdict == "retain":
        return table.change(key, seen.to("retained", decision.why, now), KeyAction.RETAINED)
    if decision.verdict == "wait":
        return _write(at_work, key, _waiting(seen, decision.why, now))
    return _disable(at_work, key, seen, decision.why)


def _look(at_work: Sweep, key: Key) -> KmsFacts | None:
    """Raises AwsUnavailable where the key first gets the tag without which IAM lets nothing be done to it."""
    kms = look_at_key(key.key_arn)
    if kms is not None and kms.tags.get(MANAGED) == EARLIER:
        claim(at_work.settings.keys, at_work.ledger, key, at_work.facts.now)
        raise AwsUnavailable("its tag carries the stack's name from now on; the next check goes on")
    return kms


def _disable(at_work: Sweep, key: Key, seen: Key, why: str) -> Key:
    """Claim, disable, write down. What KMS refuses each time for one reason lengthens the trail once."""
    now, table = at_work.facts.now, at_work.ledger.keys
    claim = seen.to("due", why, now, claimed_at=clock.text(now))
    claimed = table.note(key, claim) if key.refused else table.change(key, claim, KeyAction.CLAIMED)
    if refused := KmsKey(key.key_arn).disable():
        released = claimed.to("due", f"KMS refused: {refused}", now, claimed_at=None, refused=True)
        if released.why == key.why:
            return table.note(claimed, released.but(changed_at=key.changed_at))
        return table.change(claimed, released, KeyAction.REFUSED)
    return _disabled(at_work, claimed, why)


def _gone(at_work: Sweep, key: Key, need: str | None) -> Key:
    """KMS knows it no more; that is told aloud where something needs it."""
    now = at_work.facts.now
    gone = key.to("gone", NO_SUCH_KEY, now)
    if need is None:
        return at_work.ledger.keys.change(key, gone, KeyAction.GONE)
    return tell(at_work.ledger, key, gone, need, NO_SUCH_KEY, now)


def _with_what_is_seen(key: Key, kms: KmsFacts, facts: Facts) -> Key:
    users = [each.workspace_id for each in facts.estate.users(key.key_arn)]
    since = key.unreferenced_since or clock.text(facts.now) if facts.estate.is_free(key.key_arn) else None
    return key.but(
        unreferenced_since=since,
        workspaces=tuple(dict.fromkeys([*key.workspaces, *users])),
        served_storage=key.served_storage or facts.estate.serves_storage(key.key_arn),
        last_use=kms.last_use.said,
    )


def _waiting(key: Key, why: str, now: datetime) -> Key:
    day_has_come = key.state == "due" or (key.goes_at is not None and now >= clock.moment(key.goes_at))
    return key.to("due" if day_has_come else "grace", why, now, claimed_at=None)


def _disabled(at_work: Sweep, key: Key, why: str) -> Key:
    now = at_work.facts.now
    until = clock.text(now + timedelta(seconds=at_work.settings.watch_seconds))
    disabled = key.to("disabled", why, now, watch_until=until)
    return at_work.ledger.keys.change(key, disabled, KeyAction.DISABLED, last_use=key.last_use)


def _watch(at_work: Sweep, key: Key) -> Key:
    now, table = at_work.facts.now, at_work.ledger.keys
    kms = _look(at_work, key)
    if kms is None:
        return _gone(at_work, key, key.needed or at_work.signs.of(key))
    # KMS may show the state from before for a moment.
    settled = key.disabled_at is None or now >= clock.moment(key.disabled_at) + SETTLES_WITHIN
    if settled and kms.state == "Enabled":
        return table.change(
            key, key.to("held", "somebody enabled it, so it is theirs to let go", now), KeyAction.FOUND_ENABLED
        )
    late = told_late(key, kms.last_use, at_work.settings.grace_seconds)
    if sign := key.needed or late or at_work.signs.of(key):
        return reenable(at_work.ledger, key, sign, now)
    if key.watch_until is not None and now >= clock.moment(key.watch_until):
        why = "the watch is over and nothing asked for it: its owner may decide to delete it"
        return table.change(key, key.to("disabled", why, now, watch_until=None), KeyAction.WATCH_ENDED)
    return key


def _remove_canaries(at_work: Sweep, key: Key) -> Key:
    """Remove the notebooks that proved that the key is not missed. One that cannot be removed harms nobody."""
    running = {each.workspace_id: each for each in at_work.facts.estate.workspaces if each.status == "RUNNING"}
    for canary in key.canaries:
        if workspace := running.get(canary.workspace_id):
            try:
                canaries.remove(at_work.inside(workspace), canary.rotation_id, "before")
            except DatabricksError as error:
                logger.warning(f"a canary stays: {error}", extra={"key_arn": key.key_arn})
    return at_work.ledger.keys.note(key, key.but(canaries=()))


def _write(at_work: Sweep, before: Key, after: Key) -> Key:
    """The ledger keeps every reason once, however often it is found."""
    told = ("state", "why", "claimed_at")
    if any(getattr(before, each) != getattr(after, each) for each in told):
        return at_work.ledger.keys.change(before, after, KeyAction.LOOKED_AT)
    same = after.but(changed_at=before.changed_at)
    return at_work.ledger.keys.note(before, same) if same != before else before
