"""A key that rekey did not make: what is known of it, and every reason why it cannot serve a workspace."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from rekey.aws import clients
from rekey.aws.policy_document import MAX_BYTES, Statement, merged, missing_statements, size, taken_no_more
from rekey.rotation.keys import MANAGED, KeyArn, read_tags

BROUGHT = "rekey:brought"
"""Tag with which the owner of a key lets rekey add statements to its policy, and nothing more."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One KMS key as it is now. Empty texts where KMS knows no such key, or it is not in this account."""

    arn: str
    state: str = ""
    spec: str = ""
    usage: str = ""
    policy: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    def tagged(self, *names: str) -> bool:
        return any((name, "true") in self.tags for name in names)


def look_at(key_arn: str, own_account: str) -> KeyFacts:
    """Read a key. A key of another account is not asked for: its policy and state cannot be changed from here."""
    parts = KeyArn.of(key_arn)
    if parts.account != own_account:
        return KeyFacts(key_arn)
    kms = clients.kms(parts.region)
    try:
        metadata = kms.describe_key(KeyId=key_arn)["KeyMetadata"]
        document = kms.get_key_policy(KeyId=parts.key_id, PolicyName="default")["Policy"]
        tags = read_tags(kms, key_arn)
    except ClientError as error:
        if clients.error_code(error) == "NotFoundException":
            return KeyFacts(key_arn)
        raise
    return KeyFacts(
        arn=key_arn,
        state=metadata.get("KeyState", ""),
        spec=metadata.get("KeySpec", ""),
        usage=metadata.get("KeyUsage", ""),
        policy=document,
        tags=tuple(sorted(tags.items())),
    )


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
