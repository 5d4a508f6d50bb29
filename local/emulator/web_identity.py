"""Web identity tokens as AWS STS issues them; MiniStack 1.5.33 signs its own with a published word, for one subject.

The account's issuer is an address of the emulator, with a key made at start: whoever is given a token finds the keys
by OpenID discovery, as at AWS. The feature is off until it is enabled, and MiniStack's IAM decides who may ask.
"""

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from ministack.services import iam, sts  # type: ignore[import-untyped]

from rekey.base.arns import account_of

USUAL = 300
"""AWS STS, GetWebIdentityToken: seconds that a token lives when nothing is said."""

Handler = Callable[[str, str, Mapping[str, str], bytes, Any], Awaitable[Any]]
Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Any, Any], Awaitable[None]]
Form = Mapping[str, list[str]]


class WebIdentity:
    """One account's issuer."""

    def __init__(self, endpoint: str) -> None:
        self._path = f"/web-identity/{uuid.uuid4()}"
        self._issuer = endpoint + self._path
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
        self._enabled = False

    def beside_iam(self, handle: Handler) -> Handler:
        """MiniStack's IAM with the account's switch beside it."""

        async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
            match _form(body).get("Action"):
                case ["EnableOutboundWebIdentityFederation"]:
                    self._enabled = True
                    return self._shown("EnableOutboundWebIdentityFederation")
                case ["GetOutboundWebIdentityFederationInfo"] if self._enabled:
                    return self._shown("GetOutboundWebIdentityFederationInfo", JwtVendingEnabled="true")
                case ["GetOutboundWebIdentityFederationInfo"]:
                    return iam._error(404, "FeatureDisabled", "Outbound web identity federation is off.", ns="iam")
                case ["DisableOutboundWebIdentityFederation"]:
                    self._enabled = False
                    return iam._xml(200, "DisableOutboundWebIdentityFederationResponse", "", ns="iam")
            return await handle(method, path, headers, body, query)

        return handle_request

    def beside_sts(self, handle: Handler) -> Handler:
        """MiniStack's STS, which also checks the request, with real tokens in place of its own."""

        async def handle_request(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> Any:
            answer = await handle(method, path, headers, body, query)
            form = _form(body)
            if form.get("Action") != ["GetWebIdentityToken"] or answer[0] != 200:
                return answer
            if not self._enabled:
                said = "Outbound web identity federation is not enabled for this account."
                return iam._error(403, "OutboundWebIdentityFederationDisabledException", said, ns="sts")
            return self._token(form, sts._caller_identity(headers, query)["userArn"])

        return handle_request

    def beside_app(self, app: Asgi) -> Asgi:
        """MiniStack with the issuer's two public documents."""
        documents = {
            f"{self._path}/.well-known/openid-configuration": {
                "issuer": self._issuer,
                "jwks_uri": f"{self._issuer}/.well-known/jwks.json",
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            f"{self._path}/.well-known/jwks.json": KeySet([self._key]).as_dict(private=False),
        }

        async def serve(scope: Scope, receive: Any, send: Any) -> None:
            document = documents.get(scope.get("path", ""))
            if document is None:
                await app(scope, receive, send)
                return
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(document).encode()})

        return serve

    def _shown(self, action: str, **more: str) -> Any:
        fields = {"IssuerIdentifier": self._issuer, **more}
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
        return iam._xml(200, f"{action}Response", f"<{action}Result>{inner}</{action}Result>", ns="iam")

    def _token(self, form: Form, caller_arn: str) -> Any:
        now = int(time.time())
        [algorithm] = form["SigningAlgorithm"]
        if algorithm != "RS256":
            return iam._error(400, "ValidationError", f"Only RS256 is played here, not {algorithm}.", ns="sts")
        audiences = [values[0] for name, values in form.items() if name.startswith("Audience.member.")]
        expires = now + int(form.get("DurationSeconds", [str(USUAL)])[0])
        claims = {
            "iss": self._issuer,
            "aud": audiences if len(audiences) > 1 else audiences[0],
            "sub": subject(caller_arn),
            "iat": now,
            "exp": expires,
            "jti": str(uuid.uuid4()),
            "https://sts.amazonaws.com/": {"aws_account": account_of(caller_arn)},
        }
        token = jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, self._key)
        expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
        inner = f"<WebIdentityToken>{token}</WebIdentityToken><Expiration>{expiration}</Expiration>"
        return iam._xml(
            200,
            "GetWebIdentityTokenResponse",
            f"<GetWebIdentityTokenResult>{inner}</GetWebIdentityTokenResult>",
            ns="sts",
        )


def subject(caller_arn: str) -> str:
    """A session of a role speaks for the role: arn:…:sts::1:assumed-role/name/session -> arn:…:iam::1:role/name."""
    head, _, rest = caller_arn.partition(":assumed-role/")
    return f"{head.replace(':sts:', ':iam:')}:role/{rest.split('/')[0]}" if rest else caller_arn


def with_condition_keys(tags: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """MiniStack's context of a request with the keys that policies for GetWebIdentityToken use."""

    def context(service: str, iam_action: str, body: bytes, params: dict[str, Any]) -> dict[str, Any]:
        found = dict(tags(service, iam_action, body, params))
        if iam_action == "sts:GetWebIdentityToken":
            form = _form(body)
            found["sts:identitytokenaudience"] = [
                values[0] for name, values in form.items() if name.startswith("Audience.member.")
            ]
            found["sts:durationseconds"] = form.get("DurationSeconds", [str(USUAL)])[0]
            found["sts:signingalgorithm"] = form.get("SigningAlgorithm", [""])[0]
        return found

    return context


def _form(body: bytes) -> dict[str, list[str]]:
    return parse_qs(body.decode("utf-8", errors="replace"))
