"""One KMS key: read, given its policy, disabled, enabled, renewed. Never deleted.

botocore's errors pass through where nothing else is said.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from rekey.aws import clients, tags
from rekey.aws.policy_document import compact
from rekey.base import clock
from rekey.base.arns import KeyArn
from rekey.base.errors import AwsUnavailable

if TYPE_CHECKING:
    from mypy_boto3_kms.type_defs import KeyMetadataTypeDef

Document = dict[str, Any]

KEPT_BY_KMS = ("AWS_KMS", "EXTERNAL")
"""Origins of the keys of which KMS lists materials and rotations."""

WAITS_FOR_DELETION = ("PendingDeletion", "PendingReplicaDeletion")
"""States from which CancelKeyDeletion brings a key back, to Disabled."""

_NO_SUCH_ACTION = {"InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"}
_CANNOT_DISABLE = {"AccessDeniedException", "KMSInvalidStateException", "NotFoundException"}


@dataclass(frozen=True, slots=True)
class LastUse:
    """What KMS says of a key's last cryptographic use (GetKeyLastUsage: up to an hour late, same account only).

    Nothing is known where the API does not answer; `said` tells then why.
    """

    known: bool
    said: str
    at: datetime | None = None
    """The last use; where there was none, the moment since which KMS knows that there was none."""
    used: bool = False
    """Whether `at` is a use."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One KMS key as it is now. Empty texts where KMS knows no such key, or was not asked."""

    arn: str
    state: str = ""
    spec: str = ""
    usage: str = ""
    policy: str = ""
    origin: str = ""
    """AWS_KMS, EXTERNAL (imported material), AWS_CLOUDHSM or EXTERNAL_KEY_STORE."""
    key_store: str = ""
    """Id of the custom key store that it is in."""
    primary: str = ""
    """ARN of the primary key, of a multi-region key's replica."""
    rotations: int = 0
    """How often its material was rotated on demand. Read only where that is to be done again, as is `waiting`."""
    waiting: str = ""
    """State of imported material that was not rotated to, PENDING_ROTATION or what it waits for before."""
    tags: tuple[tuple[str, str], ...] = ()
    seen: bool = True
    """Whether KMS was asked: not for a key of an account that rekey has no way into."""

    def tagged(self, name: str, value: str = "true") -> bool:
        return (name, value) in self.tags


class KmsKey:
    """A key by its ARN, asked in the account and the region that the ARN names."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        parts = KeyArn.of(arn)
        self._id = parts.key_id
        self._kms = clients.kms(parts.account, parts.region)

    def describe(self) -> "KeyMetadataTypeDef":
        return self._kms.describe_key(KeyId=self.arn)["KeyMetadata"]

    def state(self) -> str:
        """Enabled, Disabled, PendingDeletion, ..."""
        return self.describe().get("KeyState", "")

    def tags(self) -> dict[str, str]:
        pages = self._kms.get_paginator("list_resource_tags").paginate(KeyId=self._id)
        return {each["TagKey"]: each["TagValue"] for page in pages for each in page["Tags"]}

    def tag(self, values: Mapping[str, str]) -> None:
        self._kms.tag_resource(KeyId=self._id, Tags=[{"TagKey": name, "TagValue": values[name]} for name in values])

    def name(self, alias: str) -> None:
        """Give it an alias. Raises AwsUnavailable while KMS does not show the key everywhere."""
        try:
            self._kms.create_alias(AliasName=alias, TargetKeyId=self.arn)
        except self._kms.exceptions.AlreadyExistsException:
            return  # An earlier try made it.
        except self._kms.exceptions.NotFoundException as error:
            raise self.not_yet() from error

    def policy(self) -> Document:
        """The key policy, parsed. Raises AwsUnavailable while KMS does not show the key everywhere."""
        try:
            document: Document = json.loads(self._kms.get_key_policy(KeyId=self.arn, PolicyName="default")["Policy"])
        except self._kms.exceptions.NotFoundException as error:
            raise self.not_yet() from error
        return document

    def put_policy(self, document: Document) -> None:
        """Replace the whole policy; it may take a moment to show."""
        self._kms.put_key_policy(KeyId=self.arn, PolicyName="default", Policy=compact(document))

    def disable(self) -> str | None:
        """None when nobody can use it now, else the reason why KMS would not disable it."""
        try:
            if self.state() not in ("Disabled", *WAITS_FOR_DELETION):
                self._kms.disable_key(KeyId=self._id)
        except ClientError as error:
            if clients.error_code(error) in _CANNOT_DISABLE:
                return f"{error} {clients.denied_by(error)}".rstrip()
            raise
        return None

    def enable(self) -> None:
        self._kms.enable_key(KeyId=self._id)

    def cancel_deletion(self) -> bool:
        """Whether a deletion was waiting, which is cancelled now. It leaves the key disabled."""
        if self.state() not in WAITS_FOR_DELETION:
            return False
        self._kms.cancel_key_deletion(KeyId=self._id)
        return True

    def last_use(self) -> LastUse:
        """When the key was last used, where KMS tells. Only a missing API means "not known": a denial is an error."""
        ask = getattr(self._kms, "get_key_last_usage", None)
        if ask is None:
            return LastUse(known=False, said="this botocore has no GetKeyLastUsage")
        try:
            answer: Any = ask(KeyId=self._id)
        except ClientError as error:
            if clients.error_code(error) in _NO_SUCH_ACTION:
                return LastUse(known=False, said="this region has no GetKeyLastUsage")
            raise
        used = answer.get("KeyLastUsage") or {}
        if "Timestamp" in used:
            at = used["Timestamp"]
            return LastUse(known=True, at=at, said=f"{used.get('Operation', 'use')} {clock.text(at)}", used=True)
        since = answer.get("TrackingStartDate") or answer.get("KeyCreationDate")
        if since is None:
            return LastUse(known=False, said="GetKeyLastUsage gave no date")
        return LastUse(known=True, at=since, said=f"none since {clock.text(since)}")

    def rotations(self, *, everything: bool = False) -> list[Any]:
        """KMS' record of rotations; of `everything` also the first material and what waits to be rotated to."""
        pages = self._kms.get_paginator("list_key_rotations")
        # Named only where it is needed: a region may not know it yet.
        found = (
            pages.paginate(KeyId=self._id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
            if everything
            else pages.paginate(KeyId=self._id)
        )
        return [each for page in found for each in page["Rotations"]]

    def all_rotations(self, metadata: "KeyMetadataTypeDef") -> list[Any]:
        """KMS' record of rotations; none of a key whose material it does not keep, for which it lists none."""
        return self.rotations() if metadata.get("Origin", "") in KEPT_BY_KMS else []

    def rotation_status(self) -> Any:
        """GetKeyRotationStatus; nothing for a key with imported material, which has no rotation of its own."""
        try:
            return self._kms.get_key_rotation_status(KeyId=self._id)
        except self._kms.exceptions.UnsupportedOperationException:
            return {}

    def rotate_by_itself(self, every_days: int) -> None:
        """Automatic rotation (90 to 2,560 days). Raises AwsUnavailable while KMS does not show the key everywhere."""
        try:
            self._kms.enable_key_rotation(KeyId=self._id, RotationPeriodInDays=every_days)
        except self._kms.exceptions.NotFoundException as error:
            raise self.not_yet() from error

    def keep_rotating(self, every_days: int) -> bool:
        """Switch automatic rotation on where somebody switched it off (never for 0 days). Whether it was off.

        Another period is left as it is: the owner's, and as good for Security Hub KMS.4.
        """
        if not every_days or self.rotation_status().get("KeyRotationEnabled"):
            return False
        self.rotate_by_itself(every_days)
        return True

    def rotate(self) -> bool:
        """RotateKeyOnDemand. False where a rotation is under way already."""
        try:
            self._kms.rotate_key_on_demand(KeyId=self._id)
        except self._kms.exceptions.ConflictException:
            return False
        return True

    def facts(self, *, material: bool = False) -> KeyFacts:
        """All that rules ask of a key, its material's record only where `material` says so."""
        try:
            metadata = self.describe()
            document = self._kms.get_key_policy(KeyId=self._id, PolicyName="default")["Policy"]
            found = self.tags()
        except ClientError as error:
            if clients.error_code(error) == "NotFoundException":
                return KeyFacts(self.arn)
            raise
        regions = metadata.get("MultiRegionConfiguration", {})
        replica = regions.get("MultiRegionKeyType") == "REPLICA"
        facts = KeyFacts(
            arn=self.arn,
            state=metadata.get("KeyState", ""),
            spec=metadata.get("KeySpec", ""),
            usage=metadata.get("KeyUsage", ""),
            policy=document,
            tags=tuple(sorted(found.items())),
            origin=metadata.get("Origin", ""),
            key_store=metadata.get("CustomKeyStoreId", ""),
            primary=regions.get("PrimaryKey", {}).get("Arn", "") if replica else "",
        )
        return self._with_material(facts) if material and facts.origin in KEPT_BY_KMS else facts

    def _with_material(self, facts: KeyFacts) -> KeyFacts:
        rotations = self.rotations(everything=facts.origin == "EXTERNAL")
        states = [each.get("KeyMaterialState", "") for each in rotations]
        return replace(
            facts,
            rotations=sum(each.get("RotationType") == "ON_DEMAND" for each in rotations),
            waiting=next((each for each in states if each.startswith("PENDING")), ""),
        )

    def not_yet(self) -> AwsUnavailable:
        return AwsUnavailable(f"KMS does not show the key {self.arn} everywhere yet.")


KINDS = {
    "AWS_KMS": "KMS",
    "EXTERNAL": "imported",
    "AWS_CLOUDHSM": "CloudHSM store",
    "EXTERNAL_KEY_STORE": "external store (XKS)",
}
"""By Origin (AWS KMS API reference, KeyMetadata)."""


def kind_of(metadata: "KeyMetadataTypeDef") -> str:
    """What a key is, in words: where its material comes from, and whether it is one of several regions."""
    origin = metadata.get("Origin", "")
    several = metadata.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType", "")
    words = [KINDS.get(origin, origin), *([f"multi-Region {several.lower()}"] if several else [])]
    return ", ".join(words)


def material_since(metadata: "KeyMetadataTypeDef", rotations: Iterable[Mapping[str, Any]]) -> datetime:
    """Since when a key encrypts under its present material: the newest of its creation and of every rotation, automatic
    or on demand (AWS KMS API reference, ListKeyRotations)."""
    renewed: list[datetime] = [each["RotationDate"] for each in rotations if "RotationDate" in each]
    return max([metadata["CreationDate"], *renewed])


def days_old(since: datetime, now: datetime) -> int:
    """Whole days; KMS' clock may be a moment ahead."""
    return max(0, (now - since).days)


def make(account: str, region: str, description: str, values: Mapping[str, str]) -> str:
    """CreateKey with its tags, which added later could take minutes to count in authorization. Gives the ARN."""
    answer = clients.kms(account, region).create_key(
        Description=description,
        KeyUsage="ENCRYPT_DECRYPT",
        KeySpec="SYMMETRIC_DEFAULT",
        Tags=[{"TagKey": name, "TagValue": values[name]} for name in values],
    )
    return answer["KeyMetadata"]["Arn"]


def find(account: str, region: str, rotation_id: str, managed_by: str) -> list[str]:
    """ARNs of all keys that a rotation of the stack made in an account: another stack's may have the same id. The tag
    index may lag behind by a moment."""
    pages = (
        clients.tagging(account, region)
        .get_paginator("get_resources")
        .paginate(
            TagFilters=[
                {"Key": tags.ROTATION, "Values": [tags.rotation_tag(rotation_id)]},
                {"Key": tags.MANAGED, "Values": [managed_by, tags.EARLIER]},
            ],
            ResourceTypeFilters=["kms:key"],
        )
    )
    return sorted(each["ResourceARN"] for page in pages for each in page["ResourceTagMappingList"])


def look_at(key_arn: str, own_account: str, *, material: bool = False) -> KeyFacts:
    """A key's facts. One of another account without the role is not asked for: KMS shows no policy across accounts."""
    account = KeyArn.of(key_arn).account
    if account != own_account and not clients.reaches(account):
        return KeyFacts(key_arn, seen=False)
    return KmsKey(key_arn).facts(material=material)
