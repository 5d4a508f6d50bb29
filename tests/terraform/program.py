"""Terraform (or OpenTofu) with the real Databricks provider, in a folder of its own."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROVIDER = "terraform-provider-databricks"
SOURCE = "databricks/databricks"
SECONDS = 300

WHERE = (
    f"Fix: put `terraform` or `tofu` on PATH, and beside it {PROVIDER} (its release, or `go build` in its source); "
    "or name a CLI configuration with dev_overrides in TF_CLI_CONFIG_FILE."
)


class NotAtHand(RuntimeError):
    """Terraform, or the provider, is not on this machine; the message says what is missing, and the fix."""


@dataclass(frozen=True)
class Terraform:
    program: str
    folder: Path
    environment: Mapping[str, str]

    @classmethod
    def found(cls, folder: Path, environment: Mapping[str, str]) -> "Terraform":
        """Raises NotAtHand."""
        program, provider = check_at_hand()
        told = _overriding(folder, provider) if provider else os.environ["TF_CLI_CONFIG_FILE"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABRICKS_", "TF_"))}
        own = {"TF_CLI_CONFIG_FILE": told, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        return cls(program, folder, {**kept, **own, **environment})

    def apply(self) -> str:
        return self._run("apply", "-auto-approve").stdout

    def plan(self) -> dict[str, Any]:
        """What it would do, as `terraform show -json` has it."""
        self._run("plan", "-out=plan.bin")
        planned: dict[str, Any] = json.loads(self._run("show", "-json", "plan.bin").stdout)
        return planned

    def has_nothing_to_do(self) -> bool:
        """As a pipeline asks: exit status 0 is no changes, 2 is some."""
        return self._run("plan", "-detailed-exitcode", good=(0, 2)).returncode == 0

    def _run(self, *arguments: str, good: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        colour = () if arguments[0] == "show" else ("-no-color", "-input=false")
        ran = subprocess.run(
            [self.program, arguments[0], *colour, *arguments[1:]],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ran.returncode in good, f"terraform {' '.join(arguments)}:\n{ran.stdout}\n{ran.stderr}"
        return ran


def check_at_hand() -> tuple[str, str | None]:
    """(Terraform, the provider; None where a CLI configuration says where it is). Raises NotAtHand."""
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        raise NotAtHand(f"neither terraform nor tofu is on PATH. {WHERE}")
    if Path(os.environ.get("TF_CLI_CONFIG_FILE", "")).is_file():
        return program, None
    provider = shutil.which(PROVIDER)
    if provider is None:
        raise NotAtHand(f"{PROVIDER} is not on PATH. {WHERE}")
    return program, provider


def _overriding(folder: Path, provider: str) -> str:
    """A CLI configuration that takes the provider from PATH: neither `terraform init` nor its registry is needed."""
    config = folder / "cli.tfrc"
    overrides = f"dev_overrides {{\n    {json.dumps(SOURCE)} = {json.dumps(str(Path(provider).parent))}\n  }}"
    config.write_text(f"provider_installation {{\n  {overrides}\n  direct {{}}\n}}\n", encoding="utf-8")
    return str(config)


def changed(planned: Mapping[str, Any]) -> dict[str, list[str]]:
    """{address: actions} of all that a plan would touch."""
    return {
        each["address"]: each["change"]["actions"]
        for each in planned.get("resource_changes", [])
        if each["change"]["actions"] != ["no-op"]
    }
