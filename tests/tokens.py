"""An issuer as AWS' is: its key, its public keys, and tokens it signs. Nothing in it is fit for anything but tests."""

from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ISSUER = "https://abc123.tokens.sts.global.api.aws"
SUBJECT = "arn:aws:iam::123456789012:role/rekey-databricks"


@cache
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)


def jwks() -> dict[str, Any]:
    return dict(KeySet([key()]).as_dict(private=False))


def claims(audience: str, now: float, **changes: Any) -> dict[str, Any]:
    """What GetWebIdentityToken puts into a token, with some of it changed."""
    return {"iss": ISSUER, "aud": audience, "sub": SUBJECT, "iat": int(now), "exp": int(now) + 300, **changes}


def signed(said: dict[str, Any], algorithm: str = "RS256", by: RSAKey | None = None) -> str:
    signer = by or key()
    return jwt.encode({"alg": algorithm, "kid": key().kid}, said, signer, algorithms=[algorithm])
