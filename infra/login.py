"""The Lambdas' way into Databricks: a role that it trusts, or a client secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.encryption import key_of
from infra.guard_rails import prefixed
from infra.nag import acknowledge
from infra.platform import Platform
from infra.settings import Settings

CREDENTIAL_FORM = '{"client_id": "not set yet"}'
TOKEN_SECONDS = 300


@dataclass(frozen=True)
class Login:
    """What the Lambdas are told, and the one thing they need for it: the stack's output of that name shows its ARN."""

    arn: str
    output: str
    environment: Mapping[str, str]


def login_for(scope: Construct, settings: Settings, platform: Platform) -> Login:
    """The way that the settings chose; a secret of our own when they name neither a service principal nor a secret."""
    if settings.is_secretless:
        role_arn = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role{settings.role_path}{role_name(settings)}"
        client_id = str(settings.databricks_client_id)
        return Login(
            role_arn, "DatabricksRoleArn", {"DATABRICKS_ROLE_ARN": role_arn, "DATABRICKS_CLIENT_ID": client_id}
        )
    secret_arn = settings.databricks_secret_arn or _build_secret(scope, platform)
    return Login(secret_arn, "DatabricksSecretArn", {"DATABRICKS_SECRET_ARN": secret_arn})


def role_name(settings: Settings) -> str:
    """Fixed, so that the federation policy can be written before the stack is there, and outlives its replacement."""
    return prefixed(settings, "databricks")


def role_path(settings: Settings) -> str:
    """Path of the roles of the Lambdas that talk to Databricks, and of no others."""
    return f"{settings.role_path}{settings.name}/in-databricks/"


class DatabricksRole(Construct):
    """The one subject that Databricks knows: the Lambdas that talk to it take this role on, and it can do nothing else.

    Databricks takes at most 20 federation policies for a service principal, and matches subjects exactly.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        # By their path, which no role can be given later: named one by one they fill the 2,048 characters of trust
        # that IAM takes. With the account as principal, each of them needs the permission in its own role as well.
        within = f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role{role_path(settings)}*"
        trust = iam.PolicyStatement(
            actions=["sts:AssumeRole"],
            principals=[iam.AccountRootPrincipal()],
            conditions={"ArnLike": {"aws:PrincipalArn": within}},
        )
        permissions = iam.PolicyDocument(statements=[_issue_tokens(settings)])
        role = iam.CfnRole(
            self,
            "Role",
            role_name=role_name(settings),
            description="The subject of the Databricks service principal's federation policy",
            assume_role_policy_document=iam.PolicyDocument(statements=[trust]),
            policies=[iam.CfnRole.PolicyProperty(policy_name="permissions", policy_document=permissions)],
        )
        acknowledge(
            role,
            finding="AwsSolutions-IAM5[Resource::*]",
            reason="sts:GetWebIdentityToken takes no resource; audience, lifetime and algorithm are fixed instead.",
        )


def _issue_tokens(settings: Settings) -> iam.PolicyStatement:
    audience = str(settings.databricks_account_id)
    return iam.PolicyStatement(
        actions=["sts:GetWebIdentityToken"],
        resources=["*"],
        conditions={
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": audience},
            # Without a value at all, ForAllValues would hold.
            "Null": {"sts:IdentityTokenAudience": "false"},
            "StringEquals": {"sts:SigningAlgorithm": "RS256"},
            "NumericLessThanEquals": {"sts:DurationSeconds": TOKEN_SECONDS},
        },
    )


def _build_secret(scope: Construct, platform: Platform) -> str:
    secret = secretsmanager.Secret(
        scope,
        "DatabricksCredential",
        description="Databricks service principal of rekey: put its client_id and client_secret here",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template=CREDENTIAL_FORM, generate_string_key="client_secret"
        ),
        encryption_key=key_of(scope, platform.encryption_key_arn),
        removal_policy=platform.removal_policy,
    )
    acknowledge(
        secret,
        finding="AwsSolutions-SMG4",
        reason="Databricks issues the service principal's secret; its owner replaces it in both places.",
    )
    # Id is the ARN, as Ref is; the emulator's Ref is the name instead.
    return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id
