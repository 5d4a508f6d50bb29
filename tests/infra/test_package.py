"""`make package`: a template that needs neither CDK nor bootstrap, and zips that are the same each time."""

import re
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.at_work import at_work, profile, refusal, stack_name
from infra.package import zipped
from tests.infra.conftest import Syntheses
from tests.infra.template import Template

LIFECYCLE = (Path(__file__).resolve().parents[2] / "docs" / "lifecycle.md").read_text(encoding="utf-8")
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:rekey-rotate-key"


@pytest.fixture
def packaged(syntheses: Syntheses) -> Template:
    return syntheses["package"].template


def types(template: Template) -> set[str]:
    return {resource["Type"] for resource in template.body["Resources"].values()}


def test_code_comes_from_the_bucket_that_the_parameters_name(packaged: Template) -> None:
    assert set(packaged.body["Parameters"]) == {"AssetBucket", "AssetPrefix"}
    functions = packaged.all("AWS::Lambda::Function").values()
    layer = packaged.only("AWS::Lambda::LayerVersion")["Content"]
    key = {"Fn::Join": ["", [{"Ref": "AssetPrefix"}, "functions-0123.zip"]]}
    assert [each["Code"] for each in functions] == [{"S3Bucket": {"Ref": "AssetBucket"}, "S3Key": key}] * len(functions)
    assert layer["S3Key"] == {"Fn::Join": ["", [{"Ref": "AssetPrefix"}, "dependencies-4567.zip"]]}


def test_nothing_of_a_bootstrap_is_left(packaged: Template) -> None:
    assert "Rules" not in packaged.body
    assert not [word for word in ("cdk-bootstrap", "hnb659fds", "aws:cdk:path") if word in str(packaged.body)]


def test_apart_from_where_the_code_is_it_is_the_same_stack(packaged: Template, template: Template) -> None:
    def without_code(given: Template) -> dict[str, Any]:
        return {
            name: {
                key: value for key, value in resource["Properties"].items() if key not in ("Code", "Content", "Layers")
            }
            for name, resource in given.body["Resources"].items()
            if "Properties" in resource and resource["Type"] != "AWS::Lambda::LayerVersion"
        }

    assert without_code(packaged) == without_code(template)
    assert packaged.body["Outputs"] == template.body["Outputs"]


def test_the_page_says_what_a_deployer_needs(tickets_template: Template, bank_template: Template) -> None:
    assert {each for each in types(tickets_template) | types(bank_template) if f"`{each}`" not in LIFECYCLE} == set()


def test_the_page_says_what_remains(tickets_template: Template) -> None:
    resources = tickets_template.body["Resources"].values()
    kept = {each["Type"] for each in resources if each.get("DeletionPolicy") == "Retain"}
    _, _, removal = LIFECYCLE.partition("## Remove")
    assert kept - {"AWS::Lambda::LayerVersion"} == set(re.findall(r"^\| `(AWS::\w+::\w+)`", removal, re.MULTILINE))


def test_a_zip_is_named_by_its_content_and_is_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "b.py").write_text("b")
    (folder / "a.py").write_text("a")
    (folder / "__pycache__" / "a.pyc").write_text("made")
    first = zipped(folder, tmp_path, "Functions")
    content = first.read_bytes()
    (folder / "a.py").touch()
    assert zipped(folder, tmp_path, "Functions") == first
    assert first.read_bytes() == content
    assert zipfile.ZipFile(first).namelist() == ["a.py", "b.py"]
    (folder / "a.py").write_text("other")
    assert zipped(folder, tmp_path, "Functions") != first


# --- make deploy ---


def test_a_rotation_at_work_is_named_and_keeps_the_deployment_waiting() -> None:
    client = boto3.client("stepfunctions", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    machine = {"stateMachineArn": MACHINE, "name": "rekey-rotate-key", "type": "STANDARD", "creationDate": 0}
    other = {**machine, "name": "vault-rotate-key", "stateMachineArn": MACHINE.replace("rekey-r", "vault-r")}
    running = {"executionArn": MACHINE, "stateMachineArn": MACHINE, "name": "CHG1", "status": "RUNNING", "startDate": 0}
    with Stubber(client) as stub:
        stub.add_response("list_state_machines", {"stateMachines": [other, machine]})
        asked = {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}
        stub.add_response("list_executions", {"executions": [running]}, asked)
        assert at_work(client, "rekey") == ["CHG1"]
        stub.add_response("list_state_machines", {"stateMachines": [other]})
        assert at_work(client, "rekey") == []
    assert "1 rotation(s) at work: CHG1" in refusal(["CHG1"])
    assert refusal([]) == ""


def test_it_asks_for_the_stack_and_the_profile_that_are_deployed() -> None:
    arguments = ["-c", "rekey:name=vault", "--profile", "prod"]
    assert (stack_name(arguments, {"rekey:name": "rekey"}), profile(arguments)) == ("vault", "prod")
    assert (stack_name([], {"rekey:name": "rekey"}), profile([])) == ("rekey", None)
