"""Leases: who may change a workspace. One ends with its rotation and never by the clock.

A rotation that nobody works on any more is taken up by the finisher, with a new fence, and closed: a lease that ran out
would let the next rotation take the workspace as the last one left it.
"""

from dataclasses import dataclass

from rekey.ledger.items import lease_key, marshal
from rekey.model.entries import Item
from rekey.model.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Leases:
    """Writes for a transaction; each is refused where the lease is not as it says."""

    table: str

    def take(self, rotation: Rotation, left_behind: Item | None) -> Item:
        """Take a lease that nobody holds, or only a rotation that has ended."""
        return {"Put": {**self._item(rotation), **_free(left_behind)}}

    def take_up(self, before: Rotation, taken_up: Rotation) -> Item:
        """Hold it with the fence of who takes a rotation up: writes of whoever else works for it are refused."""
        condition = {
            "ConditionExpression": "attribute_not_exists(pk) OR rotation_id = :me AND fence = :fence",
            "ExpressionAttributeValues": _holder(before.rotation_id, before.fence),
        }
        return {"Put": {**self._item(taken_up), **condition}}

    def held(self, rotation: Rotation) -> Item:
        return {"ConditionCheck": {**self._key(rotation.subject), **_mine(rotation)}}

    def release(self, rotation: Rotation) -> Item:
        """Whoever works for a rotation that has ended may give its lease back; none to give is no refusal."""
        mine = {
            "ConditionExpression": "attribute_not_exists(pk) OR rotation_id = :me",
            "ExpressionAttributeValues": dict(marshal({":me": rotation.rotation_id})),
        }
        return {"Delete": {**self._key(rotation.subject), **mine}}

    def free(self, subject: str, left_behind: Item | None) -> Item:
        """That nobody holds it, or only a rotation that has ended."""
        return {"ConditionCheck": {**self._key(subject), **_free(left_behind)}}

    def _item(self, rotation: Rotation) -> Item:
        lease = {**lease_key(rotation.subject), "rotation_id": rotation.rotation_id, "fence": rotation.fence}
        return {"TableName": self.table, "Item": marshal(lease)}

    def _key(self, subject: str) -> Item:
        return {"TableName": self.table, "Key": marshal(lease_key(subject))}


def _free(left_behind: Item | None) -> Item:
    if left_behind is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "attribute_not_exists(pk) OR rotation_id = :me AND fence = :fence",
        "ExpressionAttributeValues": _holder(left_behind["rotation_id"], left_behind["fence"]),
    }


def _mine(rotation: Rotation) -> Item:
    return {
        "ConditionExpression": "rotation_id = :me AND fence = :fence",
        "ExpressionAttributeValues": _holder(rotation.rotation_id, rotation.fence),
    }


def _holder(rotation_id: str, fence: int) -> Item:
    return dict(marshal({":me": rotation_id, ":fence": fence}))
