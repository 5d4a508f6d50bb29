"""Databricks' one-hour tokens, and the two proofs that buy them: a web identity token of AWS, or a client secret.

Source: Databricks, "Enable workload identity federation for AWS IAM workloads" and "Authorize service principal access
with OAuth"; token endpoints {account host}/oidc/accounts/{account id}/v1/token and {workspace host}/oidc/v1/token.
"""

import base64
import json
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from rekey.base.errors import DatabricksUnavailable, Unauthenticated
from rekey.databricks.transport import read_error

_EARLY_SECONDS = 120
"""A token is renewed this long before it ends, so that it outlives the call it is used for."""

_JWT = re.compile(r"eyJ[\w-]{10,}[\w.-]*")


@dataclass(frozen=True, slots=True, repr=False)
class _Proof:
    """What one request for a token carries, and what to say when Databricks does not accept it."""

    form: dict[str, str]
    basic: tuple[str, str] | None
    mend: str


class _Tokens(ABC):
    """Tokens for one token endpoint, cached for as long as the container lives."""

    def __init__(self, token_url: str) -> None:
        self._token_url = token_url
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        if time.monotonic() >= self._renew_at:
            self._fetch()
        return self._token

    def forget(self) -> None:
        self._renew_at = 0.0

    @abstractmethod
    def _prove(self) -> _Proof:
        """A fresh proof: it is asked for each time, so that an exchanged secret is picked up."""

    def _fetch(self) -> None:
        proof = self._prove()
        try:
            response = requests.post(
                self._token_url, auth=proof.basic, data={**proof.form, "scope": "all-apis"}, timeout=(5.0, 20.0)
            )
        except requests.RequestException as error:
            raise DatabricksUnavailable("Databricks' token endpoint gave no answer.") from error
        if response.status_code == 429 or response.status_code >= 500:
            raise DatabricksUnavailable(f"Databricks' token endpoint answered {response.status_code}.")
        if not response.ok:
            code, message = read_error(response)
            # What is refused may be quoted in the answer; no token goes into an error.
            said = _JWT.sub("<token>", code or message)
            raise Unauthenticated(
                f"Databricks does not accept the service principal's credential ({said}). {proof.mend}",
                status=response.status_code,
                code=code,
            )
        answer = response.json()
        self._token = answer["access_token"]
        # Some stand-ins send expires_in as text; the field is seconds either way.
        self._renew_at = time.monotonic() + int(answer["expires_in"]) - _EARLY_SECONDS


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"ClientCredentials(client_id={self.client_id!r})"


class ClientCredentialsTokens(_Tokens):
    """OAuth machine-to-machine: the service principal's client id and secret."""

    def __init__(self, token_url: str, credentials: Callable[[], ClientCredentials]) -> None:
        super().__init__(token_url)
        self._credentials = credentials

    def _prove(self) -> _Proof:
        credentials = self._credentials()
        return _Proof(
            form={"grant_type": "client_credentials"},
            basic=(credentials.client_id, credentials.client_secret),
            mend="Mend: write its client id and a current client secret into the stack's Databricks secret.",
        )


class WebIdentityTokens(_Tokens):
    """Workload identity federation: no secret is stored, AWS vouches for the Lambda and Databricks trusts its word."""

    def __init__(self, token_url: str, client_id: str, identity: Callable[[], str]) -> None:
        """`client_id` is the service principal's application id, `identity` gives a fresh signed JWT."""
        super().__init__(token_url)
        self._client_id = client_id
        self._identity = identity

    def _prove(self) -> _Proof:
        identity = self._identity()
        claims = _claims(identity)
        return _Proof(
            form={
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "subject_token": identity,
                "client_id": self._client_id,
            },
            basic=None,
            mend=(
                f"Mend: give the service principal {self._client_id} a federation policy with "
                f"issuer {claims.get('iss')}, audience {claims.get('aud')} and subject {claims.get('sub')}."
            ),
        )


def _claims(token: str) -> dict[str, Any]:
    """What a JWT says, its signature aside: only to tell a person which federation policy would fit it."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        return {}
    return claims if isinstance(claims, dict) else {}
