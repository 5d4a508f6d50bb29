"""What a running local cloud is, as one object and as a state file that other processes can read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
DEFAULT_STATE_FILE = ROOT / ".rekey" / "local.json"

DAY_SECONDS = 86_400


class CloudError(RuntimeError):
    """The local cloud could not be started, or is not there; the message says what to do."""


@dataclass(frozen=True)
class Scales:
    """How much faster time passes: real seconds for one second of the story. 1 is real time, 0.025 is 40 times faster.

    `minute` scales the settle wait, polls and Databricks' latencies; `day` scales the 24 hours of the old key.
    A moment, such as the beginning of a maintenance window, comes when it comes.
    """

    minute: float = 1 / 40
    day: float = 1 / 2880

    @property
    def grace_seconds(self) -> int:
        """The 24 hours in real whole seconds, at least one."""
        return max(1, round(DAY_SECONDS * self.day))


@dataclass(frozen=True)
class LocalCloud:
    """A local cloud with the stack deployed. Addresses are on 127.0.0.1; `emulator_pid` also leads the Lambdas."""

    endpoint: str
    region: str
    account: str
    simulator_url: str
    tickets_url: str
    databricks_account_id: str
    state_machine_arn: str
    ledger_table: str
    evidence_bucket: str
    databricks_secret_arn: str | None
    """None where Databricks trusts the stack's role and there is no secret."""
    scales: Scales
    emulator_pid: int
    simulator_pid: int
    tickets_pid: int
    emulator_log: str
    simulator_log: str
    tickets_log: str
    deploy_log: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client, boto3 or the command line, talks to this cloud as its root user."""
        return aws_environment(self.endpoint, self.region, self.account)

    @property
    def client_options(self) -> dict[str, str]:
        """The same as keyword arguments: boto3.client("kms", **cloud.client_options)."""
        return {
            "endpoint_url": self.endpoint,
            "region_name": self.region,
            "aws_access_key_id": self.environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": self.environment["AWS_SECRET_ACCESS_KEY"],
        }

    def save(self, state_file: Path) -> None:
        """Write the state file, whole or not at all."""
        state_file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = state_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        unfinished.replace(state_file)

    @classmethod
    def load(cls, state_file: Path = DEFAULT_STATE_FILE) -> "LocalCloud":
        """Read the state file. Raises CloudError when there is none; does not look whether the cloud still runs."""
        try:
            state: dict[str, Any] = json.loads(state_file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CloudError(f"no local cloud: {state_file} does not exist") from None
        return cls(**{**state, "scales": Scales(**state["scales"])})


def aws_environment(endpoint: str, region: str, account: str) -> dict[str, str]:
    """The emulator takes a 12-digit access key as that account's root user."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
