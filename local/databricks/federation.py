"""Workload identity federation: whose word the service principal's policies take, and what a token must say for it.

DOC "Configure a federation policy"; CODE databricks-sdk-py service/oauth2.py OidcFederationPolicy.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import ConfigDict

MOST_POLICIES = 20
"""DOC: so many a service principal."""
ALGORITHMS = ["RS256", "ES256"]
"""DOC: what tokens may be signed with."""


class Refused(Exception):
    """No policy accepts the token; the message says why."""


@dataclass(frozen=True)
class FederationPolicy:
    """A service principal's `oidc_policy`. Audiences left out are the account's id, keys left out are discovered."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    issuer: str
    subject: str
    audiences: tuple[str, ...] = ()
    subject_claim: str = "sub"
    jwks_json: str = ""

    def check(self, token: str, account_id: str, now: float) -> None:
        """Raises Refused. Wildcards there are none: each value is compared as it is."""
        claims = self._verified(token)
        audiences = claims.get("aud")
        given = set(audiences if isinstance(audiences, list) else [audiences])
        if not given & set(self.audiences or (account_id,)):
            raise Refused("the audience does not match the federation policy")
        if claims.get(self.subject_claim) != self.subject:
            raise Refused("the subject does not match the federation policy")
        if not isinstance(claims.get("exp"), int | float) or claims["exp"] <= now:
            raise Refused("the token is expired")

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            return jwt.decode(token, KeySet.import_key_set(self._keys()), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise Refused(f"the token's signature cannot be verified: {error}") from error

    def _keys(self) -> Any:
        if self.jwks_json:
            return json.loads(self.jwks_json)
        discovered = _document(f"{self.issuer}/.well-known/openid-configuration")
        if discovered.get("issuer") != self.issuer:
            raise Refused("the issuer's own document names another issuer")
        return _document(discovered["jwks_uri"])


def check(token: str, policies: list[FederationPolicy], account_id: str, now: float) -> None:
    """Raises Refused unless one of the policies accepts the token."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
        issuer = claims.get("iss")
    except (JoseError, ValueError, AttributeError) as error:
        raise Refused("the subject token is not a JWT") from error
    refusals = []
    for policy in policies:
        if policy.issuer == issuer:
            try:
                policy.check(token, account_id, now)
            except Refused as refused:
                refusals.append(refused)
            else:
                return
    raise refusals[0] if refusals else Refused("no federation policy has the token's issuer")


def _document(url: str) -> Any:
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310, the issuer is given by the test's or the demo's set-up
            return json.load(answer)
    except OSError as error:
        raise Refused(f"the issuer's keys cannot be read: {error}") from error
