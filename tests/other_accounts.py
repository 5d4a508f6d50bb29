"""Other AWS accounts on moto, whose STS gives a session of any role to anybody: roles that trust, and ask for an id.

Played as STS documents AssumeRole: a role that is missing, does not trust or was told another external id is one and
the same refusal; a session policy has at most 2,048 characters.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.core.responses import BaseResponse
from moto.sts.exceptions import STSClientError
from moto.sts.models import STSBackend

from rekey.aws import clients

OWN, CENTRAL, TEAM = "123456789012", "222222222222", "333333333333"
EXTERNAL_ID = "rekey-0123456789"

MOST_CHARACTERS = 2048

_ROOT = re.compile(r"Credential=(\d{12})/")


@dataclass
class Accounts:
    """`roles`: external id by ARN. `sessions`: (role, name, policy) of each that was given."""

    roles: dict[str, str] = field(default_factory=dict)
    sessions: list[tuple[str, str, Any]] = field(default_factory=list)
    refused: int = 0
    lasts: timedelta | None = None
    """For how long a session is, where it is not what was asked for."""

    def give_role(self, account: str) -> None:
        """As templates/key-account.yaml does."""
        self.roles[role_in(account)] = EXTERNAL_ID
        clients.forget_clients()

    def take_role(self, account: str) -> None:
        """The role is gone, and each container's session with it."""
        del self.roles[role_in(account)]
        clients.forget_clients()

    def check(self, role_arn: str, name: str, external_id: str | None, policy: str) -> None:
        if self.roles.get(role_arn) != external_id:
            self.refused += 1
            who = "User: arn:aws:sts::123456789012:assumed-role/rekey"
            said = f"{who} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise STSClientError("AccessDenied", said)
        assert len(policy) <= MOST_CHARACTERS
        self.sessions.append((role_arn, name, json.loads(policy)))


def role_in(account: str) -> str:
    return f"arn:aws:iam::{account}:role/rekey-keys"


def root(account: str, service: str = "kms", region: str = "us-east-1") -> Any:
    """A client as the account's owner."""
    make: Any = boto3.client
    return make(service, region_name=region, aws_access_key_id=account, aws_secret_access_key="root")


def play(patch: pytest.MonkeyPatch) -> Accounts:
    """With moto on. A 12-digit access key is that account's root, as the emulator has it."""
    accounts = Accounts()
    assume: Any = STSBackend.assume_role
    whose: Any = BaseResponse.get_current_account

    def get_current_account(response: Any) -> str:
        named = _ROOT.search(response.headers.get("Authorization", ""))
        return named[1] if named else str(whose(response))

    patch.setattr(BaseResponse, "get_current_account", get_current_account)

    def assume_role(backend: STSBackend, **given: Any) -> Any:
        # Roles of the stack's own account, such as a Lambda's, are tests' own business.
        if given["role_arn"].split(":")[4] != OWN:
            accounts.check(given["role_arn"], given["role_session_name"], given["external_id"], given["policy"])
        session = assume(backend, **given)
        if accounts.lasts is not None:
            session.expiration = datetime.now(UTC).replace(tzinfo=None) + accounts.lasts
        return session

    patch.setattr(STSBackend, "assume_role", assume_role)
    return accounts
