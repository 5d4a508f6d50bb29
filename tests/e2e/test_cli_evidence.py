"""`rekey evidence` against the local cloud: what was written is proven, and what was changed since is named."""

import json
from pathlib import Path
from typing import Any

import boto3
from typer.testing import CliRunner

from cli.main import app
from rekey.pages.evidence import render
from tests.e2e.driver import Driver


def test_the_evidence_is_verified_against_the_ledger_and_a_change_is_named(driver: Driver, tmp_path: Path) -> None:
    driver.cloud.save(tmp_path / "local.json")

    def rekey(*arguments: str) -> Any:
        return CliRunner().invoke(
            app, ["evidence", "--local", "--state-file", str(tmp_path / "local.json"), *arguments]
        )

    workspace_id = driver.workspace(clusters=1, pools=0, warehouses=0)
    ended = driver.rotate(workspace_id=workspace_id, operation="add", use_cases=["MANAGED_SERVICES"])
    assert ended.status == "SUCCEEDED"
    document, rotation_id = driver.evidence(ended.name), ended.name
    good = rekey("--verify", rotation_id)
    assert (good.exit_code, "the ledger has the same entries" in good.stdout) == (0, True)
    options: Any = driver.cloud.client_options
    s3 = boto3.client("s3", **options)
    bucket = driver.cloud.evidence_bucket
    page = s3.get_object(Bucket=bucket, Key=f"rotations/{rotation_id}/evidence.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["Body"].read().decode() == render(document)
    # Compute is not in the chain: only the ledger's hash of the file tells.
    document["compute"]["newcomers"] = ["somebody"]
    s3.put_object(Bucket=bucket, Key=f"rotations/{rotation_id}/evidence.json", Body=json.dumps(document, indent=2))
    bad = rekey("--verify", rotation_id)
    assert (bad.exit_code, "the ledger has another SHA-256" in bad.stderr) == (1, True)
    document["audit"]["entries"][3]["detail"] = {}
    s3.put_object(Bucket=bucket, Key=f"rotations/{rotation_id}/evidence.json", Body=json.dumps(document, indent=2))
    bad = rekey("--verify", rotation_id)
    assert bad.exit_code == 1
    assert "entry 4 was changed" in bad.stderr
    assert "entry 4 is not the one in the ledger" in bad.stderr
    missing = rekey("no-such-rotation")
    assert (missing.exit_code, "has no evidence" in missing.stderr) == (1, True)
