"""What KMS says and refuses about key material, which moto does not: states of material, which keys it rotates, and the
rotations that it makes by itself.

Source: AWS KMS API reference, RotateKeyOnDemand, ListKeyRotations and GetKeyRotationStatus.
"""

import json
from datetime import datetime
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import Key
from moto.kms.responses import KmsResponse

from rekey.base import clock

MOST_ON_DEMAND = 25


class Material:
    """By key id: `waiting` has the state of material that was imported and not rotated to, `stores` custom stores,
    `primaries` the primary's ARN of multi-region keys (moto's own cannot be used for anything), `automatic` the moments
    of the rotations that KMS made by itself, and `next_rotation` that of the next one."""

    def __init__(self) -> None:
        self.waiting: dict[str, str] = {}
        self.stores: dict[str, str] = {}
        self.primaries: dict[str, str] = {}
        self.automatic: dict[str, list[datetime]] = {}
        self.next_rotation: dict[str, datetime] = {}
        self.asked = 0
        """How often a rotation was asked for."""

    def refuses(self, key: Key) -> tuple[str, str] | None:
        if key.id in self.stores:
            return "UnsupportedOperationException", f"{key.arn} is in a custom key store."
        if self.primaries.get(key.id, key.arn) != key.arn:
            return "UnsupportedOperationException", f"{key.arn} is a replica."
        if key.origin == "EXTERNAL" and self.waiting.get(key.id) != "PENDING_ROTATION":
            return "KMSInvalidStateException", f"{key.arn} has no key material pending rotation."
        if len(key.rotations) >= MOST_ON_DEMAND:
            return "LimitExceededException", f"{MOST_ON_DEMAND} on-demand rotations were made."
        return None


def play(monkeypatch: pytest.MonkeyPatch) -> Material:
    material = Material()
    rotate, listed, status = (
        KmsResponse.rotate_key_on_demand,
        KmsResponse.list_key_rotations,
        KmsResponse.get_key_rotation_status,
    )
    described = Key.to_dict

    def rotate_key_on_demand(response: Any) -> str:
        material.asked += 1
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        if refusal := material.refuses(key):
            raise JsonRESTError(*refusal)
        material.waiting.pop(key.id, None)
        answer = str(rotate(response))
        key.rotations[-1]["RotationDate"] = clock.now().timestamp()  # The test's time, not the machine's.
        return answer

    def list_key_rotations(response: Any) -> str:
        answer = json.loads(listed(response))
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        if key.id in material.stores:
            raise JsonRESTError("UnsupportedOperationException", f"{key.arn} is in a custom key store.")
        answer["Rotations"] += [
            {"KeyId": key.id, "RotationDate": at.timestamp(), "RotationType": "AUTOMATIC"}
            for at in material.automatic.get(key.id, [])
        ]
        if response._get_param("IncludeKeyMaterial") == "ALL_KEY_MATERIAL":
            found = [{"KeyId": key.id, "KeyMaterialState": "CURRENT"}]
            if state := material.waiting.get(key.id):
                found.append({"KeyId": key.id, "KeyMaterialState": state})
            answer["Rotations"] += found
        return json.dumps(answer)

    def get_key_rotation_status(response: Any) -> str:
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        if key.origin == "EXTERNAL" or key.id in material.stores:
            said = f"{key.arn} origin is {key.origin} which is not valid for this operation."
            raise JsonRESTError("UnsupportedOperationException", said)
        following = material.next_rotation.get(key.id)
        more = {"NextRotationDate": following.timestamp()} if following else {}
        return json.dumps({**json.loads(status(response)), **more})

    def to_dict(key: Key) -> dict[str, Any]:
        found = described(key)
        if primary := material.primaries.get(key.id):
            found["KeyMetadata"] |= {
                "MultiRegion": True,
                "MultiRegionConfiguration": {
                    "MultiRegionKeyType": "PRIMARY" if primary == key.arn else "REPLICA",
                    "PrimaryKey": {"Arn": primary, "Region": primary.split(":")[3]},
                },
            }
        if store := material.stores.get(key.id):
            found["KeyMetadata"] |= {"CustomKeyStoreId": store, "Origin": "EXTERNAL_KEY_STORE"}
        return found

    monkeypatch.setattr(KmsResponse, "rotate_key_on_demand", rotate_key_on_demand)
    monkeypatch.setattr(KmsResponse, "list_key_rotations", list_key_rotations)
    monkeypatch.setattr(KmsResponse, "get_key_rotation_status", get_key_rotation_status)
    monkeypatch.setattr(Key, "to_dict", to_dict)
    return material
