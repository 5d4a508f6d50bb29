"""What cfn-lint's rule E3601 knows of the Amazon States Language: fields that JSONata states may not have, and more."""

import json
from typing import Any

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.workflow.asl import PLACEHOLDER, Machine
from tests.workflow.mutations import broken, put, rest


def lint_definition(machine: Machine) -> list[str]:
    # cfn-lint takes a resource for an ARN of the partition aws, and knows of no placeholder there.
    text = machine.text.replace("${Partition}", "aws")
    properties = {
        "RoleArn": "arn:aws:iam::111122223333:role/workflow",
        "DefinitionString": text,
        "DefinitionSubstitutions": dict.fromkeys(PLACEHOLDER.findall(text), "filled"),
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {"Workflow": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}},
    }
    return [str(match) for match in lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))]


def test_cfn_lint_finds_nothing() -> None:
    assert lint_definition(Machine.load()) == []


def test_cfn_lint_finds_what_is_wrong() -> None:
    def change(definition: dict[str, Any]) -> None:
        put("Verify", "InputPath", value="$.x")(definition)
        put("Settle wait", "Type", value="Sleep")(definition)
        rest("StartAt", "Nowhere")(definition)

    found = "\n".join(lint_definition(broken(change)))
    assert "InputPath" in found
    assert "Sleep" in found
    assert "Nowhere" in found
