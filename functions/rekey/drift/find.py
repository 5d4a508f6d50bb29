"""Find drift: look at every workspace and every known key in use, tell what changed, and close what is mended.

Level-triggered: a run that comes late, twice, or beside another changes nothing. Whatever seems to have drifted is
looked at once more, and written under the condition that no rotation has begun meanwhile.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import AwsUnavailable, NotFound, RekeyError
from rekey.base.observability import count, logger
from rekey.base.settings import Settings
from rekey.base.words import shortened
from rekey.databricks import Account, Estate, Workspace
from rekey.drift import tell
from rekey.drift.facts import basis, of_workspace, proof_of_key
from rekey.drift.look import look_at_key, look_at_keys
from rekey.ledger import Ledger
from rekey.model.drift import FIELDS, Drift, DriftFound, Facts, Proof, What, differs, proof_after
from rekey.model.key import Key
from rekey.model.rotation import name_subject
from rekey.model.use_cases import USE_CASES

SETTLES = timedelta(minutes=10)
"""After a rotation: what Databricks and KMS show may still be from before it."""

RESERVE_SECONDS = 25.0
"""What is left for the end of a run when its time is nearly over."""

TOGETHER = 64
"""Keys that are read before the time is looked at again."""


@dataclass(slots=True)
class Run:
    """What one run works with, and has done so far."""

    settings: Settings
    ledger: Ledger
    account: Account
    now: datetime
    estate: Estate
    proofs: dict[str, Proof]
    drifts: dict[tuple[str, What], Drift]
    keys: dict[str, Key]
    known_at: str | None
    """Since when every workspace is known; None in the first run, to which none is new."""
    told: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)

    def users(self, key_arn: str) -> list[Workspace]:
        return self.by_key.get(key_arn, [])

    by_key: dict[str, list[Workspace]] = field(default_factory=dict)


def find(
    settings: Settings, ledger: Ledger, account: Account, *, time_left: Callable[[], float], now: datetime
) -> DriftFound:
    """One run. Raises what Databricks' lists or the ledger raise: nothing is told then."""
    estate, last = Estate.read(account), ledger.drifts.round()
    run = Run(
        settings,
        ledger,
        account,
        now,
        estate,
        ledger.drifts.proofs(),
        {(each.subject, each.what): each for each in ledger.drifts.open()},
        {key.key_arn: key for key in ledger.keys.all()},
        str(last["known_at"]) if last else None,
        by_key=_by_key(estate),
    )
    subjects = sorted([str(each.workspace_id) for each in estate.workspaces if each.workspace_id])
    subjects += sorted(run.by_key.keys() & run.keys.keys())
    gone = sorted({subject for subject, _ in run.drifts} - {*subjects})
    begin_at = str(last["begin_at"]) if last else ""
    ahead = [*gone, *_rotated(subjects, begin_at)]
    done = 0
    for batch in _batches(ahead):
        if time_left() < RESERVE_SECONDS:
            break
        _look_at(run, batch)
        done += len(batch)
    left = ahead[done:]
    if last is None or left or begin_at:
        # In the first run every workspace is known once all were seen.
        known_at = run.known_at or ("" if left else clock.text(now))
        ledger.drifts.keep_round(known_at, left[0] if left else "")
    still = ledger.drifts.open()
    count("KeysDrifted", len(still))
    return DriftFound(
        workspaces=len(estate.workspaces),
        keys=len(run.by_key.keys() & run.keys.keys()),
        told=tuple(run.told),
        closed=tuple(run.closed),
        open=len(still),
        unknown=dict(list(run.unknown.items())[:10]),
        left=len(left),
    )


def _by_key(estate: Estate) -> dict[str, list[Workspace]]:
    arns = {each.configuration_id: each.key_arn for each in estate.configurations}
    found: dict[str, list[Workspace]] = {}
    for workspace in estate.workspaces:
        named = {workspace.configuration_id(each) for each in USE_CASES}
        for arn in sorted({arns[each] for each in named if each in arns}):
            found.setdefault(arn, []).append(workspace)
    return found


def _rotated(subjects: list[str], begin_at: str) -> list[str]:
    """From where the last run had to stop."""
    place = subjects.index(begin_at) if begin_at in subjects else 0
    return [*subjects[place:], *subjects[:place]]


def _batches(subjects: list[str]) -> Iterator[list[str]]:
    return (subjects[at : at + TOGETHER] for at in range(0, len(subjects), TOGETHER))


def _look_at(run: Run, subjects: list[str]) -> None:
    workspaces = {str(each.workspace_id): each for each in run.estate.workspaces}
    looks = look_at_keys(run.settings, [each for each in subjects if each in run.by_key and each in run.keys])
    for subject in subjects:
        try:
            with clients.named_errors():
                if subject in workspaces:
                    _workspace(run, workspaces[subject])
                elif subject in looks:
                    _key(run, run.keys[subject], *looks[subject])
                else:
                    _gone(run, subject)
        except AwsUnavailable as error:
            run.unknown[subject] = str(error)
        except Exception as error:  # noqa: BLE001, whatever is wrong with one, the others are looked at
            logger.warning(f"it could not be compared: {error}", extra={"subject": subject})
            run.unknown[subject] = "; ".join(shortened([f"{type(error).__name__}: {error}"]))


# --- a workspace ---


def _workspace(run: Run, workspace: Workspace) -> None:
    subject = str(workspace.workspace_id)
    proof, now = run.proofs.get(subject), of_workspace(workspace)
    if proof and all(proof.facts.get(what) == value for what, value in now.items()) and not _open(run, subject):
        return None
    # From here on nothing is taken from a list that may be from before.
    table, names = run.ledger.drifts, (subject, name_subject(workspace.name))
    if any(run.ledger.holder(each) for each in names):
        return None
    proof = table.proof(subject) or _first_proof(run, workspace)
    if proof and clock.moment(proof.at) + SETTLES > run.now and proof.of:
        return None
    try:
        workspace = run.account.get_workspace(workspace.workspace_id)
    except NotFound:
        return _gone(run, subject)
    now, held = of_workspace(workspace), table.nobody_at_work(*names)
    bare = not any(now.values())
    if proof is None:
        if bare and workspace.status != "RUNNING":
            return None
        proof = Proof(subject=subject, of="", at=clock.text(run.now), facts=now)
        if not table.prove(None, proof, held):
            return None
        if bare and run.known_at:
            found = Drift(**_about(workspace), what=What.NO_KEY, before="", after="no key", since=clock.text(run.now))
            _note(run, tell.found(run.ledger, found, held), found)
    elif run.proofs.get(subject) is None and not table.prove(None, proof, held) and table.proof(subject) is None:
        return None
    for what in FIELDS.values():
        _compare(run, proof, now, what, _about(workspace), held, _accepted_since(run, now.get(what)))
    if not bare:
        _close(run, subject, What.NO_KEY, "it has a key", held)
    return _learn(run, proof, now, held)


def _first_proof(run: Run, workspace: Workspace) -> Proof | None:
    """Of a workspace whose last rotation was before rekey wrote proofs down."""
    last = run.ledger.last_of(workspace.workspace_id)
    rotation = run.ledger.find(last) if last else None
    return proof_after(rotation, rotation.closed_at or clock.text(run.now)) if rotation else None


def _accepted_since(run: Run, configuration_id: str | None) -> str:
    """Since when the key behind a configuration is under rekey's care: its owner may have adopted what was changed."""
    found = run.estate.configuration(configuration_id)
    key = run.keys.get(found.key_arn) if found else None
    return key.since if key and key.state == "current" else ""


def _about(workspace: Workspace) -> dict[str, object]:
    named = {"workspace_id": workspace.workspace_id, "workspaces": (workspace.name,)}
    return {"subject": str(workspace.workspace_id), **named}


# --- a key ---


def _key(run: Run, key: Key, now: Facts, trouble: str) -> None:
    subject = key.key_arn
    if trouble:
        run.unknown[subject] = trouble
    proof = run.proofs.get(subject)
    same = proof and proof.of == basis(key) and all(proof.facts.get(what) == value for what, value in now.items())
    if not now or (same and not _open(run, subject)):
        return
    found, table = run.ledger.keys.find(subject), run.ledger.drifts
    if found is None or found.wanted_by or clock.moment(found.changed_at) + SETTLES > run.now:
        return
    # Read again after the ledger: what a rotation did between the two reads is no drift.
    now, _ = look_at_key(run.settings, subject)
    held = table.key_unchanged(found)
    before = table.proof(subject)
    if before is None or before.of != basis(found):
        proof = proof_of_key(run.settings, run.ledger, found, now, clock.text(run.now))
        if not table.prove(before, proof, held):
            return
    else:
        proof = before
    users = run.users(subject)
    about: dict[str, object] = {
        "subject": subject,
        "key_arn": subject,
        "workspaces": tuple(sorted(each.name for each in users)),
        "workspace_id": users[0].workspace_id if len(users) == 1 else None,
    }
    for what in (What.POLICY, What.ROTATION, What.TAG):
        _compare(run, proof, now, what, about, held)
    _learn(run, proof, now, held)


# --- what both have ---


def _open(run: Run, subject: str) -> list[Drift]:
    return [drift for (of, _), drift in run.drifts.items() if of == subject]


def _compare(
    run: Run,
    proof: Proof,
    now: Facts,
    what: What,
    about: dict[str, object],
    held: tell.Held,
    accepted_since: str = "",
) -> None:
    proven, seen = proof.facts.get(what), now.get(what)
    if seen is None:
        return
    drift = run.drifts.get((proof.subject, what))
    if not differs(proven, seen):
        _close(run, proof.subject, what, "as it was proven", held)
    elif drift and accepted_since > drift.since:
        if run.ledger.drifts.prove(proof, proof.model_copy(update={"facts": {**proof.facts, what: seen}}), held):
            _close(run, proof.subject, what, "the key that it has now was adopted", held)
    else:
        before, after = tell.difference(what, str(proven), seen)
        found = Drift.model_validate(
            {**about, "what": what, "before": before, "after": after, "since": clock.text(run.now)}
        )
        _note(run, tell.found(run.ledger, found, held), found)


def _learn(run: Run, proof: Proof, now: Facts, held: tell.Held) -> None:
    """What came without taking away what was proven is proven from now on."""
    facts = {**proof.facts, **{what: seen for what, seen in now.items() if not differs(proof.facts.get(what), seen)}}
    current = run.ledger.drifts.proof(proof.subject)
    if current and current.of == proof.of and current.facts == proof.facts and facts != proof.facts:
        run.ledger.drifts.prove(current, proof.model_copy(update={"facts": facts}), held)


def _gone(run: Run, subject: str) -> None:
    """A subject of open drifts that the estate does not have any more."""
    for drift in _open(run, subject):
        if drift.key_arn is None and not _is_deleted(run, drift):
            return
        why = "no workspace uses the key any more" if drift.key_arn else "the workspace is gone"
        _close(run, subject, drift.what, why, {})


def _is_deleted(run: Run, drift: Drift) -> bool:
    try:
        run.account.get_workspace(int(drift.subject))
    except NotFound:
        return True
    except RekeyError as error:
        run.unknown[drift.subject] = str(error)
    return False


def _close(run: Run, subject: str, what: What, why: str, held: tell.Held) -> None:
    drift = run.drifts.get((subject, what))
    if drift and tell.closed(run.ledger, drift, why, clock.text(run.now), held):
        run.closed.append(f"{what} of {subject}")


def _note(run: Run, told: bool, drift: Drift) -> None:
    if told:
        run.told.append(f"{drift.what} of {drift.subject}")
