"""The policy of a rotation's key: what is missing is added, and after a failure exactly that is taken out again.

PutKeyPolicy replaces the whole document and takes no condition, and GetKeyPolicy may show for a moment what was there
before. So rekey's own rotations hold a key's policy one at a time, write down what they will add before they put it,
and put back what another one added and a late read did not show.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.kms_key import KmsKey
from rekey.aws.policy import default_statement
from rekey.aws.policy_document import Statement, additions, compact, lacking, merged, same, statements, without
from rekey.base import clock
from rekey.base.arns import KeyArn
from rekey.base.errors import AwsUnavailable, PolicyRefused, RekeyError
from rekey.model.actions import Action
from rekey.model.answers import PolicySet
from rekey.model.findings import Finding, FindingCode
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.rotation.keys import added_statements, wanted_policy
from rekey.rotation.sharing import needs_of_others, others_under_way
from rekey.rotation.step import Step

PATIENCE = timedelta(minutes=3)
"""How long a refused principal may still be one that IAM has not spread yet; it takes seconds as a rule."""

Document = dict[str, Any]


def ensure_policy(step: Step) -> PolicySet:
    """Give the rotation's key the policy its use cases need.

    Raises AwsUnavailable while another rotation writes it, KMS does not show it or does not know a new role yet;
    PolicyRefused where KMS takes it no more.
    """
    key_arn = step.key_arn
    if not step.rotation.plan.key_seen:
        step.note(policy_set_at=step.rotation.policy_set_at or clock.stamp())
        return PolicySet(key_arn=key_arn, changed=False)
    with step.ledger.keys.policy_held(key_arn, step.rotation.rotation_id):
        before = KmsKey(key_arn).policy()
        new = step.rotation.plan.key_source == "new"
        document = _whole(step, key_arn, before) if new else _with_ours(step, key_arn, before)
        changed = not same(document, before)
        if changed:
            put_as_wanted(step, key_arn, document)
            detail = {"key_arn": key_arn, "before": compact(before), "policy": compact(document)}
            step.record(StepName.SET_POLICY, Action.POLICY_SET, detail)
            _check_shown(key_arn, document)
    if step.rotation.policy_set_at is None:
        step.note(policy_set_at=clock.stamp())
    return PolicySet(key_arn=key_arn, changed=changed)


def give_back(step: Step, key_arn: str) -> list[Finding]:
    """Take out of a given key's policy what this rotation added and nobody needs. Gives what stays, each with why."""
    if not step.rotation.policy_added:
        return []
    if step.rotation.may_have_switched:
        return [_stays(f"key {key_arn} keeps Databricks' statements: something may be encrypted under it.")]
    with step.ledger.keys.policy_held(key_arn, step.rotation.rotation_id):
        others = others_under_way(step, key_arn)
        needs = needs_of_others(step, key_arn, others)
        judged = [(each, needs.why(each)) for each in step.rotation.policy_added]
        before = KmsKey(key_arn).policy()
        document, taken = without(before, [each for each, why in judged if why is None])
        if taken and (refused := _put_back(key_arn, _with_theirs(document, others))):
            return [_stays(f"key {key_arn} keeps {_sids(taken)}: KMS takes its policy no more ({refused}).")]
        if taken:
            _check_gone(key_arn, taken)
        left = [_stays(f"key {key_arn} keeps the statement {each['Sid']!r}: {why}.") for each, why in judged if why]
        findings = step.rotation.with_findings(left)
        told = [each.text for each in left]
        detail = {"key_arn": key_arn, "taken_out": _sids(taken), "left": told, "policy": compact(document)}
        step.record(StepName.ROLL_BACK, Action.POLICY_PUT_BACK, detail, policy_added=(), findings=findings)
    return left


def _whole(step: Step, key_arn: str, before: Document) -> Document:
    """The policy of a key that the rotation made; one that others added to meanwhile keeps what they added."""
    wanted, parts = wanted_policy(step.settings, step.rotation, key_arn), KeyArn.of(key_arn)
    # KMS' own statement would leave the key to the whole account's IAM, whoever is to administer it.
    theirs, _ = without(before, [default_statement(parts.partition, parts.account)])
    foreign = lacking(wanted, statements(theirs))
    document = merged(compact(theirs), wanted["Statement"]) if foreign else wanted
    return _with_theirs(document, others_under_way(step, key_arn))


def _with_ours(step: Step, key_arn: str, before: Document) -> Document:
    """A given key's policy with what the rotation needs, noted before it is put."""
    rotation, plan = step.rotation, step.rotation.plan
    wanted = added_statements(step.settings, rotation.request, plan.use_cases, plan.cross_account_role)
    ours = additions(before, wanted)
    if not ours:
        return before
    noted = [*rotation.policy_added, *[each for each in ours if each not in rotation.policy_added]]
    step.rotation = step.ledger.note(rotation, policy_added=tuple(noted))
    document = {**before, "Statement": [*statements(before), *ours]}
    return _with_theirs(document, others_under_way(step, key_arn))


def _with_theirs(document: Document, others: Sequence[Rotation]) -> Document:
    """With what rotations under way have added: a read may be too late to show it."""
    return merged(compact(document), [each for other in others for each in other.policy_added])


def put_as_wanted(step: Step, key_arn: str, document: Document) -> None:
    """Put a key's policy; what KMS refuses gets our names. Raises AwsUnavailable or PolicyRefused."""
    try:
        KmsKey(key_arn).put_policy(document)
    except ClientError as error:
        match clients.error_code(error):
            case "NotFoundException":
                raise KmsKey(key_arn).not_yet() from error
            case "LimitExceededException":
                raise PolicyRefused(
                    f"The policy of {key_arn} became too large for Databricks' statements: {error}. "
                    "Fix: shorten it, or use another key."
                ) from error
            case "MalformedPolicyDocumentException":
                raise _malformed(step, key_arn, str(error)) from error
        raise


def _malformed(step: Step, key_arn: str, said: str) -> RekeyError:
    """A principal that KMS does not know looks the same whether it is too new, gone, or misspelt: time tells."""
    since = step.rotation.policy_refused_at
    if since is None:
        since = clock.stamp()
        step.rotation = step.ledger.note(step.rotation, policy_refused_at=since)
    waited = clock.now() - clock.moment(since)
    role = step.rotation.plan.cross_account_role
    named = f"the role {role}" if role else "no role that rekey adds"
    text = f"KMS refuses the policy of {key_arn}, which names {named}: {said}"
    if waited < PATIENCE:
        return AwsUnavailable(f"{text}. A role that was made a moment ago is refused for a while.")
    return PolicyRefused(
        f"{text}, and has done so for {waited.total_seconds() / 60:.0f} minutes. "
        "Fix: check that the role exists under this very ARN and that every other principal of the policy does."
    )


def _put_back(key_arn: str, document: Document) -> str | None:
    """None, or why KMS takes the policy no more: a principal in it may have been deleted meanwhile."""
    try:
        KmsKey(key_arn).put_policy(document)
    except ClientError as error:
        if clients.error_code(error) not in ("MalformedPolicyDocumentException", "LimitExceededException"):
            raise
        return str(error)
    return None


def _check_shown(key_arn: str, document: Document) -> None:
    """Not put again at once: a read that is merely late would then lose what others wrote in between."""
    if lacking(KmsKey(key_arn).policy(), statements(document)):
        raise AwsUnavailable(f"KMS does not yet show the policy that was put on {key_arn}.")


def _check_gone(key_arn: str, taken: Sequence[Statement]) -> None:
    if without(KmsKey(key_arn).policy(), taken)[1]:
        raise AwsUnavailable(f"KMS still shows what was taken out of the policy of {key_arn}.")


def _sids(found: Sequence[Statement]) -> list[str]:
    return [each["Sid"] for each in found]


def _stays(text: str) -> Finding:
    return Finding(code=FindingCode.POLICY_STAYS, text=text)
