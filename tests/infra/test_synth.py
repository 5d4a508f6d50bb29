"""Synthesis itself: offline, repeatable, checked; and a deployment that is refused before anything is touched."""

import json
import subprocess

import pytest

from infra import layer
from infra.settings import SettingsError
from local.cloud.deploy import CDK
from tests.infra.conftest import Syntheses, offline_environment


def test_synth_needs_no_credentials_and_no_network(syntheses: Syntheses) -> None:
    """conftest gives it none: proxies lead to a closed port, the environment is empty."""
    assert syntheses["first"].code == 0, syntheses["first"].output


@pytest.mark.parametrize("name", ["rekey.template.json", "rekey.assets.json", "manifest.json"])
def test_two_syntheses_are_alike_to_the_byte(syntheses: Syntheses, name: str) -> None:
    first, second = (syntheses[run].assembly / name for run in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


def test_cdk_nag_has_nothing_open(syntheses: Syntheses) -> None:
    report = json.loads((syntheses["first"].assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_cdk_nag_stops_an_exception_without_a_reason(syntheses: Syntheses) -> None:
    assert syntheses["without-a-reason"].code != 0
    report = (syntheses["without-a-reason"].assembly / "validation-report.json").read_text()
    assert "AwsSolutions-IAM5" in report


def test_a_wrong_setting_is_a_message_and_no_template(syntheses: Syntheses) -> None:
    refused = syntheses["settle-too-short"]
    assert refused.code == 1
    assert "rekey:settle_seconds: 1199 is too short; give at least 1200" in refused.output
    assert "Traceback" not in refused.output
    assert not (refused.assembly / "rekey.template.json").exists()


def test_deploying_without_a_databricks_account_is_refused(syntheses: Syntheses) -> None:
    if not CDK.exists():
        pytest.skip("the CDK command line is not installed: make setup")
    refused = subprocess.run(
        ["node", CDK, "deploy", "--strict", "--app", syntheses["first"].assembly],
        env=offline_environment() | {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode != 0
    assert "rekey:databricks_account_id still holds its placeholder" in refused.stderr


def test_a_missing_layer_is_named_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer, "layer_key", lambda: "never-built")
    with pytest.raises(SettingsError, match=r"never-built\): run `make synth`"):
        layer.layer_directory()
