"""Why a key that a workspace uses does not comply: every reason that holds, each with its fix. Plain functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rekey.aws.kms_key import WAITS_FOR_DELETION, days_old
from rekey.aws.policy_document import Statement
from rekey.aws.policy_width import wider
from rekey.base.arns import KeyArn
from rekey.inventory.look import KmsLook
from rekey.model.access import Revoked
from rekey.model.inventory import MEANINGS, Reason, Why

USABLE = ("Enabled", "Creating", "Updating")
"""States in which KMS uses a key, or is about to."""


AGE_TAG = "rekey_max_key_age_days"
"""A workspace's custom tag: how old the material of its keys may be, in place of the policy's days."""

MOST_AGE_DAYS = 3650
"""As infra/settings/keys.py has it; a test holds the two together."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the inventory asks of every key."""

    max_age_days: Mapping[str, int]
    """By use case; one that is not named needs no key."""
    wants_rotation: bool
    """Whether KMS is to renew material by itself (rekey:key_rotation_days is not 0)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One key in one use, and all that is to be known to judge it."""

    key_arn: str
    look: KmsLook
    known: bool
    """Whether the ledger knows the key."""
    documented: Sequence[Statement]
    """What its policy may let Databricks do."""
    max_age_days: int | None
    now: datetime
    revoked: Revoked | None = None
    """Who took Databricks' access to it away, and when."""


def judge(case: Case, rules: Rules) -> tuple[Why, ...]:
    """Why it does not comply, the worst first."""
    order = list(MEANINGS)
    return tuple(sorted(_reasons(case, rules), key=lambda each: order.index(each.reason)))


def age_days(look: KmsLook, now: datetime) -> int | None:
    return days_old(look.material_since, now) if look.material_since else None


def allowed_age(policy_days: int | None, tags: Mapping[str, str]) -> tuple[int | None, Why | None]:
    """How old a workspace's keys may be: as its tag has it, or the policy; and what is wrong with the tag.

    A use case that the policy does not name needs no key, whatever the tag says.
    """
    value = tags.get(AGE_TAG)
    if value is None or policy_days is None:
        return policy_days, None
    if value.isascii() and value.isdigit() and 1 <= int(value) <= MOST_AGE_DAYS:
        return int(value), None
    said = f"the workspace's tag {AGE_TAG} is no number of days from 1 to {MOST_AGE_DAYS:,}"
    text = f"its age limit cannot be read because {said}; until then it is {policy_days} days. Fix: correct the tag"
    return policy_days, Why(reason=Reason.UNREADABLE, text=text)


def due_at(look: KmsLook, max_age_days: int | None) -> datetime | None:
    """When the material becomes too old."""
    if look.material_since is None or max_age_days is None:
        return None
    return look.material_since + timedelta(days=max_age_days)


def _reasons(case: Case, rules: Rules) -> Iterator[Why]:
    look = case.look
    for trouble in look.troubles:
        yield Why(reason=Reason.UNREADABLE, text=f"it cannot be read because {trouble}")
    if revoked := case.revoked:
        fix = f"Fix: rekey restore {revoked.workspaces[0]}, once it may be used again"
        text = f"Databricks' access to it was revoked on {revoked.at} by {revoked.by} ({revoked.rotation_id}). {fix}"
        yield Why(reason=Reason.REVOKED, text=text)
    if look.state in WAITS_FOR_DELETION:
        fix = "Fix: aws kms cancel-key-deletion and enable-key at once (docs/operations.md)"
        yield Why(reason=Reason.DELETION, text=f"KMS will delete the key, which is in use. {fix}")
    elif look.state and look.state not in USABLE:
        yield Why(reason=Reason.DISABLED, text=f"the key is {look.state}, and in use. Fix: enable it")
    age = age_days(look, case.now)
    if age is not None and case.max_age_days is not None and age > case.max_age_days:
        text = f"its material is {age} days old, and {case.max_age_days} are allowed. Fix: rotate it"
        yield Why(reason=Reason.TOO_OLD, text=text)
    account = KeyArn.of(case.key_arn).account
    if look.policy is not None and (found := wider(look.policy, case.documented, account)):
        named = ", ".join(found)
        text = f"its policy lets others in than Databricks needs: statement {named}. Fix: narrow it"
        yield Why(reason=Reason.POLICY_WIDER, text=text)
    if rules.wants_rotation and look.rotates_every_days == 0:
        fix = "Fix: aws kms enable-key-rotation, or have rekey look after the key"
        yield Why(reason=Reason.ROTATION_OFF, text=f"KMS does not renew its material by itself. {fix}")
    if not case.known:
        text = "rekey does not look after the key. Fix: rekey keys adopt, or rotate to a new one"
        yield Why(reason=Reason.UNKNOWN, text=text)
