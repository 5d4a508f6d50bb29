"""Rules on a key's material: whether KMS can renew it (API reference, RotateKeyOnDemand and EnableKeyRotation)."""

from collections.abc import Iterator

from rekey.aws.kms_key import KEPT_BY_KMS
from rekey.aws.tags import BROUGHT
from rekey.model.refusal import Refusal
from rekey.planning.case import KeyCase
from rekey.planning.rules.policy import trusted
from rekey.rotation.material import MOST_ON_DEMAND

_ANOTHER = 'for MANAGED_SERVICES ask for operation "rotate", which changes to another key'


def material_consent(case: KeyCase) -> Iterator[Refusal]:
    if not trusted(case):
        problem = f"the key {case.key.arn} carries no tag of rekey, so its material is not rekey's to renew"
        yield Refusal(case.field, problem, f"tag it {BROUGHT}=true")


def material_custom_store(case: KeyCase) -> Iterator[Refusal]:
    key = case.key
    if key.key_store or key.origin not in KEPT_BY_KMS:
        yield Refusal(
            case.field,
            f"the key {key.arn} is in the custom key store {key.key_store} ({key.origin}), where KMS renews no "
            "material",
            _ANOTHER,
        )


def material_replica(case: KeyCase) -> Iterator[Refusal]:
    if case.key.primary:
        yield Refusal(
            case.field,
            f"the key {case.key.arn} is a replica of a multi-region key, and only the primary key is renewed",
            f"renew the primary key {case.key.primary} (aws kms rotate-key-on-demand); its replicas follow",
        )


def material_imported(case: KeyCase) -> Iterator[Refusal]:
    key = case.key
    if key.origin == "EXTERNAL" and key.waiting != "PENDING_ROTATION":
        where = " into each replica too" if key.waiting else ""
        yield Refusal(
            case.field,
            f"the key {key.arn} has imported material (origin EXTERNAL), which KMS renews only to new material that "
            "waits for it",
            f"import new key material{where} (aws kms import-key-material --import-type NEW_KEY_MATERIAL), and "
            "ask again",
        )
    if key.origin == "EXTERNAL" and case.yearly:
        problem = f"the key {key.arn} has imported material, which KMS never renews by itself"
        yield Refusal("yearly_rotation", problem, "leave it out")


def material_on_demand(case: KeyCase) -> Iterator[Refusal]:
    key = case.key
    if key.rotations >= MOST_ON_DEMAND:
        yield Refusal(
            case.field,
            f"the key {key.arn} was rotated on demand {key.rotations} times, the most that KMS allows",
            f"turn on its yearly rotation in KMS, or {_ANOTHER}",
        )
