"""Whether a delivery comes from who holds the secret. Each secret is tried: a new one is added before the old goes."""

import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from standardwebhooks import Webhook, WebhookVerificationError

from rekey.base import clock
from rekey.telling.tickets.errors import NotAuthentic

Headers = Mapping[str, str]
"""Names in lower case, as API Gateway's payload format 2.0 gives them."""

JIRA_PATIENCE = 2 * 3_600_000
"""Milliseconds. Jira repeats a failed delivery five times, 5 to 15 minutes apart (Atlassian, "Webhooks")."""

CLOCK_SKEW = 5 * 60_000


def verify_hub(secrets: Sequence[str], headers: Headers, body: bytes) -> None:
    """X-Hub-Signature: sha256=<hex HMAC of the raw body> (Atlassian, "Webhooks", secure admin webhooks).

    Raises NotAuthentic. There is no signed timestamp: see verify_age.
    """
    given = headers.get("x-hub-signature", "").encode("utf-8", "replace")
    good = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        good |= hmac.compare_digest(f"sha256={digest}".encode(), given)
    if not good:
        raise NotAuthentic("X-Hub-Signature is missing or matches no secret.")


def verify_age(milliseconds: object) -> None:
    """The time that Jira writes into the (signed) body. Raises NotAuthentic when it is missing, too old or ahead."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        raise NotAuthentic("The body has no timestamp.")
    age = int(clock.now().timestamp() * 1000) - milliseconds
    if not -CLOCK_SKEW <= age <= JIRA_PATIENCE:
        raise NotAuthentic("The body's timestamp is too old, or ahead of time.")


def verify_standard(secrets: Sequence[str], headers: Headers, body: bytes) -> str:
    """Standard Webhooks: webhook-id, -timestamp and -signature, five minutes' tolerance. Gives the webhook-id.

    Raises NotAuthentic.
    """
    good = False
    why = "no usable secret is configured"
    for secret in secrets:
        try:
            Webhook(secret).verify(body, dict(headers), json_parse=False)
            good = True
        except WebhookVerificationError as error:
            why = str(error)
        except (ValueError, binascii.Error) as error:  # What the library does not foresee in a stranger's headers.
            why = type(error).__name__
    if not good:
        raise NotAuthentic(f"Standard Webhooks: {why}.")
    return headers["webhook-id"]
