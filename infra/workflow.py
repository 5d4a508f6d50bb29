"""The state machine: stepfunctions/rotate_key.asl.json with real ARNs for its placeholders."""

import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.encryption import key_of
from infra.functions import pascal_case
from infra.log_groups import build_log_group
from infra.nag import acknowledge
from infra.settings import Settings, SettingsError

DEFINITION = Path(__file__).resolve().parent.parent / "stepfunctions" / "rotate_key.asl.json"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class Workflow(Construct):
    """The rotate-key state machine. It may invoke exactly the Lambdas that its definition names."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._definition = DEFINITION.read_text(encoding="utf-8")
        self._named = self._functions_named(functions)
        self.state_machine = self._build_state_machine()

    def _functions_named(self, functions: Mapping[str, lambda_.Function]) -> dict[str, lambda_.Function]:
        wanted = set(_PLACEHOLDER.findall(self._definition))
        offered = {pascal_case(name): function for name, function in functions.items()}
        if unknown := wanted - offered.keys() - {"Partition", "SettleSeconds"}:
            raise SettingsError(
                f"{DEFINITION.name} has placeholders that nothing fills: {', '.join(sorted(unknown))}. "
                "Add the Lambda to infra/permissions.py, or fix the name"
            )
        return {placeholder: offered[placeholder] for placeholder in sorted(wanted & offered.keys())}

    def _build_state_machine(self) -> sfn.StateMachine:
        name = f"{self._settings.name}-rotate-key"
        log_group = build_log_group(self, "Logs", f"/aws/vendedlogs/states/{name}", self._settings)
        key = key_of(self, self._settings.encryption_key_arn)
        state_machine = sfn.StateMachine(
            self,
            "RotateKey",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            # From a string: a file would become an asset, which templates, diffs and tests cannot see.
            definition_body=sfn.DefinitionBody.from_string(self._definition),
            definition_substitutions=self._substitutions(),
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
            encryption_configuration=sfn.CustomerManagedEncryptionConfiguration(key) if key else None,
        )
        state_machine.add_to_role_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                resources=[function.function_arn for function in self._named.values()],
            )
        )
        acknowledge(
            state_machine,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="CloudWatch's log delivery and X-Ray take no resource; Lambdas are named one by one.",
        )
        return state_machine

    def _substitutions(self) -> dict[str, str]:
        return {
            "Partition": Aws.PARTITION,
            "SettleSeconds": str(max(1, round(self._settings.settle_seconds * self._settings.wait_scale))),
            **{placeholder: function.function_arn for placeholder, function in self._named.items()},
        }
