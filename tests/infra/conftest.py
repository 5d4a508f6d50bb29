"""Synthesizes the stack in its ways, as the CDK command line would: offline, without any credentials."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.template import Template

ROOT = Path(__file__).resolve().parent.parent.parent
NOWHERE = "http://127.0.0.1:9"
CLIENT_ID = "3c5f3f1e-9d0b-4c43-8a55-6f2b7c1d9e10"

TICKETS: dict[str, dict[str, object]] = {
    "jira": {
        "base_url": "https://acme.atlassian.net/",
        "projects": ["SEC"],
        "statuses": ["Approved"],
        "approvers": ["5b10a2844c20165700ede21g"],
        "workspaces": [1234567890123456],
    },
    "servicenow": {
        "base_url": "https://acme.service-now.com",
        "projects": ["Platform"],
        "statuses": ["approved"],
        "approvers": ["*"],
        "workspaces": ["*"],
    },
}

# All that an organisation may ask of a stack, at once.
BOUNDARY, KEY_ADMIN, ENCRYPTION_KEY, OWN_SECRET = (
    "team/boundary",
    "arn:aws:iam::111122223333:role/key-admin",
    "arn:aws:kms:eu-central-1:111122223333:key/8d2f0a3e-3c5e-4f0c-9a59-9d5d0f0f1c11",
    "arn:aws:secretsmanager:eu-central-1:111122223333:secret:databricks-AbCdEf",
)
BANK: dict[str, object] = {
    "rekey:name": "vault",
    "rekey:databricks_secret_arn": OWN_SECRET,
    "rekey:key_tags": '{"cost-centre": "4711"}',
    "rekey:key_alias_prefix": "bank/keys",
    "rekey:key_admin_arns": KEY_ADMIN,
    "rekey:vpc_id": "vpc-0a1b2c3d4e5f60718",
    "rekey:subnet_ids": "subnet-0a1b2c3d,subnet-1a1b2c3d",
    "rekey:https_proxy": "http://proxy.bank.example:3128",
    "rekey:ca_bundle": str(ROOT / "tests" / "infra" / "private-authority.pem"),
    "rekey:permissions_boundary": BOUNDARY,
    "rekey:role_prefix": "app-",
    "rekey:role_path": "/platform/",
    "rekey:stack_tags": '{"cost-centre": "4711"}',
    "rekey:bootstrap_qualifier": "bank",
    "rekey:encryption_key_arn": ENCRYPTION_KEY,
    "rekey:evidence_lock_days": "2555",
    "rekey:fleet_window": "SAT 22:00-04:00 Europe/Zurich",
    "rekey:tickets": json.dumps(TICKETS),
    "rekey:security_hub": "true",
}

KEY_ACCOUNT, EXTERNAL_ID = "222222222222", "rekey-0123456789"
KEYS_ELSEWHERE: dict[str, object] = {
    "rekey:key_accounts": json.dumps({"77": KEY_ACCOUNT, "default": "workspace"}),
    "rekey:key_account_role": "platform/rekey-keys",
    "rekey:key_account_external_id": EXTERNAL_ID,
    "rekey:key_account_organization": "o-0123456789",
}
# All that the Lambdas are told, as long as it may be.
LONGEST: dict[str, object] = {
    **BANK,
    **KEYS_ELSEWHERE,
    "rekey:name": "r" * 31,
    "rekey:role_prefix": "",
    "rekey:key_alias_prefix": "a" * 100,
    "rekey:key_account_external_id": "x" * 128,
    "rekey:key_tags": json.dumps({f"tag-{n:02}": "v" * 60 for n in range(13)}),
    "rekey:key_accounts": json.dumps({str(10**15 + n): "111122223333" for n in range(27)} | {"default": "workspace"}),
}

# The app without one acknowledged reason: cdk-nag must stop it.
APP_WITHOUT_A_REASON = """
from infra import permissions
del permissions.WILDCARD_REASONS[permissions.On.KEYS]
import app
app.main()
"""


# The app without the table of what is left as it is: what cdk-nag's NIST pack finds by itself.
APP_WITHOUT_FINDINGS = """
from infra import findings
findings.LEFT = ()
import app
app.main()
"""

# What `make package` writes, without its zips: no CDK command line has read cdk.json for it.
APP_PACKAGED = """
import json, os
from pathlib import Path
from infra import package
from infra.settings import Settings
settings = Settings.from_context(json.loads(os.environ.pop("CDK_CONTEXT_JSON")))
names = {"": "functions-0123.zip", "Dependencies": "dependencies-4567.zip"}
folder = Path(os.environ["CDK_OUTDIR"])
folder.mkdir()
(folder / "rekey.template.json").write_text(json.dumps(package.template(settings, names)))
"""


@dataclass(frozen=True)
class Synthesis:
    """How one run of app.py ended, and what it left."""

    code: int
    output: str
    assembly: Path

    @property
    def template(self) -> Template:
        assert self.code == 0, self.output
        [template] = self.assembly.glob("*.template.json")
        return Template(json.loads(template.read_text()))


def cdk_json_context() -> dict[str, object]:
    context: dict[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def offline_environment() -> dict[str, str]:
    """Nothing of this process' environment but the way to Python and Node, and proxies that lead nowhere."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(Path.home()),  # the cache of unpacked CDK modules
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "ALL_PROXY": NOWHERE,
    }


@dataclass(frozen=True)
class _Run:
    """What app.py, or the `command` in its place, is run with."""

    overrides: Mapping[str, object]
    command: tuple[str, ...] = ()


_LOCAL: dict[str, object] = {
    "rekey:stage": "local",
    "rekey:local_python": "/usr/bin/python3",
    "rekey:grace_seconds": 30,
    "rekey:wait_scale": 0.025,
    "rekey:databricks_account_host": "http://127.0.0.1:1",
}
_ALL_TICKETS: dict[str, object] = {
    "rekey:tickets": json.dumps(TICKETS),
    "rekey:security_hub": True,
    "rekey:alarm_email": "security@example.com",
}
_RUNS: Mapping[str, _Run] = {
    "first": _Run({}),
    "second": _Run({}),
    "secretless": _Run({"rekey:databricks_client_id": CLIENT_ID}),
    "local": _Run(_LOCAL),
    "govcloud": _Run({"rekey:databricks_shard": "govcloud"}),
    "govcloud-dod": _Run({"rekey:databricks_shard": "govcloud-dod"}),
    "tickets": _Run(_ALL_TICKETS),
    "package": _Run({}, ("-c", APP_PACKAGED)),
    "bank": _Run(BANK),
    "keys-elsewhere": _Run(KEYS_ELSEWHERE),
    "longest": _Run(LONGEST),
    "without-a-reason": _Run({}, ("-c", APP_WITHOUT_A_REASON)),
    "without-findings": _Run({}, ("-c", APP_WITHOUT_FINDINGS)),
    "settle-too-short": _Run({"rekey:settle_seconds": "1199"}),
}


class Syntheses:
    """Runs of app.py by their names: each is made when a test first asks for it, once for all workers of a test run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(exist_ok=True)
        self._made: dict[str, Synthesis] = {}

    def __getitem__(self, name: str) -> Synthesis:
        if name not in self._made:
            with (self._folder / f"{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._made[name] = self._of_all_workers(name)
        return self._made[name]

    def _of_all_workers(self, name: str) -> Synthesis:
        ended, assembly = self._folder / f"{name}.json", self._folder / name
        if not ended.exists():
            ran = _ran(assembly, _RUNS[name])
            ended.write_text(json.dumps({"code": ran.returncode, "output": ran.stdout}))
        return Synthesis(**json.loads(ended.read_text()), assembly=assembly)


def _ran(assembly: Path, run: _Run) -> "subprocess.CompletedProcess[str]":
    # Unstaged: what the assets hold does not matter here, and the layer is large.
    context = cdk_json_context() | {"aws:cdk:disable-asset-staging": True} | dict(run.overrides)
    environment = offline_environment() | {
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(
        [sys.executable, *(run.command or (str(ROOT / "app.py"),))],
        cwd=assembly.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture(scope="session")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> Syntheses:
    # pytest-xdist's documentation, "Making session-scoped fixtures execute only once": workers share this parent.
    base = tmp_path_factory.getbasetemp()
    return Syntheses((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "synth")


@pytest.fixture(scope="session")
def template(syntheses: Syntheses) -> Template:
    return syntheses["first"].template


@pytest.fixture(scope="session")
def secretless_template(syntheses: Syntheses) -> Template:
    return syntheses["secretless"].template


@pytest.fixture(scope="session")
def local_template(syntheses: Syntheses) -> Template:
    return syntheses["local"].template


@pytest.fixture(scope="session")
def bank_template(syntheses: Syntheses) -> Template:
    return syntheses["bank"].template


@pytest.fixture(scope="session")
def keys_elsewhere_template(syntheses: Syntheses) -> Template:
    return syntheses["keys-elsewhere"].template


@pytest.fixture(scope="session")
def longest_template(syntheses: Syntheses) -> Template:
    return syntheses["longest"].template


@pytest.fixture(scope="session")
def tickets_template(syntheses: Syntheses) -> Template:
    return syntheses["tickets"].template
