"""A definition as cfn-lint sees it in a template."""

import json

from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from tests.workflow.asl import PLACEHOLDER, Machine


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
