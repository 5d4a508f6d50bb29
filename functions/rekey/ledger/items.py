"""Shapes of the ledger's items: their keys, their DynamoDB form, and the audit chain's hash."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from rekey.base import clock
from rekey.model.actions import Action, KeyAction
from rekey.model.entries import Item, entry_hash, entry_of, key_item_key, rotation_key
from rekey.model.key import Key
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName

SWEPT, KEPT = "KEY", "KEPT"
OPEN = "ROTATION"

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def policy_key(key_arn: str) -> Item:
    return {**key_item_key(key_arn), "sk": "POLICY"}


def key_item(key: Key) -> Item:
    """A key's item. Every key is in the index "due": those that are checked under KEY, the others under KEPT."""
    index = {"due_pk": SWEPT if key.swept else KEPT, "due_at": key.goes_at or key.watch_until or key.since}
    return {**key_item_key(key.key_arn), **key.model_dump(mode="json"), **index}


def key_of(item: Item) -> Key:
    entry = entry_of(item)
    return Key.model_validate_json(json.dumps({name: entry[name] for name in Key.model_fields if name in entry}))


def append_key_entry(key: Key, action: KeyAction, detail: Mapping[str, Any]) -> tuple[Key, Item]:
    """The key with its audit trail one longer, and the entry's item; chained as a rotation's are."""
    entry = {
        "key_arn": key.key_arn,
        "seq": key.version + 1,
        "at": key.changed_at,
        "action": action,
        "state": key.state,
        "why": key.why,
        "detail": dict(detail),
        "prev": key.audit_head,
    }
    entry["hash"] = entry_hash(entry)
    item = {"pk": key_item_key(key.key_arn)["pk"], "sk": f"AUDIT#{key.version + 1:06d}", **entry}
    return key.model_copy(update={"version": key.version + 1, "audit_head": entry["hash"]}), item


def entry_key(rotation_id: str, seq: int) -> Item:
    return {**rotation_key(rotation_id), "sk": f"AUDIT#{seq:06d}"}


def append_entry(
    rotation: Rotation, step: StepName, action: Action, detail: Mapping[str, Any]
) -> tuple[Rotation, Item]:
    """The rotation with its audit trail one longer, and the entry's item."""
    seq = rotation.audit_seq + 1
    entry = {
        "rotation_id": rotation.rotation_id,
        "seq": seq,
        "at": clock.stamp(),
        "step": step,
        "action": action,
        "detail": dict(detail),
        "prev": rotation.audit_head,
    }
    entry["hash"] = entry_hash(entry)
    item = {**entry_key(rotation.rotation_id, seq), **entry}
    return rotation.model_copy(update={"audit_seq": seq, "audit_head": entry["hash"]}), item


def rotation_update(before: Rotation, changed: Rotation, fields: Collection[str]) -> Item:
    """UpdateItem's arguments that write the named fields if nobody wrote since `before` was read."""
    values = {**changed.model_dump(mode="json", include=set(fields)), **_due(changed)}
    leaves = "" if _due(changed) else " REMOVE due_pk, due_at"
    return {
        "Key": marshal(rotation_key(changed.rotation_id)),
        "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values) + leaves,
        "ConditionExpression": "audit_seq = :expected AND fence = :lease_fence",
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": marshal(
            {
                **{f":{name}": value for name, value in values.items()},
                ":expected": before.audit_seq,
                ":lease_fence": before.fence,
            }
        ),
    }


def rotation_item(rotation: Rotation) -> Item:
    return {**rotation_key(rotation.rotation_id), **rotation.model_dump(mode="json"), **_due(rotation)}


def rotation_of(item: Item) -> Rotation:
    if "closed_at" not in item and item.get("evidence_sha256"):
        # An earlier version gave the lease back with the end.
        item = {**item, "closed_at": item["ended_at"]}
    return Rotation.model_validate_json(json.dumps(item, default=int))


def _due(rotation: Rotation) -> Item:
    """Its place in the index "due", where the finisher finds each that is not closed."""
    if rotation.is_closed:
        return {}
    return {"due_pk": OPEN, "due_at": rotation.finishing.next_at if rotation.finishing else rotation.created_at}


def lease_key(subject: str) -> Item:
    return {"pk": f"WORKSPACE#{subject}", "sk": "LEASE"}


def last_key(workspace_id: int) -> Item:
    """Where a workspace's last rotation that succeeded is named."""
    return {"pk": f"WORKSPACE#{workspace_id}", "sk": "LAST"}


def token_key(rotation_id: str) -> Item:
    return {**rotation_key(rotation_id), "sk": "APPROVAL"}


def refusal_key(rotation_id: str) -> Item:
    return {"pk": f"REFUSAL#{rotation_id}", "sk": "AUDIT#000001"}


def request_key(request_id: str) -> Item:
    return {"pk": f"REQUEST#{request_id}", "sk": "REQUEST"}


def marshal(item: Mapping[str, Any]) -> Any:
    return {name: _serializer.serialize(value) for name, value in item.items()}


def unmarshal(item: Mapping[str, Any]) -> Item:
    return {name: _deserializer.deserialize(value) for name, value in item.items()}
