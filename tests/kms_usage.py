"""GetKeyLastUsage on moto, which lacks it: the last Encrypt, Decrypt or GenerateDataKey of each key."""

import json
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

from rekey.base import clock

USES = {"encrypt": "Encrypt", "decrypt": "Decrypt"}
"""moto's GenerateDataKey encrypts."""


class Usage:
    """What moto's KMS answers; `answers` False is a region that has no such API."""

    def __init__(self) -> None:
        self.answers = True
        self.last: dict[str, tuple[float, str]] = {}


def play(monkeypatch: pytest.MonkeyPatch) -> Usage:
    usage = Usage()

    def get_key_last_usage(response: Any) -> str:
        if not usage.answers:
            raise JsonRESTError("UnknownOperationException", "")
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        answer: dict[str, Any] = {"KeyId": key.id, "TrackingStartDate": 0.0, "KeyCreationDate": 0.0}
        if key.id in usage.last:
            at, operation = usage.last[key.id]
            answer["KeyLastUsage"] = {"Timestamp": at, "Operation": operation}
        return json.dumps(answer)

    monkeypatch.setattr(KmsResponse, "get_key_last_usage", get_key_last_usage, raising=False)
    for method, operation in USES.items():
        _note(monkeypatch, usage, method, operation)
    return usage


def _note(monkeypatch: pytest.MonkeyPatch, usage: Usage, method: str, operation: str) -> None:
    real = getattr(KmsBackend, method)

    def noted(backend: KmsBackend, *arguments: Any, **named: Any) -> Any:
        answer = real(backend, *arguments, **named)
        usage.last[str(answer[1]).rpartition("/")[2]] = (clock.now().timestamp(), operation)
        return answer

    monkeypatch.setattr(KmsBackend, method, noted)
