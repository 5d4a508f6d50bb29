"""The stack: the pieces, wired together, and its outputs."""

from typing import cast

from aws_cdk import Annotations, CfnOutput, Stack, Tags
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.alarms import Alarms
from infra.functions import Functions, Shared
from infra.ledger import Ledger
from infra.nag import acknowledge
from infra.platform import Platform, platform_for
from infra.retirement import Retirement
from infra.settings import PREFIX, Settings
from infra.workflow import Workflow

CREDENTIAL_FORM = '{"client_id": "not set yet"}'


class RekeyStack(Stack):
    """Everything rekey deploys, in one account and region; the keys live in each workspace's own region."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        platform = platform_for(settings)
        super().__init__(
            scope,
            settings.name,
            description="rekey: customer-managed key rotation for Databricks workspaces",
            synthesizer=platform.synthesizer,
            termination_protection=platform.keeps_data,
        )
        self._warn_of_placeholders(settings)
        self._build_pieces(settings, platform)
        Tags.of(self).add("rekey:stage", settings.stage)
        acknowledge(
            self,
            finding="AwsSolutions-L1",
            reason="Python 3.13 on purpose: the layer is built for it, and the tests run near it.",
        )

    def _build_pieces(self, settings: Settings, platform: Platform) -> None:
        ledger = Ledger(self, "Ledger", platform)
        secret_arn = settings.databricks_secret_arn or self._build_secret(platform)
        functions = Functions(self, "Functions", Shared(settings, platform, ledger, secret_arn)).by_name
        workflow = Workflow(self, "Workflow", settings, functions)
        Retirement(self, "Retirement", settings, platform, functions["disable_old_key"], functions["reenable_key"])
        Alarms(self, "Alarms", settings)
        self._build_outputs(
            {
                "StateMachineArn": workflow.state_machine.state_machine_arn,
                "LedgerTableName": ledger.table.table_name,
                "EvidenceBucketName": ledger.bucket.bucket_name,
                "DatabricksSecretArn": secret_arn,
            }
        )

    def _build_secret(self, platform: Platform) -> str:
        secret = secretsmanager.Secret(
            self,
            "DatabricksCredential",
            description="Databricks service principal of rekey: put its client_id and client_secret here",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=CREDENTIAL_FORM, generate_string_key="client_secret"
            ),
            removal_policy=platform.removal_policy,
        )
        acknowledge(
            secret,
            finding="AwsSolutions-SMG4",
            reason="Databricks issues the service principal's secret; its owner replaces it in both places.",
        )
        # Id is the ARN, as Ref is; the emulator's Ref is the name instead.
        return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id

    def _build_outputs(self, outputs: dict[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _warn_of_placeholders(self, settings: Settings) -> None:
        if not settings.names_a_databricks_account:
            name = f"{PREFIX}databricks_account_id"
            Annotations.of(self).add_warning_v2(
                name,
                f"{name} still holds its placeholder: give the Databricks account's UUID, "
                f'in cdk.json or as ARGS="-c {name}=...". `make deploy` refuses to go on without it.',
            )
