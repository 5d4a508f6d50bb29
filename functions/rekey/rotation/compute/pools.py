"""Instance pools. They have no stop: without a minimum and without idle time every idle instance goes at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import RootModel

from rekey.databricks import WorkspaceApi
from rekey.rotation.compute.kind import BACK, DOWN, Json, Kind, Verdict
from rekey.rotation.compute.look import Look

_ZERO_WHERE_LEFT_OUT = ("min_idle_instances", "idle_instance_autotermination_minutes")
"""Databricks may leave zeros out of an answer, and takes what an edit leaves out for "the default"."""

SETTINGS = (
    "instance_pool_id",
    "instance_pool_name",
    "node_type_id",
    *_ZERO_WHERE_LEFT_OUT,
    "max_capacity",
    "custom_tags",
)
"""Everything that a pool's edit overwrites; what is left out of an edit is reset."""

_COUNTS = ("idle_count", "used_count", "pending_idle_count", "pending_used_count")


class PoolWas(RootModel[dict[str, Any]]):
    """The pool's settings, as an edit takes them."""


class Pools(Kind[PoolWas]):
    noun, field, listing, id_field = "pool", "pools", "pools", "instance_pool_id"
    model = PoolWas
    at_once, unseen = True, False

    def find(self, look: Look) -> list[Json]:
        """Those that hold nothing now too: somebody may still fill them."""
        return [each for each in look.listed(self.listing) if each.get("state") != "DELETED"]

    def alive(self, piece: Json) -> bool:
        return bool(_instances(piece)) or bool(piece.get("min_idle_instances"))

    def state(self, piece: Json) -> str:
        return f"with {_instances(piece)} instances"

    def size(self, piece: Json) -> int:
        return _instances(piece)

    def stoppable(self, piece: Json) -> bool:
        return self.alive(piece) and not _emptied(piece)

    def stop(self, api: WorkspaceApi, piece: Json) -> None:
        api.edit_pool({**_settings(piece), **dict.fromkeys(_ZERO_WHERE_LEFT_OUT, 0)})

    def newcomer(self, piece: Json) -> bool:
        return False  # A pool starts nothing by itself, and a new one is emptied, too.

    def write_down(self, piece: Json) -> PoolWas | None:
        return PoolWas(_settings(piece))

    def id_of(self, was: PoolWas) -> str:
        return str(was.root["instance_pool_id"])

    def judge(self, was: PoolWas, now: Json | None) -> Verdict:
        """Only what a rotation emptied comes back: an owner's own change in the downtime stays."""
        emptied = now is None or (_emptied(now) and _differ(was.root, now))
        return DOWN if emptied else BACK

    def start(self, api: WorkspaceApi, was: PoolWas, now: Json | None) -> None:
        api.edit_pool(_settings(was.root))

    def before(self, was: PoolWas) -> str:
        return _told(was.root)

    def title(self, was: PoolWas) -> str:
        return str(was.root.get("instance_pool_name", ""))

    def is_back(self, was: PoolWas, now: Json | None) -> bool:
        return now is not None and not _differ(was.root, now)

    def after(self, was: PoolWas, now: Json | None) -> str | None:
        return _told(now) if now else None

    def note(self, was: PoolWas, now: Json | None) -> str:
        differ = _differ(was.root, now) if now else []
        return f"other settings than before: {', '.join(differ)}" if differ else ""


def _instances(pool: Mapping[str, Any]) -> int:
    """Idle, used, and on their way."""
    stats = pool.get("stats") or {}
    return sum(int(stats.get(name) or 0) for name in _COUNTS)


def _emptied(pool: Mapping[str, Any]) -> bool:
    """Whether it has the settings that a rotation gives it."""
    return not any(pool.get(name) for name in _ZERO_WHERE_LEFT_OUT)


def _settings(pool: Mapping[str, Any]) -> Json:
    given = {name: pool[name] for name in SETTINGS if pool.get(name) is not None}
    return {**dict.fromkeys(_ZERO_WHERE_LEFT_OUT, 0), **given}


def _differ(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Names of the settings that are another now; left out, null, zero and empty are the same."""
    return [name for name in SETTINGS if (was.get(name) or None) != (now.get(name) or None)]


def _told(settings: Mapping[str, Any]) -> str:
    idle = settings.get("idle_instance_autotermination_minutes")
    return f"min {settings.get('min_idle_instances') or 0}, idle {idle or 0} min"
