"""Starts the servers of the local cloud: the AWS emulator (MiniStack), the Databricks simulator, the ticket systems."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.model import Scales, aws_environment
from local.cloud.processes import free_port, start, wait_until

EMULATOR_MARKER = "local.emulator"
SIMULATOR_MARKER = "local.databricks"
TICKETS_MARKER = "local.tickets"
START_SECONDS = 40.0
REGION_WITHOUT_USAGE = "eu-west-1"
"""Played as a region whose KMS has no GetKeyLastUsage yet."""


@dataclass(frozen=True)
class Server:
    """A started server; it may not answer yet."""

    name: str
    url: str
    health_path: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait until it answers. Raises CloudError when it does not within START_SECONDS."""
        wait_until(self._answers, self.process, self.name, self.log, START_SECONDS)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + self.health_path, timeout=2) as response:  # noqa: S310
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@dataclass(frozen=True)
class Credential:
    """The Databricks account and the service principal that the simulator will know."""

    account_id: str
    client_id: str
    client_secret: str


def start_emulator(base: Mapping[str, str], folder: Path, region: str, account: str, scales: Scales) -> Server:
    """Start MiniStack: on loopback only, IAM enforced, nothing kept, all its files under `folder`."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        **base,
        **aws_environment(endpoint, region, account),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "AUTH": "true",
        "SFN_WAIT_SCALE": str(scales.minute),
        "REKEY_DAY_SCALE": str(scales.day),
        "REKEY_REGIONS_WITHOUT_USAGE": REGION_WITHOUT_USAGE,
        "MINISTACK_ACCOUNT_ID": account,
        "MINISTACK_REGION": region,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        # It would look for containers of its own and remove them; there is nothing here for Docker to do.
        "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
    }
    log = folder / "emulator.log"
    process = start([sys.executable, "-m", "local.emulator"], environment, log)
    return Server("the AWS emulator", endpoint, "/_ministack/health", log, process)


def start_simulator(
    base: Mapping[str, str],
    folder: Path,
    emulator_environment: Mapping[str, str],
    credential: Credential,
    scales: Scales,
) -> Server:
    """Start the Databricks simulator, whose encryption uses the emulator's KMS."""
    port = free_port()
    log = folder / "simulator.log"
    command = [
        *[sys.executable, "-m", "local.databricks", "--port", str(port)],
        *["--account-id", credential.account_id, "--client-id", credential.client_id],
        *["--customer-account", emulator_environment["AWS_ACCESS_KEY_ID"]],
        *["--minute-scale", str(scales.minute), "--day-scale", str(scales.day)],
    ]
    # The secret goes by the environment: a command line is everybody's to read.
    environment = {**base, **emulator_environment, "DATABRICKS_SIMULATOR_CLIENT_SECRET": credential.client_secret}
    process = start(command, environment, log)
    return Server("the Databricks simulator", f"http://127.0.0.1:{port}", "/_sim/health", log, process)


def start_tickets(base: Mapping[str, str], folder: Path, secret: Mapping[str, Any]) -> Server:
    """Start the stand-ins for Jira, ServiceNow and a ticket system of one's own."""
    port = free_port()
    log = folder / "tickets.log"
    environment = {**base, "TICKETS_SECRET": json.dumps(secret)}
    process = start([sys.executable, "-m", "local.tickets", "--port", str(port)], environment, log)
    return Server("the ticket systems", f"http://127.0.0.1:{port}", "/_tickets/health", log, process)
