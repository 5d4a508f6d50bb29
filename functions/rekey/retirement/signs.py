"""Signs that a disabled key is still needed, as the key check finds them without any trail. Nothing is changed."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

from rekey.aws.kms_key import LastUse
from rekey.base import clock
from rekey.base.errors import DatabricksError, NetworkRefused, NotFound, PermissionDenied, RekeyError, Unauthenticated
from rekey.databricks import Estate, Workspace, WorkspaceApi
from rekey.databricks import canary as canaries
from rekey.model.key import Canary, Key, wait

KMS_FAILURES = frozenset({"AWS_INACCESSIBLE_KMS_KEY_FAILURE", "AWS_INVALID_KMS_KEY_STATE"})
"""Termination codes of clusters whose key cannot be used (databricks-sdk-py, compute.TerminationReasonCode)."""

OFF = ("TERMINATED", "ERROR")

Inside = Callable[[Workspace], WorkspaceApi]
"""From a workspace to its own API."""


def told_late(key: Key, last_use: LastUse, grace_seconds: int) -> str | None:
    """What KMS, up to an hour late, tells only now: a use for which the key would not have been disabled.

    Whoever used it within that time may have written something that needs it, and need not have come back yet.
    """
    # A region may learn to tell of uses while the key is watched: that its tracking began today is no use.
    if key.disabled_at is None or last_use.at is None or not last_use.used:
        return None
    if clock.moment(key.disabled_at) >= last_use.at + wait(grace_seconds):
        return None
    return f"KMS tells only now that it was used within the grace period: {last_use.said}"


class Signs:
    """Looks for signs in one key check; each workspace's clusters are listed once."""

    def __init__(self, estate: Estate, inside: Inside, revoked: frozenset[int] = frozenset()) -> None:
        """`revoked` are workspaces whose access was taken away: what fails there is no sign of any other key."""
        self._estate = estate
        self._running = {
            each.workspace_id: each
            for each in estate.workspaces
            if each.status == "RUNNING" and each.workspace_id not in revoked
        }
        self._inside = inside
        self._clusters = lru_cache(maxsize=None)(self._list_clusters)

    def of(self, key: Key) -> str | None:
        """The first sign that the key is needed, None where there is none. Databricks' own trouble is no sign.

        Raises the first trouble where it kept a place from being looked at, and the others have no sign.
        """
        trouble: RekeyError | None = None
        for look in self._places(key):
            try:
                if sign := look():
                    return sign
            except RekeyError as error:
                trouble = trouble or error
        if trouble:
            raise trouble
        return None

    def _places(self, key: Key) -> Iterator[Callable[[], str | None]]:
        yield partial(self._user, key)
        for canary in key.canaries:
            if canary.workspace_id in self._running:
                yield partial(self._unreadable, canary)
        for workspace_id in key.workspaces:
            if workspace_id in self._running:
                yield partial(self._failed_cluster, workspace_id, key)

    def _user(self, key: Key) -> str | None:
        users = self._estate.users(key.key_arn)
        return f"workspace {users[0].workspace_id} refers to it again" if users else None

    def _unreadable(self, canary: Canary) -> str | None:
        what = f"the notebook that was written under it in workspace {canary.workspace_id}"
        inside = self._inside(self._running[canary.workspace_id])
        try:
            if not canaries.reads(inside, canary.rotation_id, "before"):
                return f"{what} reads back with other content"
        except (NotFound, NetworkRefused, Unauthenticated):
            return None  # Somebody removed it, or rekey is kept out: neither is the key's doing.
        except DatabricksError as error:
            if isinstance(error, PermissionDenied) and not canaries.shows(inside, canary.rotation_id, "before"):
                return None  # rekey's own rights are gone: to be shown it takes them, and no key.
            return f"{what} no longer reads: {error}"
        return None

    def _failed_cluster(self, workspace_id: int, key: Key) -> str | None:
        disabled_ms = clock.moment(key.disabled_at or key.since).timestamp() * 1000
        for cluster in self._clusters(workspace_id):
            reason = cluster.get("termination_reason") or {}
            ended = int(cluster.get("terminated_time") or 0)
            if reason.get("code") in KMS_FAILURES and ended >= disabled_ms and not _names_another(reason, key.key_arn):
                return f"cluster {cluster['cluster_id']} of workspace {workspace_id} ended with {reason['code']}"
        return None

    def _list_clusters(self, workspace_id: int) -> list[dict[str, Any]]:
        return self._inside(self._running[workspace_id]).list_clusters(OFF)


def _names_another(reason: dict[str, Any], key_arn: str) -> bool:
    """Whether the failure speaks of another key, such as the workspace's STORAGE key."""
    told = " ".join(map(str, (reason.get("parameters") or {}).values()))
    return ":key/" in told and key_arn.rpartition("/")[2] not in told
