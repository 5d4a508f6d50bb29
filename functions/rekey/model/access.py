"""Databricks' access to a workspace's keys, taken away and given back: what is remembered of it."""

import json
from typing import Any

from pydantic import BaseModel, ConfigDict

BUDGET_SECONDS = 3_600
"""How long the canary is watched once the statements are out, or back, at every key.

Databricks: "DEK is cached in memory for several read/write operations and evicted at a regular interval"; it names no
figure ("Customer-managed keys for encryption").
"""

CONFIRM_SECONDS = 60
"""The canary must answer as it should for so long: one node may have let its data key go before another."""


class Revoked(BaseModel):
    """What was taken out of a key's policy, and what the key was before. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    rotation_id: str
    """The revocation: its evidence, and its canary."""
    workspaces: tuple[int, ...]
    """Those that were to lose their access: the one that was named, and those that share the key."""
    by: str
    """Who asked for it."""
    at: str
    was: str
    """The key's state before."""
    taken: tuple[str, ...]
    """The statements, as they are put back, each as JSON: a number in one may be no number of DynamoDB's."""

    @property
    def statements(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.taken]


class Access(BaseModel):
    """How far a revocation or a restoration of access is. Times are ISO 8601 in UTC."""

    model_config = ConfigDict(frozen=True)

    begun_at: str | None = None
    """When the first key's policy was about to be changed: from then on it goes forward, whatever happens."""
    changed_at: str | None = None
    """When KMS first showed every key's policy as it is to be."""
    canary_refused_at: str | None = None
    """When Databricks first refused to have the canary written."""
    no_canary: str | None = None
    """Why there is none; None where there is one, or none was tried yet."""
    answers_since: str | None = None
    """Since when the canary has answered as it should: no more after a revocation, again after a restoration."""
    proven_at: str | None = None
