"""Key states on moto as AWS KMS keeps them: moto enables, disables and un-deletes a key in any state."""

from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend, kms_backends

from local.emulator.key_states import refused
from tests.clients import client

METHODS = {"enable_key": "EnableKey", "disable_key": "DisableKey", "cancel_key_deletion": "CancelKeyDeletion"}


def play(monkeypatch: pytest.MonkeyPatch) -> None:
    for method, action in METHODS.items():
        _check(monkeypatch, method, action)


def _check(monkeypatch: pytest.MonkeyPatch, method: str, action: str) -> None:
    real = getattr(KmsBackend, method)

    def checked(backend: KmsBackend, key_id: str) -> Any:
        key = backend.describe_key(key_id)
        if said := refused(action, key.arn, key.key_state):
            raise JsonRESTError("KMSInvalidStateException", said)
        return real(backend, key.id)

    monkeypatch.setattr(KmsBackend, method, checked)


def schedule_deletion(key_arn: str, days: int = 7) -> None:
    """As a person with the right to would."""
    client("kms").schedule_key_deletion(KeyId=key_arn.rpartition("/")[2], PendingWindowInDays=days)


def bring_into(key_arn: str, state: str) -> None:
    """A state that comes without a call to KMS, such as PendingImport."""
    _backend(key_arn).keys[key_arn.rpartition("/")[2]].key_state = state


def delete(key_arn: str) -> None:
    """Its waiting period is over: KMS knows it no more."""
    del _backend(key_arn).keys[key_arn.rpartition("/")[2]]


def _backend(key_arn: str) -> KmsBackend:
    _, _, _, region, account, _ = key_arn.split(":", 5)
    return kms_backends[account][region]
