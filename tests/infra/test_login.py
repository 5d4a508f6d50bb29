"""The two ways into Databricks: with a role that it trusts there is no secret, with a secret there is no such role."""

import json
from typing import Any

from tests.infra.conftest import CLIENT_ID
from tests.infra.grants import SECRETLESS, TABLE, granted, of_every_lambda, rows
from tests.infra.template import LAMBDAS, Template

ROLE_ARN = {
    "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":role/rekey-databricks"]]
}
ROWS = rows(TABLE, SECRETLESS)
IN_DATABRICKS = [name for name in LAMBDAS if any(action == "sts:AssumeRole" for action, *_ in ROWS[name])]


def trusted_role(template: Template) -> Any:
    [role] = [role for role in template.all("AWS::IAM::Role").values() if role.get("RoleName") == "rekey-databricks"]
    return role


def test_without_a_secret_there_is_none_and_nobody_may_read_one(secretless_template: Template) -> None:
    assert secretless_template.all("AWS::SecretsManager::Secret") == {}
    actions = {action for statement in secretless_template.all_statements() for action in statement.actions}
    assert not [action for action in actions if action.startswith("secretsmanager:")]
    assert "DatabricksSecretArn" not in secretless_template.body["Outputs"]
    assert secretless_template.body["Outputs"]["DatabricksRoleArn"]["Value"] == ROLE_ARN


def test_each_lambda_of_databricks_may_take_on_the_one_role(secretless_template: Template) -> None:
    for name in LAMBDAS:
        row = [*of_every_lambda(secretless_template, name), *ROWS[name]]
        assert granted(secretless_template, name) == sorted(row), name


def test_the_role_trusts_exactly_these_lambdas(secretless_template: Template) -> None:
    """By their roles' path: whoever has it is trusted, and no other role of the stack has one."""
    [trust] = trusted_role(secretless_template)["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Action"], trust["Effect"]) == ("sts:AssumeRole", "Allow")
    account = ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}]
    assert trust["Principal"] == {"AWS": {"Fn::Join": ["", [*account, ":root"]]}}
    within = {"Fn::Join": ["", [*account, ":role/rekey/in-databricks/*"]]}
    assert trust["Condition"] == {"ArnLike": {"aws:PrincipalArn": within}}
    on_the_path = {
        name
        for name, role in secretless_template.all("AWS::IAM::Role").items()
        if role.get("Path") == "/rekey/in-databricks/"
    }
    assert on_the_path == {secretless_template.role_of(name) for name in IN_DATABRICKS}
    assert len(on_the_path) > 10


def test_the_trust_has_room(secretless_template: Template) -> None:
    """IAM quotas: 2,048 characters for a role's trust policy, however many Lambdas there come to be."""
    document = json.dumps(trusted_role(secretless_template)["AssumeRolePolicyDocument"])
    assert len(document) < 1024


def test_with_a_secret_no_role_needs_a_path(template: Template) -> None:
    assert not [role for role in template.all("AWS::IAM::Role").values() if "Path" in role]


def test_the_role_can_get_short_tokens_for_the_databricks_account_and_nothing_else(
    secretless_template: Template,
) -> None:
    role = trusted_role(secretless_template)
    [policy] = role["Policies"]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "sts:GetWebIdentityToken",
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": "00000000-0000-0000-0000-000000000000"},
            "Null": {"sts:IdentityTokenAudience": "false"},
            "StringEquals": {"sts:SigningAlgorithm": "RS256"},
            "NumericLessThanEquals": {"sts:DurationSeconds": 300},
        },
    }
    assert "ManagedPolicyArns" not in role


def test_with_a_secret_there_is_no_such_role(template: Template) -> None:
    assert not [role for role in template.all("AWS::IAM::Role").values() if "RoleName" in role]
    actions = {action for statement in template.all_statements() for action in statement.actions}
    assert not [action for action in actions if action.startswith("sts:")]


def test_the_lambdas_are_told_one_way(template: Template, secretless_template: Template) -> None:
    for name in LAMBDAS:
        with_secret, without = (
            each.function(name)["Environment"]["Variables"] for each in (template, secretless_template)
        )
        assert without["DATABRICKS_CLIENT_ID"] == CLIENT_ID
        assert without["DATABRICKS_ROLE_ARN"] == ROLE_ARN
        assert set(without) - set(with_secret) == {"DATABRICKS_CLIENT_ID", "DATABRICKS_ROLE_ARN"}
        assert set(with_secret) - set(without) == {"DATABRICKS_SECRET_ARN"}
