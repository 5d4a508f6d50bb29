"""What there is to compare: of a workspace its key configurations, of a key its policy, its rotation and its tag."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rekey.aws.policy import DATABRICKS_PRINCIPALS, databricks_statements
from rekey.aws.policy_document import Document, Statement, meaning, statements
from rekey.aws.policy_evaluation import ABSENT, Begins, Caller, Known, Value, hits
from rekey.aws.tags import EARLIER, MANAGED
from rekey.base.arns import account_of
from rekey.base.key_settings import KeySettings
from rekey.base.settings import Settings
from rekey.databricks import Workspace
from rekey.ledger import Ledger
from rekey.model.drift import FIELDS, NONE, OFF, ON, Facts, Proof, What
from rekey.model.key import Key
from rekey.model.rotation import Rotation

_NEEDED = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey"),
    *("kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey", "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"),
)
"""What Databricks does with keys (rekey.aws.policy)."""

_EC2 = "ec2."
"""What kms:ViaService begins with in the statement for cluster volumes, whichever role it names."""


def of_workspace(workspace: Workspace) -> Facts:
    return {what: workspace.configuration_id(each) or NONE for each, what in FIELDS.items()}  # type: ignore[arg-type]


def policy_fact(settings: Settings, document: Document, key_arn: str) -> str:
    """The statements that concern Databricks, by what they mean; everybody else's are their owner's business."""
    found = [each for each in statements(document) if _concerns(settings, each, key_arn)]
    return texts(found)


def texts(found: Sequence[Statement]) -> str:
    return json.dumps(sorted({meaning(each) for each in found}))


def rotation_fact(status: Mapping[str, Any]) -> str:
    return ON if status.get("KeyRotationEnabled") else OFF


def tag_fact(settings: Settings, tags: Mapping[str, str]) -> str:
    """The stack's name, or what else is there. What 0.1.0 set stands for it: the key check writes the name there."""
    value = tags.get(MANAGED, NONE)
    return settings.keys.managed_by if value == EARLIER else value


def expected_statements(settings: Settings, rotation: Rotation) -> list[Statement]:
    """What the policy of a key must let Databricks do, by the rotation that proved it last."""
    return databricks_statements(
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=rotation.plan.use_cases,
        cross_account_role=rotation.plan.cross_account_role,
    )


def basis(key: Key) -> str:
    """What a key's proof stands on: another rotation, or another state, proves it anew."""
    return f"{key.last_wanted_by or '-'} {key.since}"


def proof_of_key(settings: Settings, ledger: Ledger, key: Key, seen: Facts, at: str) -> Proof:
    """What is proven of a key: by the rotation that used it last, and beyond that as it is first seen.

    Of one whose access is revoked it is that the statements which revoke took away are gone.
    """
    facts = dict(seen)
    if key.revoked and What.POLICY in facts:
        taken = {meaning(each) for each in key.revoked.statements}
        facts[What.POLICY] = json.dumps(sorted({*json.loads(facts[What.POLICY])} - taken))
        return Proof(subject=key.key_arn, of=basis(key), at=at, facts=facts)
    if (rotation := _proving(ledger, key)) and rotation.plan.key_seen:
        expected = texts(expected_statements(settings, rotation))
        if rotation.plan.key_source == "new":
            facts |= {What.POLICY: expected, What.TAG: settings.keys.managed_by}
            facts |= {What.ROTATION: ON} if settings.keys.rotation_days else {}
        elif What.POLICY in facts:
            facts[What.POLICY] = json.dumps(sorted({*json.loads(facts[What.POLICY]), *json.loads(expected)}))
    return Proof(subject=key.key_arn, of=basis(key), at=at, facts=facts)


def has_rotated(settings: KeySettings, ledger: Ledger, key: Key) -> bool:
    """Whether it is proven that KMS renewed the key's material by itself: to switch that on is a repair then."""
    proof = ledger.drifts.proof(key.key_arn)
    if proof and proof.of == basis(key):
        return proof.facts.get(What.ROTATION) == ON
    rotation = _proving(ledger, key)
    return rotation is not None and rotation.plan.key_source == "new" and settings.rotation_days > 0


def _proving(ledger: Ledger, key: Key) -> Rotation | None:
    """The rotation that gave the key to its workspace, where it was the last one to use the key."""
    rotation = ledger.find(key.last_wanted_by) if key.last_wanted_by else None
    return rotation if rotation and rotation.status == "succeeded" and rotation.key_arn == key.key_arn else None


def _concerns(settings: Settings, statement: Statement, key_arn: str) -> bool:
    """Whether a statement lets Databricks in, or may keep it out, or lets EC2 in for its cluster volumes."""
    conditions = statement.get("Condition", {})
    services = [
        value for keys in conditions.values() for name, value in keys.items() if name.lower() == "kms:viaservice"
    ]
    if any(_EC2 in json.dumps(each) for each in services):
        return True
    if statement.get("Effect") == "Allow":
        # Whatever it allows Databricks, documented or not, and for whichever of its customers.
        anything = {name: value for name, value in statement.items() if name != "NotAction"} | {"Action": "kms:*"}
        return hits(anything, _databricks(settings), "kms:Decrypt", key_arn).answer is not False
    return any(hits(statement, _databricks(settings, each), each, key_arn).answer is not False for each in _NEEDED)


def _databricks(settings: Settings, action: str | None = None) -> Caller:
    """Databricks as it calls KMS: for its customer where the action is known."""
    principal = DATABRICKS_PRINCIPALS[settings.databricks_shard]
    account = account_of(principal)
    keys: dict[str, Value] = {
        "aws:principalarn": Begins(principal.removesuffix("root")),
        "aws:principalaccount": Known(account),
        "kms:calleraccount": Known(account),
        "aws:principalisawsservice": Known("false"),
        "aws:sourceaccount": ABSENT,
    }
    if action is not None:
        keys |= {
            "aws:securetransport": Known("true"),
            "aws:principaltag/databricksaccountid": Known(settings.databricks_account_id),
            "kms:grantisforawsresource": Known("true") if action.endswith(("Grant", "Grants")) else ABSENT,
            # There only when a policy is put, or a key taken away (AWS KMS, "Condition keys for AWS KMS").
            "kms:bypasspolicylockoutsafetycheck": ABSENT,
            "kms:trailingdayswithoutkeyusage": ABSENT,
        }
    return Caller(account, None, keys)
