"""One workspace on one virtual clock, seeded the same way each time, and what the two sides need to work on it."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.compute.virtual import Pool, RealTime, Time
from benchmarks.compute.wire import URL, Wire
from benchmarks.compute.workspaces import REQUEST_SECONDS, Size
from local.databricks.app import create_app
from local.databricks.seeding import Seed, seed
from local.databricks.serving import running
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
        states = [each.life.state(now) for each in workspace.warehouses.values()]
        states += [each.life.state(now) for each in workspace.pipelines.values()]
        states += [each.life.state(now) for each in workspace.clusters.values() if each.source in ("UI", "API")]
        emptied = sum(not each.min_idle_instances for each in workspace.pools.values())
        return sum(each != "RUNNING" for each in states) + emptied + self.paused()

    def paused(self) -> int:
        triggers = [each.settings.get("schedule") or {} for each in self.workspace.jobs.values()]
        return sum(each.get("pause_status") == "PAUSED" for each in triggers)

    def register(self) -> str:
        """The new key's configuration, for who makes it beforehand."""
        account = connect.connect_account(self.world.settings)
        return account.create_configuration(
            self.key_arn, ("MANAGED_SERVICES",), reuse_for_volumes=True
        ).configuration_id

    def undone(self, configuration_id: str) -> str:
        """What is not as it should be when somebody says that it is over; "" where all is."""
        shows = self.workspace.managed_services_key_id == configuration_id
        rules = Counter(str(each["rule"]).replace("_", " ") for each in self.simulator.violations.as_list())
        found = [*(["the new key does not show yet"] if not shows else [])]
        found += [f"{count} x {rule}" for rule, count in sorted(rules.items())]
        found += [f"{self.down()} objects do not run"] if self.down() else []
        return "; ".join(found)


@contextmanager
def built(
    size: Size, accepted_a_second: float | None, latencies: Latencies = LATENCIES, *, real: bool = False
) -> Iterator[Stage]:
    """Everything of before is forgotten. In `real` time the simulator is a server, and threads are threads."""
    time: Any = RealTime() if real else Time()
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        kms_usage.play(patch)
        with cloud.playing(patch):
            patch.setattr(clock, "now", lambda: datetime.fromtimestamp(time.now(), UTC))
            if not real:
                patch.setattr(pace, "CLOCK", _PaceClock(time))
                patch.setattr(crew, "ThreadPoolExecutor", lambda most: Pool(time, most))
            pace.forget()
            settings = Settings(
                account_id=ACCOUNT_ID,
                customer_account="123456789012",
                token_seconds=1e8,
                latencies=latencies,
                switches=Switches(patch_response="workspace"),
            )
            keep_secret(settings)
            current_settings.cache_clear()
            with _served(settings, time, real=real) as (url, simulator, wire):
                for name, value in environment(url).items():
                    patch.setenv(name, value)
                world = World(url, time, Ledger(clients.dynamodb(), TABLE), current_settings())
                wish = {**size.wish(), "keys": {"managed_services": world.make_key()}}
                workspace = seed(simulator, Seed.model_validate(wish))
                stage = Stage(time, wire, simulator, workspace, world, world.make_key())
                stage.limit(accepted_a_second)
                yield stage
            current_settings.cache_clear()
            connect.forget_clients()
    logging.disable(logging.NOTSET)


@contextmanager
def _served(settings: Settings, time: Any, *, real: bool) -> Iterator[tuple[str, Simulator, Wire]]:
    if real:
        with running(settings, clock=time) as (url, state):
            yield url, state.world, Wire(None)
    else:
        app = create_app(settings, clock=time)
        wire = Wire(app)
        with wire.connected():
            yield URL, app.state.world, wire


class _PaceClock:
    def __init__(self, time: Time) -> None:
        self.now, self._time = time.now, time

    def sleep_until(self, moment: float) -> None:
        if moment > self._time.now():
            self._time.sleep_until(moment)
