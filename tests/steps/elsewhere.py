"""Keys in other accounts, for tests of steps: what the Lambdas are told of them, and the rule that forwards."""

import json
from typing import Any

import pytest

from rekey.aws import clients
from rekey.runtime import current_settings
from tests.other_accounts import CENTRAL, EXTERNAL_ID, role_in, root
from tests.steps.world import World

POLICY = json.dumps(
    {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "arn:aws:kms:*:{account}:key/*"}]},
)


def elsewhere(
    world: World, patch: pytest.MonkeyPatch, where: Any = CENTRAL, reached: str = CENTRAL, **more: str
) -> None:
    """The Lambdas as the stack tells them where keys are."""
    told = {
        "STACK_ACCOUNT": "123456789012",
        "KEY_ACCOUNTS": where if isinstance(where, str) else json.dumps(where),
        "KEY_ROLE": role_in("{account}"),
        "KEY_ROLE_ACCOUNTS": reached,
        "KEY_EXTERNAL_ID": EXTERNAL_ID,
        "KEY_SESSION_POLICY": POLICY,
        **more,
    }
    for name, value in told.items():
        patch.setenv(name, value)
    current_settings.cache_clear()
    clients.forget_clients()
    world.settings = current_settings()


def forward(account: str, region: str = "us-east-1", state: str = "ENABLED") -> None:
    """As templates/key-account.yaml does."""
    root(account, "events", region).put_rule(
        Name="rekey-refused-uses", EventPattern='{"source": ["aws.kms"]}', State=state
    )
