"""Access tokens handed out by the OAuth endpoints."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True)
class Grant:
    """What a token is good for: the account and all its workspaces, or one workspace only."""

    expires_at: float
    workspace_id: int | None


class Tokens:
    """Tokens by value."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def issue(self, expires_at: float, workspace_id: int | None) -> str:
        token = secrets.token_urlsafe(48)
        self._grants[token] = Grant(expires_at, workspace_id)
        return token

    def find(self, token: str, now: float) -> Grant | None:
        """The grant of a token that is known and has not expired."""
        grant = self._grants.get(token)
        return grant if grant and grant.expires_at > now else None
