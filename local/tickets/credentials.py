"""Secrets of the ticket systems, made afresh for each local cloud. Imports nothing: the command line starts with it."""

import secrets
from typing import Any


def new_secret() -> dict[str, Any]:
    """Fresh secrets for all three, in the form of rekey's secret; two webhook secrets each, the second in use."""

    def pair(prefix: str) -> list[str]:
        return [prefix + secrets.token_urlsafe(24).replace("-", "+").replace("_", "/") for _ in range(2)]

    return {
        "jira": {"webhook_secrets": pair(""), "email": "rekey@example.com", "api_token": secrets.token_urlsafe(24)},
        "servicenow": {
            "webhook_secrets": pair("whsec_"),
            "username": "rekey",
            "password": secrets.token_urlsafe(24),
        },
        "standard": {"webhook_secrets": pair("whsec_"), "api_token": secrets.token_urlsafe(24)},
    }
