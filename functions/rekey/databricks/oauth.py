"""Databricks' one-hour tokens, and the two proofs that buy them: a web identity token of AWS, or a client secret.

Source: Databricks, "Enable workload identity federation for AWS IAM workloads" and "Authorize service principal access
with OAuth"; token endpoints {account host}/oidc/accounts/{account id}/v1/token and {workspace host}/oidc/v1/token.
"""

import base64
import json
import math
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from rekey.base.errors import DatabricksError, NetworkRefused, RekeyError, Unauthenticated
from rekey.databricks.answers import Asked, accepted, read_error, record
from rekey.databricks.classify import refused
from rekey.databricks.transport import Wire

_EARLY_SECONDS = 120
"""A token is renewed this long before it ends, so that it outlives the call it is used for."""

_LONGEST_SECONDS = 3600.0
"""Databricks' tokens are good for an hour (databricks "Authorize service principal access with OAuth")."""

_UNSAID_SECONDS = 300.0
"""How long a token is used whose answer does not say for how long it is good; refused earlier, it is exchanged."""

_SENDABLE = re.compile(r"[!-~]+")
"""What may stand in an Authorization header (RFC 6750, 2.1, and more)."""

_NOT_ACCEPTED = frozenset({400, 401, 403, 404})


@dataclass(frozen=True, slots=True, repr=False)
class _Proof:
    """What one request for a token carries, and what to say when Databricks does not accept it."""

    form: dict[str, str]
    basic: tuple[str, str] | None
    fix: str


class _Tokens(ABC):
    """Tokens for one token endpoint, cached for as long as the container lives."""

    def __init__(self, token_url: str) -> None:
        scheme, _, rest = token_url.partition("://")
        host, slash, path = rest.partition("/")
        self._wire = Wire(f"{scheme}://{host}")
        # To ask for a token twice does no harm.
        self._asked = Asked("POST", slash + path, changing=False)
        self._token = ""
        self._renew_at = 0.0
        self._lock = threading.Lock()

    def token(self) -> str:
        # Requests that go side by side need one token, not one each.
        with self._lock:
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
        response = self._wire.send(self._asked, auth=proof.basic, data={**proof.form, "scope": "all-apis"})
        if not 200 <= response.status_code < 300:
            raise self._refusal(response, proof.fix)
        answer = record(accepted(response, self._asked))
        token = answer.get("access_token")
        if not isinstance(token, str) or not _SENDABLE.fullmatch(token):
            # Names of fields alone: any of the values may be a secret.
            raise DatabricksError(
                f"{self._asked.path}: Databricks' token endpoint answered without a token that can be sent (fields: "
                f"{', '.join(sorted(answer)) or 'none'}). Fix: check the host, and what is between it and rekey."
            )
        self._token = token
        self._renew_at = time.monotonic() + _seconds(answer.get("expires_in")) - _EARLY_SECONDS

    def _refusal(self, response: requests.Response, fix: str) -> RekeyError:
        """The credential is at fault only where neither the network, Databricks' own trouble nor somebody's page is."""
        error = refused(response, self._asked)
        said = read_error(response)
        final = isinstance(error, DatabricksError) and not isinstance(error, NetworkRefused)
        if not final or said.page or said.status not in _NOT_ACCEPTED:
            return error
        words = ": ".join(each for each in (said.code, said.message) if each)
        return Unauthenticated(
            f"Databricks does not accept the service principal's credential ({words}). {fix}",
            status=said.status,
            code=said.code,
        )


def _seconds(expires_in: object) -> float:
    """How long a token is good. Databricks sends a number; text, fractions and nothing at all were seen elsewhere."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, (int, float, str)):
        return _UNSAID_SECONDS
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return _UNSAID_SECONDS
    return min(seconds, _LONGEST_SECONDS) if math.isfinite(seconds) and seconds > 0 else _UNSAID_SECONDS


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
            fix="Fix: write its client id and a current client secret into the stack's Databricks secret.",
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
            fix=(
                f"Fix: give the service principal {self._client_id} a federation policy with "
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
