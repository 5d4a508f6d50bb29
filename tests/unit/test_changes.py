"""What is written of a rotation or a key is typed: mypy checks the names and the values."""

from typing import get_type_hints

import pytest

from rekey.ledger.transaction import together
from rekey.model.key import Key, KeyChanges
from rekey.model.rotation import Rotation, RotationChanges

NEVER = {"rotation_id", "execution_arn", "fence", "request", "plan", "created_at", "audit_seq", "audit_head"}
"""Set when it is opened, or by the ledger itself."""


def test_changes_are_the_rotations_fields() -> None:
    fields = get_type_hints(Rotation)
    assert get_type_hints(RotationChanges) == {name: fields[name] for name in Rotation.model_fields.keys() - NEVER}
    assert Rotation.model_fields.keys() >= NEVER


def test_a_keys_changes_are_its_fields() -> None:
    """But for what it is, its state and why, which Key.to takes, and what the ledger counts by itself."""
    fields, never = get_type_hints(Key), {"key_arn", "region", "state", "why", "version", "audit_head"}
    assert get_type_hints(KeyChanges) == {name: fields[name] for name in Key.model_fields.keys() - never}
    assert Key.model_fields.keys() >= never


def test_no_write_of_a_transaction_is_lost() -> None:
    assert list(together({"lease": {}, "entry": {}}, {}, {"key 1": {}})) == ["lease", "entry", "key 1"]
    with pytest.raises(ValueError, match="two writes of a transaction are named entry, lease"):
        together({"lease": {}, "entry": {}}, {"entry": {}, "lease": {}})
