"""What must hold once all is at rest, whatever befell a rotation. Each gives what is wrong, a sentence a finding."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from rekey.aws.policy_access import parted, principals
from rekey.base import clock
from rekey.model.chain import verify
from rekey.model.rotation import Rotation
from tests.clients import client
from tests.matrix.run import Run
from tests.matrix.sentences import SENTENCES

Invariant = Callable[[Run], Iterator[str]]

_BACK = {"RUNNING", "PENDING", "STARTING", "RESIZING"}
_TOLD_WITHIN = timedelta(minutes=35)
"""Half an hour, and a poll."""


def nothing_unreadable(run: Run) -> Iterator[str]:
    for each in run.cloud.world.get("health")["unreadable"]:
        if each["key_arn"] not in run.disabled_by_hand and not _is_revoked(run, each["key_arn"]):
            yield f"{each['kind']} {each['name']}: {each['reason']}"


def access_is_as_asked(run: Run) -> Iterator[str]:
    """Once it has begun it is done, whatever befell it; before, nothing is; and the ledger says what KMS shows."""
    for rotation in run.rotations():
        if not rotation.plan.access or not rotation.ended:
            continue
        revokes = rotation.plan.operation == "revoke"
        gone = revokes == (rotation.access.begun_at is not None)
        for key_arn in rotation.plan.access_keys:
            policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
            shut = not parted(policy, principals("commercial", ()))[1]
            if (shut, _is_revoked(run, key_arn)) != (gone, gone):
                yield f"{rotation.plan.operation} {rotation.status}: {key_arn} shut is {shut}, revoked {not shut}"


def _is_revoked(run: Run, key_arn: str) -> bool:
    known = run.cloud.ledger.keys.find(key_arn)
    return known is not None and known.is_revoked


def no_rule_broken(run: Run) -> Iterator[str]:
    """Databricks' rules, as the simulator saw them broken: PATCH over EC2, compute in the blackout or an update, ..."""
    for each in run.cloud.world.get("violations"):
        if each["rule"] != "key_disabled_too_early" and each not in run.their_violations:
            yield f"{each['rule']}: {each['detail']}"


def no_key_too_early(run: Run) -> Iterator[str]:
    for each in run.cloud.world.get("violations"):
        if each["rule"] == "key_disabled_too_early" and not any(a in str(each) for a in run.disabled_by_hand):
            yield str(each["detail"])
    for key_arn, users in _users(run).items():
        if _state(key_arn) != "Enabled" and key_arn not in run.disabled_by_hand:
            yield f"{key_arn} is {_state(key_arn)} while {users} refer to it"


def compute_is_back(run: Run) -> Iterator[str]:
    """As it was, or a finding of one of the rotations names the piece."""
    now = run.world_now()
    named = " ".join(each.text for rotation in run.rotations() for each in rotation.findings)
    for what, before in run.before["up"].items():
        after = now["up"].get(what)
        if before in _BACK and after not in _BACK and what not in run.deleted and what not in named:
            yield f"{what} was {before} and is {after}, and no finding names it"
        if before == "TERMINATED" and after in _BACK and what not in run.started | run.deleted:
            yield f"{what} was off and is {after}"
    for what in ("pools", "triggers"):
        for name, before in run.before[what].items():
            after = now[what].get(name)
            if after != before and name not in run.deleted and name not in named:
                yield f"{what} {name}: {before} became {after}, and no finding names it"


def one_key_and_configuration(run: Run) -> Iterator[str]:
    """A request makes one of each; what nobody uses goes, or the ledger knows why it does not."""
    users, known = _users(run), {key.key_arn: key for key in run.cloud.ledger.keys.all()}
    for key_arn in run.made_keys():
        if _state(key_arn) == "Enabled" and key_arn not in known:
            yield f"{key_arn} is enabled and the ledger does not know it (used by {users.get(key_arn, 'nobody')})"
    used = [each for each in run.made_keys() if each in users]
    if len(used) > len(run.executions):
        yield f"{len(used)} new keys are in use"
    findings = " ".join(each.text for rotation in run.rotations() for each in rotation.findings)
    # One whose change Databricks took back after all had ended is what the inventory calls drift.
    findings += " ".join(f"{each.configuration_id}" for each in run.rotations() if each.status == "succeeded")
    before = {each for pair in run.before["keys"].values() for each in pair if each}
    on = {each for pair in run.world_now()["keys"].values() for each in pair if each}
    for configuration_id in run.cloud.simulator.configurations:
        if configuration_id not in before | on and configuration_id not in findings:
            yield f"configuration {configuration_id} is used by nobody and no finding names it"


def lease_is_free(run: Run) -> Iterator[str]:
    for pk, sk in run.cloud.aws.items:
        if sk == "LEASE":
            yield f"the lease of {pk} is still held"


def all_is_ended(run: Run) -> Iterator[str]:
    for rotation in run.rotations():
        if not rotation.is_closed:
            yield f"{rotation.rotation_id} is {rotation.status} in the ledger and not closed"


def ledger_execution_and_event_agree(run: Run) -> Iterator[str]:
    by_name = {each.name: each for each in run.executions}
    # At least once: the bus may have the same event twice.
    fresh = {each["Detail"]: each for each in run.cloud.aws.published}
    events = [(each["DetailType"], json.loads(each["Detail"])) for each in fresh.values()]
    for rotation in run.rotations():
        execution = by_name[rotation.rotation_id]
        told = [kind for kind, detail in events if detail.get("rotation_id") == rotation.rotation_id]
        says_so = re.search(r"rekey (carries|goes) on by itself", execution.cause or "")
        carried_on = says_so and "Rotation Taken Up" in told
        if rotation.ended and not carried_on and _disagree(execution.status, execution.states, rotation.status):
            yield f"{rotation.status} in the ledger, {execution.status} in Step Functions ({execution.error})"
        ends = [kind for kind, detail in events if detail.get("rotation_id") == rotation.rotation_id and kind in _ENDS]
        if rotation.ended and not run.too_old and (not ends or _ENDS[ends[-1]] != rotation.status):
            yield f"{rotation.status} in the ledger, the last event says {ends[-1:] or 'nothing'}"
        if len(ends) > 1:
            yield f"the end was told {len(ends)} times: {ends}"


_ENDS = {
    "Rotation Succeeded": "succeeded",
    "Rotation Failed": "failed",
    "Rotation Cancelled": "cancelled",
}


def _disagree(execution: str, states: Sequence[str], rotation: str) -> bool:
    """One whose end could not be written says so, and that it is carried on."""
    if execution == "SUCCEEDED":
        return states[-1] == "Rotation succeeded" and rotation != "succeeded"
    failed = execution == "FAILED" and states[-1] == "Rotation failed"
    return failed and rotation == "succeeded" and "Rotation did not end" not in states


def every_sentence_is_true(run: Run) -> Iterator[str]:
    """What executions said of keys and compute when they ended, and what the ledger makes one say at rest."""
    for said in run.said:
        for pattern, holds in SENTENCES.items():
            if (match := pattern.search(said.text)) and not holds(run, said):
                yield f'{said.by} said "{match[0]}"'


def evidence_is_whole(run: Run) -> Iterator[str]:
    for rotation in run.rotations():
        if rotation.ended:
            yield from _evidence(run, rotation)
    yield from (f"{name}: {found}" for name, found in run.cloud.world.broken_chains().items())


def _evidence(run: Run, rotation: Rotation) -> Iterator[str]:
    text = run.cloud.aws.objects.get(f"rotations/{rotation.rotation_id}/evidence.json")
    if text is None:
        yield f"{rotation.rotation_id} has no evidence"
        return
    evidence = json.loads(text)
    verdict = verify(evidence)
    if verdict.problems or not verdict.sealed:
        yield f"{rotation.rotation_id}: {verdict.problems or 'its evidence is not sealed'}"
    if evidence["status"] != rotation.status:
        yield f"{rotation.rotation_id} is {rotation.status}, its evidence says {evidence['status']}"


def no_secret_anywhere(run: Run) -> Iterator[str]:
    secrets = run.secrets()
    places: Mapping[str, str] = {
        "the log": " ".join(run.ears.heard),
        "the ledger": json.dumps(list(run.cloud.aws.items.values()), default=str),
        "the bucket": " ".join(body.decode(errors="replace") for _, body in run.cloud.aws.versions),
        "an event": json.dumps(run.cloud.aws.published, default=str),
        "an execution": " ".join(f"{each.cause} {each.output}" for each in run.executions),
    }
    for where, text in places.items():
        if any(each in text for each in secrets):
            yield f"a token or the client secret stands in {where}"


def somebody_is_told(run: Run) -> Iterator[str]:
    """Within half an hour of compute being down longer than it should: an event, or the alarm on a failed execution."""
    for rotation in run.rotations():
        if rotation.blackout_started_at is None or rotation.failure is None:
            continue
        trail = run.cloud.ledger.trail(rotation.rotation_id)
        failed_at = next((clock.moment(e["at"]) for e in trail if e["action"] == "failure seen"), None)
        if failed_at is None:
            continue
        back = clock.moment(rotation.compute_back_at) if rotation.compute_back_at else run.cloud.now()
        if back <= failed_at + _TOLD_WITHIN:
            continue
        ended = [each.ended_at for each in run.executions if each.name == rotation.rotation_id and each.ended_at]
        told = [clock.moment(d["time"]) for kind, d in _events(run, rotation) if kind in _TELLING]
        moments = [each.timestamp() for each in told] + ended
        if not any(each <= (failed_at + _TOLD_WITHIN).timestamp() for each in moments):
            yield f"{rotation.rotation_id}: compute was down from {failed_at} to {back}, and nobody was told"


_TELLING = {"Compute Down", "Rotation Failed", "Rotation Cancelled", "Rotation Rolled Back"}


def slow_is_not_failed(run: Run) -> Iterator[str]:
    """What passes by itself makes a rotation slower, and does not end it."""
    first = run.executions[0]
    if run.scenario.fails or not all(each.passes for each in run.troubles):
        return
    if first.status != "SUCCEEDED":
        yield f"{first.status} {first.error} in {_last_task(first.states)}: {(first.cause or '')[:200]}"


def old_key_goes(run: Run) -> Iterator[str]:
    """Three days after a rotation succeeded the old key is off, unless somebody still refers to it."""
    users = _users(run)
    for rotation in run.rotations():
        old = rotation.plan.old_key
        if rotation.status != "succeeded" or old is None or old.fate != "disable" or old.key_arn in users:
            continue
        if old.key_arn in run.asked_for:
            continue
        if _held_for_the_new_one(run, rotation, old.key_arn):
            continue
        if old.key_arn not in run.disabled_by_hand and _state(old.key_arn) == "Enabled":
            known = run.cloud.ledger.keys.find(old.key_arn)
            yield f"{old.key_arn} is still enabled ({known.state if known else 'not in the ledger'})"


def _held_for_the_new_one(run: Run, rotation: Rotation, old: str) -> bool:
    """Somebody disabled the new key once the old one was off: the old one is back, and stays until a person looks."""
    known = run.cloud.ledger.keys.find(old)
    told = [json.loads(each["Detail"]) for each in run.cloud.aws.published if each["DetailType"] == "Key Re-enabled"]
    back = any(each["data"]["key_arn"] == old for each in told)
    return rotation.key_arn in run.disabled_by_hand and known is not None and known.state == "held" and back


def all_is_told(run: Run) -> Iterator[str]:
    """Whatever befell the outbox: every event, in order, or what was too old in the queue."""
    told = list(dict.fromkeys((each["DetailType"], each["Detail"]) for each in run.cloud.aws.published))
    wanted = [(each["DetailType"], each["Detail"]) for each in run.to_be_told]
    missing = [kind for kind, detail in wanted if (kind, detail) not in told]
    if missing:
        yield f"never told: {missing}"
    elif [each for each in told if each in wanted] != list(dict.fromkeys(wanted)):
        yield f"told out of order: {[kind for kind, _ in told]}"


def needed_key_is_back(run: Run) -> Iterator[str]:
    """A key whose use was refused after it had gone is enabled and held, in KMS as in the ledger; or a queue has it."""
    for key_arn in run.asked_for:
        known = run.cloud.ledger.keys.find(key_arn)
        said, state = known.state if known else "nothing", _state(key_arn)
        if key_arn in run.untaken and state != "Enabled":
            continue
        if run.executions[0].status == "SUCCEEDED" and (said, state) != ("held", "Enabled"):
            yield f"{key_arn} is {state} in KMS and {said} in the ledger"


def others_work_is_kept(run: Run) -> Iterator[str]:
    """What a key's owner wrote into its policy stays there."""
    for key_arn in run.edited:
        policy = json.loads(client("kms").get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"])
        if not any(each.get("Action") in ("kms:DescribeKey", ["kms:DescribeKey"]) for each in policy["Statement"]):
            yield f"the owner's statement is gone from the policy of {key_arn}"


def record_failure_needs_the_ledger_alone(run: Run) -> Iterator[str]:
    """Whatever Databricks answers, it closes what it can."""
    for _, function, error in run.cloud.lambdas.failed:
        if function == "record_failure" and error in _DATABRICKS:
            yield f"Record failure ended with {error}"


_DATABRICKS = {
    *("DatabricksThrottled", "DatabricksUnavailable", "DatabricksError", "Unauthenticated", "PermissionDenied"),
    *("NetworkRefused", "NotFound", "InvalidState", "OutcomeUnknown"),
}


def _last_task(states: Sequence[str]) -> str:
    """The state that failed: the last before the failure route."""
    route = ("Roll back", "Record refusal")
    ahead = states[: min((states.index(each) for each in route if each in states), default=len(states))]
    return ahead[-1] if ahead else ""


def _events(run: Run, rotation: Rotation) -> Iterator[tuple[str, Any]]:
    for each in run.cloud.aws.published:
        detail = json.loads(each["Detail"])
        if detail.get("rotation_id") == rotation.rotation_id:
            yield each["DetailType"], detail


def _users(run: Run) -> dict[str, list[int]]:
    """Workspaces that refer to each key."""
    found: dict[str, list[int]] = {}
    for number, pair in run.world_now()["keys"].items():
        for configuration_id in filter(None, pair):
            key_arn = run.cloud.simulator.configurations[configuration_id].key_arn
            found.setdefault(key_arn, []).append(number)
    return found


def _state(key_arn: str) -> str:
    try:
        return str(client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]["KeyState"])
    except ClientError as error:
        return str(error.response["Error"]["Code"])


INVARIANTS: Mapping[str, Invariant] = {
    each.__name__: each
    for each in (
        *(nothing_unreadable, no_rule_broken, no_key_too_early, compute_is_back, one_key_and_configuration),
        *(lease_is_free, all_is_ended, ledger_execution_and_event_agree, every_sentence_is_true, evidence_is_whole),
        *(no_secret_anywhere, somebody_is_told, slow_is_not_failed, others_work_is_kept, old_key_goes),
        *(all_is_told, needed_key_is_back, access_is_as_asked),
        record_failure_needs_the_ledger_alone,
    )
}


def broken(run: Run) -> list[tuple[str, str]]:
    """(invariant, what is wrong) of everything that does not hold."""
    return [(name, said) for name, check in INVARIANTS.items() for said in check(run)]
