"""The state machines: stepfunctions/*.asl.json with real ARNs for their placeholders."""

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

DEFINITIONS = Path(__file__).resolve().parent.parent / "stepfunctions"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


class Workflow(Construct):
    """A state machine, by its file's name. It may invoke exactly the Lambdas that its definition names."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        functions: Mapping[str, lambda_.Function],
        name: str = "rotate_key",
        places: Mapping[str, str] | None = None,
    ) -> None:
        """`places` fill the placeholders that are no Lambdas."""
        super().__init__(scope, construct_id)
        self._settings = settings
        self._name = name
        self._file = DEFINITIONS / f"{name}.asl.json"
        self._definition = self._file.read_text(encoding="utf-8")
        self._places = {
            "Partition": Aws.PARTITION,
            "SettleSeconds": str(max(1, round(settings.settle_seconds * settings.wait_scale))),
            **(places or {}),
        }
        self._named = self._functions_named(functions)
        self.state_machine = self._build_state_machine()

    def _functions_named(self, functions: Mapping[str, lambda_.Function]) -> dict[str, lambda_.Function]:
        wanted = set(_PLACEHOLDER.findall(self._definition))
        offered = {pascal_case(name): function for name, function in functions.items()}
        if unknown := wanted - offered.keys() - self._places.keys():
            raise SettingsError(
                f"{self._file.name} has placeholders that nothing fills: {', '.join(sorted(unknown))}. "
                "Add the Lambda to infra/permissions.py, or fix the name"
            )
        return {placeholder: offered[placeholder] for placeholder in sorted(wanted & offered.keys())}

    def _build_state_machine(self) -> sfn.StateMachine:
        name = f"{self._settings.name}-{self._name.replace('_', '-')}"
        log_group = build_log_group(self, "Logs", f"/aws/vendedlogs/states/{name}", self._settings)
        key = key_of(self, self._settings.encryption_key_arn)
        state_machine = sfn.StateMachine(
            self,
            pascal_case(self._name),
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
        wanted = set(_PLACEHOLDER.findall(self._definition))
        places = {name: value for name, value in self._places.items() if name in wanted}
        return {**places, **{placeholder: function.function_arn for placeholder, function in self._named.items()}}
