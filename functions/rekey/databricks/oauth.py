"""OAuth machine-to-machine: a service principal's client id and secret exchanged for a one-hour token.

Source: Databricks, "Authorize service principal access with OAuth"; token endpoints
{account host}/oidc/accounts/{account id}/v1/token and {workspace host}/oidc/v1/token.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import requests

from rekey.databricks.transport import read_error
from rekey.errors import DatabricksUnavailable, Unauthenticated

_EARLY_SECONDS = 120
"""A token is renewed this long before it ends, so that it outlives the call it is used for."""


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"ClientCredentials(client_id={self.client_id!r})"


class ClientCredentialsTokens:
    """Tokens for one token endpoint, cached for as long as the container lives."""

    def __init__(self, token_url: str, credentials: Callable[[], ClientCredentials]) -> None:
        self._token_url = token_url
        self._credentials = credentials
        self._token = ""
        self._renew_at = 0.0

    def token(self) -> str:
        if time.monotonic() >= self._renew_at:
            self._fetch()
        return self._token

    def forget(self) -> None:
        self._renew_at = 0.0

    def _fetch(self) -> None:
        credentials = self._credentials()
        try:
            response = requests.post(
                self._token_url,
                auth=(credentials.client_id, credentials.client_secret),
                data={"grant_type": "client_credentials", "scope": "all-apis"},
                timeout=(5.0, 20.0),
            )
        except requests.RequestException as error:
            raise DatabricksUnavailable("Databricks' token endpoint gave no answer.") from error
        if response.status_code == 429 or response.status_code >= 500:
            raise DatabricksUnavailable(f"Databricks' token endpoint answered {response.status_code}.")
        if not response.ok:
            code, message = read_error(response)
            raise Unauthenticated(
                f"Databricks does not accept the service principal's credential ({code or message}). "
                "Mend: write its client id and a current client secret into the stack's Databricks secret.",
                status=response.status_code,
                code=code,
            )
        answer = response.json()
        self._token = answer["access_token"]
        # Some stand-ins send expires_in as text; the field is seconds either way.
        self._renew_at = time.monotonic() + int(answer["expires_in"]) - _EARLY_SECONDS
