"""Sends requests to Databricks: one try each, redirects never followed, every failure under one of our names."""

from collections.abc import Mapping
from typing import Any, Protocol

import requests
from urllib3.exceptions import HTTPError

from rekey.databricks.answers import Asked, accepted
from rekey.databricks.classify import refused
from rekey.databricks.network import failed_on_the_way

_TIMEOUT = (5.0, 30.0)
"""Seconds to connect and to wait for the answer; together well under a Lambda's own timeout."""

Query = Mapping[str, Any]


class TokenSource(Protocol):
    """Gives bearer tokens."""

    def token(self) -> str:
        """A token that is valid now. Raises Unauthenticated, NetworkRefused, DatabricksError or a Transient."""

    def forget(self) -> None:
        """Drop what is cached: Databricks did not accept it."""


class _Session(requests.Session):
    """Databricks' APIs do not redirect: who does is a login page or something in between."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: so a Location is neither followed nor even parsed, however odd it is."""


class Wire:
    """Sends single requests to one base URL."""

    def __init__(self, base_url: str, session: requests.Session | None = None) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session or _Session()

    def send(self, asked: Asked, **how: Any) -> requests.Response:
        """The answer, whatever its status. Raises a class of rekey.errors where there is none."""
        try:
            return self._session.request(
                asked.method, self._base_url + asked.path, params=asked.query, timeout=_TIMEOUT, **how
            )
        except (OSError, ValueError, HTTPError) as error:
            named = failed_on_the_way(error, asked, self._base_url)
            # requests quotes a header that it refuses, and ours is the token.
            quotes_token = isinstance(error, requests.exceptions.InvalidHeader)
            raise named from (None if quotes_token else error)


class Transport:
    """Calls below one base URL with one identity."""

    def __init__(self, base_url: str, tokens: TokenSource, session: requests.Session | None = None) -> None:
        self._wire = Wire(base_url, session)
        self._tokens = tokens

    def call(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> Any:
        """Send one request and give back the parsed JSON without its nulls.

        {} for an empty answer to a change, which is an acceptance. Raises a class of rekey.errors: OutcomeUnknown where
        a change may have been applied, NotFound only where the very object that was asked for is gone.
        """
        asked = Asked(method, path, query, body, changing=method != "GET")
        response = self._send(asked)
        if response.status_code == 401:
            # A token may have been revoked or the secret exchanged while it was cached: one fresh try.
            self._tokens.forget()
            response = self._send(asked)
        if 200 <= response.status_code < 300:
            return accepted(response, asked)
        raise refused(response, asked)

    def _send(self, asked: Asked) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._tokens.token()}", "User-Agent": "rekey"}
        return self._wire.send(asked, json=asked.body, headers=headers)
