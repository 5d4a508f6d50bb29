"""Synthesizes the stack a few times at once, as the CDK command line would: offline, without any credentials."""

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


def _start(assembly: Path, overrides: Mapping[str, object], *command: str) -> "subprocess.Popen[str]":
    # Unstaged: what the assets hold does not matter here, and the layer is large.
    context = cdk_json_context() | {"aws:cdk:disable-asset-staging": True} | dict(overrides)
    environment = offline_environment() | {
        "CDK_OUTDIR": str(assembly),
        "CDK_CONTEXT_JSON": json.dumps(context),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.Popen(
        [sys.executable, *(command or (str(ROOT / "app.py"),))],
        cwd=assembly.parent,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="session")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesis]:
    folder = tmp_path_factory.mktemp("synth")
    local = {
        "rekey:stage": "local",
        "rekey:local_python": "/usr/bin/python3",
        "rekey:grace_seconds": 30,
        "rekey:wait_scale": 0.025,
    }
    running = {
        "first": _start(folder / "first", {}),
        "second": _start(folder / "second", {}),
        "secretless": _start(folder / "secretless", {"rekey:databricks_client_id": CLIENT_ID}),
        "local": _start(folder / "local", local | {"rekey:databricks_account_host": "http://127.0.0.1:1"}),
        "govcloud": _start(folder / "govcloud", {"rekey:databricks_shard": "govcloud"}),
        "govcloud-dod": _start(folder / "govcloud-dod", {"rekey:databricks_shard": "govcloud-dod"}),
        "tickets": _start(
            folder / "tickets",
            {
                "rekey:tickets": json.dumps(TICKETS),
                "rekey:security_hub": True,
                "rekey:alarm_email": "security@example.com",
            },
        ),
        "package": _start(folder / "package", {}, "-c", APP_PACKAGED),
        "bank": _start(folder / "bank", BANK),
        "keys elsewhere": _start(folder / "keys", KEYS_ELSEWHERE),
        "longest": _start(folder / "longest", LONGEST),
        "without a reason": _start(folder / "nag", {}, "-c", APP_WITHOUT_A_REASON),
        "without findings": _start(folder / "findings", {}, "-c", APP_WITHOUT_FINDINGS),
        "settle too short": _start(folder / "settle", {"rekey:settle_seconds": "1199"}),
    }
    folders = {
        "without a reason": "nag",
        "without findings": "findings",
        "settle too short": "settle",
        "keys elsewhere": "keys",
    }
    return {
        name: Synthesis(
            output=process.communicate(timeout=600)[0],
            code=process.returncode,
            assembly=folder / folders.get(name, name),
        )
        for name, process in running.items()
    }


@pytest.fixture(scope="session")
def template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["first"].template


@pytest.fixture(scope="session")
def secretless_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["secretless"].template


@pytest.fixture(scope="session")
def local_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["local"].template


@pytest.fixture(scope="session")
def bank_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["bank"].template


@pytest.fixture(scope="session")
def keys_elsewhere_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["keys elsewhere"].template


@pytest.fixture(scope="session")
def longest_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["longest"].template


@pytest.fixture(scope="session")
def tickets_template(syntheses: dict[str, Synthesis]) -> Template:
    return syntheses["tickets"].template
