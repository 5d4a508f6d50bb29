"""One workspace on one virtual clock, seeded the same way each time, and what the two sides need to work on it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.compute.virtual import Pool, Time
from benchmarks.compute.wire import URL, Wire
from benchmarks.compute.workspaces import REQUEST_SECONDS, Size
from local.databricks.app import create_app
from local.databricks.seeding import Seed, seed
from local.databricks.settings import Latencies, Limits, RateLimit, Settings, Switches
from local.databricks.state.account import Workspace
from local.databricks.world import World as Simulator
from rekey.aws import clients
from rekey.base import clock
from rekey.databricks import connect
from rekey.ledger import Ledger
from rekey.rotation.compute import crew, pace
from rekey.runtime import current_settings
from tests import cloud, kms_usage
from tests.names import ACCOUNT_ID, TABLE
from tests.steps.world import World, environment, keep_secret

LATENCIES = Latencies(request=REQUEST_SECONDS)


@dataclass
class Stage:
    """The workspace has a MANAGED_SERVICES key, which is to be replaced: no settle wait hides what is slow."""

    time: Time
    wire: Wire
    simulator: Simulator
    workspace: Workspace
    world: World
    key_arn: str
    """A new key that Databricks may use."""

    def limit(self, accepted_a_second: float | None) -> None:
        """From now on; one bucket for all that is asked of the workspace."""
        families: Any = (
            {"all": RateLimit(accepted_a_second, max(1, round(accepted_a_second)))} if accepted_a_second else {}
        )
        self.simulator.limit(Limits(families))

    def down(self) -> int:
        """How much that ran does not run now."""
        now, workspace = self.simulator.now(), self.workspace
        states = [each.life.state(now) for each in (*workspace.warehouses.values(), *workspace.pipelines.values())]
        states += [each.life.state(now) for each in workspace.clusters.values() if each.source in ("UI", "API")]
        emptied = sum(not each.min_idle_instances for each in workspace.pools.values())
        return sum(each != "RUNNING" for each in states) + emptied + self.paused()

    def paused(self) -> int:
        triggers = [each.settings.get("schedule") or {} for each in self.workspace.jobs.values()]
        return sum(each.get("pause_status") == "PAUSED" for each in triggers)

    def early(self) -> int:
        """Rules of Databricks' that were broken."""
        return len(self.simulator.violations.as_list())


@contextmanager
def built(size: Size, accepted_a_second: float | None) -> Iterator[Stage]:
    """Everything of before is forgotten."""
    time = Time()
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        kms_usage.play(patch)
        with cloud.playing(patch):
            patch.setattr(clock, "now", lambda: datetime.fromtimestamp(time.now(), UTC))
            patch.setattr(pace, "CLOCK", _PaceClock(time))
            patch.setattr(crew, "ThreadPoolExecutor", lambda most: Pool(time, most))
            pace.forget()
            settings = Settings(
                account_id=ACCOUNT_ID,
                customer_account="123456789012",
                token_seconds=1e8,
                latencies=LATENCIES,
                switches=Switches(patch_response="workspace"),
            )
            keep_secret(settings)
            for name, value in environment(URL).items():
                patch.setenv(name, value)
            current_settings.cache_clear()
            app = create_app(settings, clock=time)
            wire = Wire(app)
            with wire.connected():
                world = World(URL, time, Ledger(clients.dynamodb(), TABLE), current_settings())  # type: ignore[arg-type]
                wish = {**size.wish(), "keys": {"managed_services": world.make_key()}}
                workspace = seed(app.state.world, Seed.model_validate(wish))
                stage = Stage(time, wire, app.state.world, workspace, world, world.make_key())
                stage.limit(accepted_a_second)
                yield stage
            current_settings.cache_clear()
            connect.forget_clients()
    logging.disable(logging.NOTSET)


class _PaceClock:
    def __init__(self, time: Time) -> None:
        self.now, self._time = time.now, time

    def sleep_until(self, moment: float) -> None:
        if moment > self._time.now():
            self._time.sleep_until(moment)
