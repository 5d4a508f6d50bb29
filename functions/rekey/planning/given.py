"""A key that rekey did not make: every reason why it cannot serve a workspace."""

import json
from collections.abc import Sequence

from rekey.aws.kms_key import KEPT_BY_KMS, KeyFacts
from rekey.aws.policy_document import MAX_BYTES, Statement, merged, missing_statements, size, taken_no_more
from rekey.aws.tags import BROUGHT, MANAGED
from rekey.base.arns import KeyArn
from rekey.rotation.material import MOST_ON_DEMAND


def forbids_key(field: str, key: KeyFacts, *, region: str, own_account: str) -> list[str]:
    """Why a key cannot serve a workspace of the region at all (Databricks: symmetric, same region)."""
    parts = KeyArn.of(key.arn)
    if parts.account != own_account:
        return [
            f"{field}: the key is in the AWS account {parts.account}, rekey is in {own_account} and cannot see to its "
            "policy from there. Mend: deploy rekey into the key's account, or use a key of this one."
        ]
    if parts.region != region:
        return [
            f"{field}: the key is in {parts.region}, the workspace in {region}. "
            "Mend: use a key in the workspace's region."
        ]
    if not key.state:
        return [f"{field}: KMS knows no key {key.arn}. Mend: copy the ARN from the KMS console."]
    found = []
    if key.state != "Enabled":
        found.append(f"{field}: the key is {key.state}. Mend: enable it, or use another one.")
    if (key.spec, key.usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
        found.append(
            f"{field}: the key is {key.spec} for {key.usage}; Databricks needs a symmetric key for encryption. "
            "Mend: use a key with spec SYMMETRIC_DEFAULT and usage ENCRYPT_DECRYPT."
        )
    return found


def forbids_policy(field: str, key: KeyFacts, wanted: Sequence[Statement]) -> list[str]:
    """Why the key's policy cannot be made to let Databricks in."""
    missing = missing_statements(key.policy, wanted)
    if not missing:
        return []
    if not key.tagged(MANAGED, BROUGHT):
        return [
            f"{field}: the key's policy lacks {'; '.join(missing)}, and rekey may not add to it. "
            f"Mend: tag the key {BROUGHT}=true, which lets rekey add these statements and nothing more."
        ]
    if refused := taken_no_more(json.loads(key.policy)):
        return [
            f"{field}: the key's policy lacks {'; '.join(missing)}, and KMS would refuse what rekey puts. Mend: {each}."
            for each in refused
        ]
    if size(merged(key.policy, wanted)) > MAX_BYTES:
        return [
            f"{field}: with Databricks' statements the key's policy would be over {MAX_BYTES} bytes. "
            "Mend: shorten the policy, or use another key."
        ]
    return []


def forbids_renewal(field: str, key: KeyFacts, *, yearly: bool) -> list[str]:
    """Why KMS cannot renew the key's material (AWS KMS API reference, RotateKeyOnDemand and EnableKeyRotation)."""
    if not key.tagged(MANAGED, BROUGHT):
        return [
            f"{field}: the key {key.arn} carries no tag of rekey, so its material is not rekey's to renew. "
            f"Mend: tag it {BROUGHT}=true."
        ]
    if key.key_store or key.origin not in KEPT_BY_KMS:
        return [
            f"{field}: the key {key.arn} is in the custom key store {key.key_store} ({key.origin}), where KMS renews "
            f"no material. Mend: {_ANOTHER}."
        ]
    if key.primary:
        return [
            f"{field}: the key {key.arn} is a replica of a multi-region key, and only the primary key is renewed. "
            f"Mend: renew the primary key {key.primary} (aws kms rotate-key-on-demand); its replicas follow."
        ]
    found = []
    if key.origin == "EXTERNAL" and key.waiting != "PENDING_ROTATION":
        where = " into each replica too" if key.waiting else ""
        found.append(
            f"{field}: the key {key.arn} has imported material (origin EXTERNAL), which KMS renews only to new "
            f"material that waits for it. Mend: import new key material{where} (aws kms import-key-material "
            "--import-type NEW_KEY_MATERIAL), and ask again."
        )
    if yearly and key.origin == "EXTERNAL":
        found.append(
            f"yearly_rotation: the key {key.arn} has imported material, which KMS never renews by itself. "
            "Mend: leave it out."
        )
    if key.rotations >= MOST_ON_DEMAND:
        found.append(
            f"{field}: the key {key.arn} was rotated on demand {key.rotations} times, the most that KMS allows. "
            f"Mend: turn on its yearly rotation in KMS, or {_ANOTHER}."
        )
    return found


_ANOTHER = 'for MANAGED_SERVICES ask for operation "rotate", which changes to another key'
