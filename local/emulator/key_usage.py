"""GetKeyLastUsage, and condition keys about use and lock-out, which MiniStack 1.5.33 lacks, as AWS KMS documents them.

A use is told of an hour later, an hour of the local cloud's day (REKEY_DAY_SCALE). A region can be named in
REKEY_REGIONS_WITHOUT_USAGE: there the API does not answer, as in an older one.
"""

import base64
import json
import os
import time
from typing import Any

from ministack.core import iam_actions  # type: ignore[import-untyped]
from ministack.core.responses import error_response_json, get_region, json_response  # type: ignore[import-untyped]
from ministack.services import kms  # type: ignore[import-untyped]

DAY_SECONDS = 86_400 * float(os.environ.get("REKEY_DAY_SCALE", "1"))
TOLD_AFTER_SECONDS = DAY_SECONDS / 24
WITHOUT = frozenset(os.environ.get("REKEY_REGIONS_WITHOUT_USAGE", "").split())

USES = frozenset({"Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt"})
_TAKEN_AWAY = ("kms:DisableKey", "kms:ScheduleKeyDeletion")
_POLICY_PUT = ("kms:CreateKey", "kms:PutKeyPolicy")

Json = dict[str, Any]


def key_of(request: Json) -> Json | None:
    """The key that a request is about; a ciphertext begins with its key's id."""
    key_id = request.get("KeyId")
    if not key_id and "CiphertextBlob" in request:
        key_id = base64.b64decode(request["CiphertextBlob"])[:36].decode(errors="replace")
    found: Json | None = kms._resolve_key(key_id or "")
    return found


def note(action: str, key: Json) -> None:
    """Remember a successful use."""
    key.setdefault("RekeyUses", []).append((time.time(), action))
    del key["RekeyUses"][:-50]


def get_key_last_usage(request: Json) -> Any:
    """Answers {"KeyId", "KeyLastUsage", "TrackingStartDate", "KeyCreationDate"}."""
    if get_region() in WITHOUT:
        return error_response_json("UnknownOperationException", "", 400)
    key = key_of(request)
    if not key:
        return error_response_json("NotFoundException", f"Key {request.get('KeyId')} not found", 400)
    told = [each for each in key.get("RekeyUses", []) if each[0] <= time.time() - TOLD_AFTER_SECONDS]
    answer = {"KeyId": key["KeyId"], "TrackingStartDate": key["CreationDate"], "KeyCreationDate": key["CreationDate"]}
    if told:
        answer["KeyLastUsage"] = {"Timestamp": told[-1][0], "Operation": told[-1][1]}
    return json_response(answer)


def add_condition_keys() -> None:
    """Let policies see how long a key has not been used, and whether the lock-out check is to be bypassed."""
    given = iam_actions.request_tag_context

    def request_tag_context(service: str, action: str, body: bytes, parameters: Any) -> Json:
        context: Json = given(service, action, body, parameters)
        return {**context, **_context(action, body)} if service == "kms" else context

    iam_actions.request_tag_context = request_tag_context


def _context(action: str, body: bytes) -> Json:
    if action not in (*_TAKEN_AWAY, *_POLICY_PUT):
        return {}
    request = json.loads(body or b"{}")
    if action in _POLICY_PUT:
        bypass = bool(request.get("BypassPolicyLockoutSafetyCheck"))
        return {"kms:bypasspolicylockoutsafetycheck": str(bypass).lower()}
    key = key_of(request)
    if key is None or get_region() in WITHOUT:
        return {}
    # Whole days, rounded down; of a key that was never used, since its making. AWS does not say how late: at once here.
    since = key["RekeyUses"][-1][0] if key.get("RekeyUses") else key["CreationDate"]
    return {"kms:trailingdayswithoutkeyusage": str(int((time.time() - since) / DAY_SECONDS))}
