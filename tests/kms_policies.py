"""Key policies on moto as AWS KMS keeps them: moto takes any document and gives its bytes back.

`strict` refuses what KMS refuses (off at first: a test lays a policy down as the years have left it); `fresh` has
principals that KMS does not know yet, and for how many puts; `stale` how many reads of a key still show what was
there before its last put; `before_put` is called once, right before the next put.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.responses import KmsResponse

from local.emulator.policy_form import as_shown, principals, refused, too_large

INVALID_PRINCIPAL = "Policy contains a statement with one or more invalid principals."


class Policies:
    """What moto's KMS does with key policies."""

    def __init__(self) -> None:
        self.strict = False
        self.fresh: dict[str, int] = {}
        self.stale: dict[str, int] = {}
        self.before_put: Callable[[], None] | None = None
        self.puts: list[str] = []
        self.reads = 0
        self._earlier: dict[str, str] = {}

    def check(self, policy: str) -> None:
        self.puts.append(policy)
        if too_large(policy):
            raise JsonRESTError("LimitExceededException", "The key policy is too large.")
        if self.strict and (said := refused(policy)):
            raise JsonRESTError("MalformedPolicyDocumentException", said)
        named = {each for statement in json.loads(policy)["Statement"] for each in principals(statement)}
        for principal in named & self.fresh.keys():
            if self.fresh[principal] > 0:
                self.fresh[principal] -= 1
                raise JsonRESTError("MalformedPolicyDocumentException", INVALID_PRINCIPAL)

    def replaces(self, key_id: str, policy: str) -> None:
        self._earlier[key_id] = policy

    def shown(self, key_id: str, policy: str) -> str:
        self.reads += 1
        if self.stale.get(key_id, 0) > 0:
            self.stale[key_id] -= 1
            policy = self._earlier.get(key_id, policy)
        return as_shown(policy, self.reads)


def playing() -> Policies:
    """What is being played now."""
    return vars(KmsResponse)["rekey_policies"]  # type: ignore[no-any-return]


def play(monkeypatch: pytest.MonkeyPatch) -> Policies:
    policies = Policies()
    put, get = KmsResponse.put_key_policy, KmsResponse.get_key_policy

    def put_key_policy(response: Any) -> str:
        if hook := policies.before_put:
            policies.before_put = None
            hook()
        policies.check(response._get_param("Policy"))
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        policies.replaces(key.arn, key.policy)
        return str(put(response))

    def get_key_policy(response: Any) -> str:
        answer = json.loads(get(response))
        key = response.kms_backend.describe_key(response._get_param("KeyId"))
        return json.dumps({**answer, "Policy": policies.shown(key.arn, answer["Policy"])})

    monkeypatch.setattr(KmsResponse, "rekey_policies", policies, raising=False)
    monkeypatch.setattr(KmsResponse, "put_key_policy", put_key_policy)
    monkeypatch.setattr(KmsResponse, "get_key_policy", get_key_policy)
    return policies
