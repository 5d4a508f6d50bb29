"""RotateKeyOnDemand and ListKeyRotations, which MiniStack 1.5.33 lacks, as AWS KMS documents them.

The stand-in keeps the record of rotations; the key's bytes stay the same, which no caller can see: KMS decrypts
with whatever material a ciphertext was made under.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from ministack.core.responses import error_response_json, json_response  # type: ignore[import-untyped]
from ministack.services import kms  # type: ignore[import-untyped]

from local.emulator import key_usage, trail
from local.emulator.key_states import ALLOWED_IN, refused

MOST_ON_DEMAND = 25
"""AWS KMS, RotateKeyOnDemand: at most so many on-demand rotations a key."""

Json = dict[str, Any]
Handler = Callable[[str, str, Mapping[str, str], bytes, Any], Awaitable[Any]]


def rotate_key_on_demand(request: Json) -> Any:
    """Answers {"KeyId"}; NotFoundException, DisabledException, UnsupportedOperationException or LimitExceeded."""
    key = kms._resolve_key(request.get("KeyId", ""))
    if not key:
        return error_response_json("NotFoundException", f"Key {request.get('KeyId')} not found", 400)
    if key.get("KeyState") != "Enabled":
        return error_response_json("DisabledException", f"{key['Arn']} is {key.get('KeyState')}.", 400)
    if key.get("KeySpec") != "SYMMETRIC_DEFAULT":
        return error_response_json("UnsupportedOperationException", "Only symmetric keys can be rotated.", 400)
    rotations = key.setdefault("RekeyRotations", [])
    if len(rotations) >= MOST_ON_DEMAND:
        return error_response_json("LimitExceededException", f"{MOST_ON_DEMAND} on-demand rotations were made.", 400)
    rotations.append({"KeyId": key["KeyId"], "RotationDate": time.time(), "RotationType": "ON_DEMAND"})
    return json_response({"KeyId": key["KeyId"]})


def list_key_rotations(request: Json) -> Any:
    """Answers {"Rotations", "Truncated"}; everything fits one page."""
    key = kms._resolve_key(request.get("KeyId", ""))
    if not key:
        return error_response_json("NotFoundException", f"Key {request.get('KeyId')} not found", 400)
    return json_response({"Rotations": key.get("RekeyRotations", []), "Truncated": False})


ACTIONS: Mapping[str, Callable[[Json], Any]] = {
    "GetKeyLastUsage": key_usage.get_key_last_usage,
    "RotateKeyOnDemand": rotate_key_on_demand,
    "ListKeyRotations": list_key_rotations,
}


def beside(handle: Handler) -> Handler:
    """MiniStack's KMS with these actions beside its own, which minds states, and remembers uses and refusals."""

    async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
        action = headers.get("x-amz-target", "").split(".")[-1]
        if action in ACTIONS:
            return ACTIONS[action](json.loads(body or b"{}"))
        key = key_usage.key_of(json.loads(body or b"{}")) if action in (*key_usage.USES, *ALLOWED_IN) else None
        if key and (said := refused(action, key["Arn"], key["KeyState"])):
            return error_response_json("KMSInvalidStateException", said, 400)
        answer = await handle(method, path, headers, body, query)
        if key and action in key_usage.USES:
            if answer[0] == HTTPStatus.OK:
                key_usage.note(action, key)
            elif key["KeyState"] != "Enabled":
                error = json.loads(answer[2])
                trail.refused(action, key["Arn"], error["__type"], error["message"])
        return answer

    return handle_request
