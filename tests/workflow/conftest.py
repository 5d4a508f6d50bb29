"""One emulator for all routes of a test session. Its waits take no time: what they last is checked statically."""

from collections.abc import Callable, Iterator

import pytest

from local.cloud.model import Scales
from local.cloud.processes import base_environment, stop
from local.cloud.servers import start_emulator
from tests.workflow.engine import ACCOUNT, REGION, Engine, Run
from tests.workflow.script import Script

Play = Callable[[Script], Run]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("emulator")
    server = start_emulator(base_environment(folder), folder, REGION, ACCOUNT, Scales(minute=0, day=0))
    try:
        server.wait()
        yield Engine(server.url, tmp_path_factory.mktemp("scripts"))
    finally:
        stop(server.process.pid)


@pytest.fixture(scope="session")
def machine(engine: Engine) -> str:
    return engine.deploy_machine("rotate-key")


@pytest.fixture
def play(engine: Engine, machine: str) -> Play:
    """Run the real definition with a script to its end."""
    return lambda script: engine.finish(engine.start(machine, script))
