"""Adoption: a key that rekey did not make, or holds, is put under its care when its owner says so.

The owner's consent is the tag rekey:managed with the stack's name, which IAM checks: this only verifies it.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from rekey.aws.kms_key import KeyFacts, look_at
from rekey.aws.tags import MANAGED, USE_CASES
from rekey.base import clock
from rekey.base.arns import KeyArn
from rekey.base.errors import KeyNotTagged, RequestRefused
from rekey.databricks import Account, Estate
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import Key, meet
from rekey.model.key_answers import Adopted
from rekey.model.refusal import Refusal, joined
from rekey.model.request import KEY_ARN
from rekey.planning.case import KeyCase
from rekey.planning.rules.keys import SERVES, refused


class Adoption(BaseModel):
    """What the command line sends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key_arn: str = Field(pattern=KEY_ARN)
    own_account: str = Field(pattern=r"^\d{12}$")
    """The AWS account that rekey is in. Of others it reaches those with the role; a key of any other is refused."""
    check_only: bool = False
    """Say whether the key could be adopted once it carries the tag; nothing is written."""
    asked_by: str = Field(default="", max_length=200)


def adopt(
    ledger: Ledger, account: Account, adoption: Adoption, *, stack: str, grace_seconds: int, at: datetime
) -> Adopted:
    """Put a key under rekey's care: in use it becomes current; else it waits to go, with a grace period of its own.

    Raises RequestRefused; KeyNotTagged where nothing but its owner's consent is missing.
    """
    key_arn = adoption.key_arn
    estate = Estate.read(account)
    kms = look_at(key_arn, adoption.own_account)
    known = ledger.keys.find(key_arn)
    found = forbids_adoption(kms, estate, known, adoption, stack)
    if found:
        raise RequestRefused(joined(found))
    if adoption.check_only:
        state, why = (known.state, known.why) if known else ("retained", "it is not under rekey's care yet")
        return Adopted(key_arn=key_arn, state=state, why=why, adopted=False)
    if not kms.tagged(MANAGED, stack):
        problem = f"it does not carry the tag {MANAGED}={stack}, its owner's consent"
        raise KeyNotTagged(str(Refusal("key_arn", problem, "tag it; a tag can take a few minutes to count")))
    if known is not None and known.state == "disabled":
        # Only an enabled key gets here: its owner was quicker than the key check, which would have held it.
        held = known.to("held", "somebody enabled it, so it is theirs to let go", at)
        known = ledger.keys.change(known, held, KeyAction.FOUND_ENABLED)
    key = _adopted(known, estate, adoption, grace_seconds, at)
    changed = key != known
    if changed:
        ledger.keys.change(known, key, KeyAction.ADOPTED, asked_by=adoption.asked_by)
    return Adopted(key_arn=key_arn, state=key.state, why=key.why, adopted=changed)


def forbids_adoption(kms: KeyFacts, estate: Estate, known: Key | None, adoption: Adoption, stack: str) -> list[Refusal]:
    """Every reason why a key cannot be adopted, also once it carries the tag."""
    key_arn, region = adoption.key_arn, KeyArn.of(adoption.key_arn).region
    found = refused(KeyCase("key_arn", kms, region=region, stack=stack), SERVES)
    wrong = [each.workspace_id for each in estate.users(key_arn) if each.region != region]
    if wrong:
        problem = f"workspace {wrong[0]} names it from another region"
        found.append(Refusal("key_arn", problem, "ask Databricks support"))
    if unexplained := estate.unexplained():
        problem = (
            f"workspace {unexplained[0]} names a key configuration that the account does not list: "
            "nobody can tell whether it is on the key"
        )
        found.append(Refusal("key_arn", problem, "ask again in a few minutes, then ask Databricks support"))
    ever = (known is not None and known.served_storage) or "STORAGE" in dict(kms.tags).get(USE_CASES, "").split()
    if ever or estate.serves_storage(key_arn):
        problem = "it is or was registered for STORAGE, whose data needs its key forever"
        found.append(Refusal("key_arn", problem, "none is needed; it is retained as it is"))
    if known is not None and known.claimed_at:
        found.append(Refusal("key_arn", "it is being disabled at this moment", "ask again in a quarter of an hour"))
    return found


def _adopted(known: Key | None, estate: Estate, adoption: Adoption, grace_seconds: int, at: datetime) -> Key:
    key = known or meet(adoption.key_arn, "retained", "it is not under rekey's care yet", at)
    users = [each.workspace_id for each in estate.users(adoption.key_arn)]
    key = key.but(workspaces=tuple(dict.fromkeys([*key.workspaces, *users])))
    by = f" by {adoption.asked_by}" if adoption.asked_by else ""
    if users and key.state in ("held", "retained"):
        return key.to("current", f"adopted{by}; workspace {', '.join(map(str, sorted(users)))} uses it", at)
    if not users and key.state in ("held", "retained", "current"):
        why = f"adopted{by}; no workspace uses it: it waits for the end of a grace period of its own"
        return key.waits(at, grace_seconds, why, at, unreferenced_since=clock.text(at))
    return known or key  # Under rekey's care already.
