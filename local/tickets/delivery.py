"""Webhooks: signed as each system signs them, posted to whom the side door named."""

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import requests
from standardwebhooks import Webhook

from local.tickets.state import Document, Provider, State

SECONDS = 30


def deliver(state: State, provider: Provider, event: Any, times: int = 1) -> list[Document]:
    """Post one delivery, the same `times` over as after lost answers. Gives [{"status", "body"}]; [] without a URL."""
    url = state.webhooks.get(provider)
    if not url:
        return []
    body, headers = sign(state, provider, event)
    answers = []
    for _ in range(times):
        try:
            answer = requests.post(url, data=body, headers=headers, timeout=SECONDS)
            answers.append({"status": answer.status_code, "body": answer.json()})
        except (requests.RequestException, ValueError) as error:
            answers.append({"status": 0, "body": {"error": str(error)}})
    state.deliveries += [{"provider": provider, "event": event, **each} for each in answers]
    return answers


def sign(state: State, provider: Provider, event: Any) -> tuple[bytes, dict[str, str]]:
    """(raw body, headers) with the newest of the provider's webhook secrets."""
    body = json.dumps(event).encode()
    return body, signed(state, provider, body)


def signed(
    state: State, provider: Provider, body: bytes, delivery_id: str | None = None, at: datetime | None = None
) -> dict[str, str]:
    """The headers of a body; a delivery that is repeated keeps its id, and is signed anew where its time is."""
    secret = state.secret[provider]["webhook_secrets"][-1]
    headers = {"content-type": "application/json"}
    if provider == "jira":
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            **headers,
            "x-hub-signature": f"sha256={digest}",
            "x-atlassian-webhook-identifier": delivery_id or str(uuid.uuid4()),
        }
    webhook_id, at = delivery_id or f"msg_{uuid.uuid4().hex}", at or datetime.now(UTC)
    return {
        **headers,
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body.decode()),
    }
