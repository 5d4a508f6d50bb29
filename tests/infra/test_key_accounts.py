"""Keys in other accounts: what a session may do there, what the account's template gives, who may tell the bus."""

import json
import re
from pathlib import Path
from typing import Any

import cfnlint  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document  # type: ignore[import-untyped]

from infra.key_account_template import text
from infra.key_accounts import at_the_keys, session_policy
from infra.permissions import GRANTS
from infra.settings import Settings, SettingsError
from tests.infra.conftest import BANK, EXTERNAL_ID, KEY_ACCOUNT, cdk_json_context
from tests.infra.grants import ROLES_OF_KEYS, granted, of_every_lambda, rows
from tests.infra.template import LAMBDAS, Template

PAGE = Path(__file__).resolve().parents[2] / "templates" / "key-account.yaml"
KEY = f"arn:aws:kms:eu-west-1:{KEY_ACCOUNT}:key/8d2f0a3e-3c5e-4f0c-9a59-9d5d0f0f1c11"
OTHERS_KEY = KEY.replace(KEY_ACCOUNT, "999999999999")
ALIAS = f"arn:aws:kms:eu-west-1:{KEY_ACCOUNT}:alias/rekey/1/r1"
MANAGED = {"aws:ResourceTag/rekey:managed": "rekey"}
BROUGHT = {"aws:ResourceTag/rekey:brought": "true"}
TAGGING = {"aws:RequestTag/rekey:managed": "rekey"}
CHECKED = {"kms:BypassPolicyLockoutSafetyCheck": "false"}
CONTEXTS: tuple[dict[str, str], ...] = ({}, MANAGED, BROUGHT, TAGGING, {"aws:ResourceTag/rekey:managed": "vault"})
AT_KEYS = [name for name, grants in GRANTS.items() if at_the_keys(grants)]
MOST_CHARACTERS, MOST_ENVIRONMENT = 2048, 4096


def settings(**more: object) -> Settings:
    context = cdk_json_context() | {f"rekey:{name}": value for name, value in more.items()}
    return Settings.from_context(context)


def parsed(document: Any) -> Any:
    return parse_policy_document(document)


def decision(document: Any, action: str, resource: str, context: dict[str, str]) -> str:
    tags = {name.partition("/")[2]: value for name, value in context.items() if name.startswith("aws:RequestTag/")}
    asked = EvalContext(
        principal_arn=f"arn:aws:sts::{KEY_ACCOUNT}:assumed-role/rekey-keys/x",
        principal_type="AssumedRole",
        principal_account=KEY_ACCOUNT,
        action=action,
        resource_arn=resource,
        region="eu-west-1",
        request_tags=tags,
        tag_keys=list(tags),
        service_context={name.lower(): value for name, value in (context | CHECKED).items()},
    )
    return str(evaluate(asked, [document]).decision)


def session(name: str) -> Any:
    """As STS is given it."""
    given = session_policy(
        settings(**{"key_accounts": KEY_ACCOUNT, "key_account_external_id": EXTERNAL_ID}), GRANTS[name]
    )
    return json.loads(given.replace("{account}", KEY_ACCOUNT))


def role() -> Any:
    """What the template gives the role, with its parameters filled in as they are by default."""
    found = yaml.safe_load(text())["Resources"]["KeyRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    return _filled(found)


def _filled(value: Any) -> Any:
    known = {"StackName": "rekey", "AWS::Partition": "aws", "AWS::AccountId": KEY_ACCOUNT}
    match value:
        case {"Ref": str(name)}:
            return known[name]
        case {"Fn::Sub": str(words)}:
            for name, filled in known.items():
                words = words.replace(f"${{{name}}}", filled)
            return words
        case {"Fn::If": [_, _, otherwise]}:
            return _filled(otherwise)
        case dict():
            return {name: _filled(each) for name, each in value.items()}
        case list():
            return [_filled(each) for each in value]
    return value


def asked() -> list[tuple[str, str, dict[str, str]]]:
    """Every action of every row on a key of the account, an alias, anything and another account's key."""
    actions = {action for row in GRANTS.values() for grant in at_the_keys(row) for action in grant.actions}
    on_keys = [(action, KEY, context) for action in actions for context in CONTEXTS]
    others = (OTHERS_KEY, ALIAS, "*", f"arn:aws:events:eu-west-1:{KEY_ACCOUNT}:rule/rekey-refused-uses")
    elsewhere = [(action, place, context) for action in actions for place in others for context in (MANAGED, TAGGING)]
    return sorted([*on_keys, *elsewhere], key=str)


@pytest.mark.parametrize("name", AT_KEYS)
def test_a_session_may_do_what_the_lambdas_row_says_of_keys_and_no_more(name: str) -> None:
    """Role and session policy together let through exactly what the Lambda's own role does in the stack's account."""
    own = parsed({"Version": "2012-10-17", "Statement": _own_row(name)})
    given, there = parsed(session(name)), parsed(role())
    found = {"Allow": 0}
    for action, place, context in asked():
        both = {decision(each, action, place, context) for each in (given, there)} == {"Allow"}
        assert both == (decision(own, action, place, context) == "Allow"), (action, place, context)
        found["Allow"] += both
    assert found["Allow"]


def _own_row(name: str) -> list[dict[str, Any]]:
    """From the second writing of the table, in tests/infra/grants.py, moved into the keys' account."""
    places = {"{Partition}": "aws", "{AccountId}": KEY_ACCOUNT}
    found = []
    for action, resource, condition in rows()[name]:
        where = resource
        for word, filled in places.items():
            where = where.replace(word, filled)
        if action.startswith(("kms:", "tag:")) or "refused-uses" in where:
            held = {"Condition": json.loads(condition)} if condition != "{}" else {}
            found.append({"Effect": "Allow", "Action": action, "Resource": where, **held})
    return found


@pytest.mark.parametrize("name", AT_KEYS)
def test_a_session_policy_is_as_small_as_sts_takes_it(name: str) -> None:
    longest = settings(
        key_accounts=KEY_ACCOUNT,
        key_account_external_id="x" * 128,
        name="r" * 31,
        key_alias_prefix="a" * 100,
        databricks_shard="govcloud-dod",
    )
    given = session_policy(longest, GRANTS[name]).replace("{account}", KEY_ACCOUNT)
    assert 100 < len(given) <= MOST_CHARACTERS


def test_no_session_may_what_no_lambda_may() -> None:
    for forbidden in ("kms:ScheduleKeyDeletion", "kms:Decrypt", "kms:DeleteAlias", "iam:CreateRole", "sts:AssumeRole"):
        assert decision(parsed(role()), forbidden, KEY, MANAGED) != "Allow"


# --- the stack ---


@pytest.mark.parametrize("name", LAMBDAS)
def test_only_who_works_with_keys_takes_on_the_roles(keys_elsewhere_template: Template, name: str) -> None:
    own = [*of_every_lambda(keys_elsewhere_template, name), *rows()[name]]
    roles = [("sts:AssumeRole", each, "{}") for each in ROLES_OF_KEYS] if name in AT_KEYS else []
    assert granted(keys_elsewhere_template, name) == sorted([*own, *roles])
    told = keys_elsewhere_template.function(name)["Environment"]["Variables"]
    assert ("KEY_SESSION_POLICY" in told) == (name in AT_KEYS)
    assert ("KEY_ACCOUNTS" in told) == (name in ("plan_rotation", "doctor"))


def test_with_keys_in_the_stacks_account_nobody_assumes_a_role(template: Template) -> None:
    assert "sts:AssumeRole" not in {action for name in LAMBDAS for action in template.actions_of(name)}
    assert template.all("AWS::Events::EventBusPolicy") == {}
    told = [template.function(name)["Environment"]["Variables"] for name in LAMBDAS]
    assert not [each for each in told if "KEY_ROLE" in each]


def test_every_environment_fits_with_the_longest_settings(longest_template: Template) -> None:
    """A token is counted with 100 characters: the longest that one of them stands for."""
    for name in LAMBDAS:
        told = longest_template.function(name)["Environment"]["Variables"]
        sizes = [len(key) + (len(value) if isinstance(value, str) else 100) for key, value in told.items()]
        assert sum(sizes) <= MOST_ENVIRONMENT, (name, sum(sizes))


def test_who_may_tell_the_bus_of_refused_uses_can_tell_it_nothing_else(keys_elsewhere_template: Template) -> None:
    found = [each["Statement"] for each in keys_elsewhere_template.all("AWS::Events::EventBusPolicy").values()]
    assert len(found) == 2
    for statement in found:
        assert statement["Action"] == "events:PutEvents"
        only = {"events:source": "aws.kms", "events:detail-type": "AWS API Call via CloudTrail"}
        assert statement["Condition"]["ForAllValues:StringEquals"] == only
        # ForAllValues holds where there is no value at all.
        assert statement["Condition"]["Null"] == dict.fromkeys(only, "false")
    [everybody] = [each for each in found if each["Principal"] == "*"]
    assert everybody["Condition"]["StringEquals"] == {"aws:PrincipalOrgID": "o-0123456789"}
    assert KEY_ACCOUNT in json.dumps([each["Principal"] for each in found if each != everybody])


def test_what_is_forwarded_reaches_the_same_lambda(template: Template) -> None:
    rules = {each["Name"]: each for each in template.all("AWS::Events::Rule").values() if "Name" in each}
    own, forwarded = rules["rekey-reenable-key"], rules["rekey-forwarded-uses"]
    for field in ("EventPattern", "State"):
        assert own[field] == forwarded[field]
    assert own["Targets"] == forwarded["Targets"]
    assert ("EventBusName" in own, "EventBusName" in forwarded) == (False, True)
    there = yaml.safe_load(text())["Resources"]["RefusedUses"]["Properties"]
    assert (there["EventPattern"], there["State"]) == (own["EventPattern"], own["State"])


# --- the template of the accounts ---


def test_the_template_is_what_the_table_makes() -> None:
    """After a change of infra/permissions.py: python -m infra.key_account_template templates/key-account.yaml"""
    assert PAGE.read_text(encoding="utf-8") == text()


def test_the_template_has_no_findings() -> None:
    assert [each for each in cfnlint.lint_all(text()) if not each.rule.id.startswith("I")] == []


def test_the_role_trusts_the_stacks_roles_with_the_external_id_only() -> None:
    trust = yaml.safe_load(text())["Resources"]["KeyRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    [statement] = trust
    assert statement["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    assert "aws:PrincipalArn" in statement["Condition"]["ArnLike"]
    assert "root" in statement["Principal"]["AWS"]["Fn::Sub"]


# --- the settings ---


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"key_accounts": "central"}, "rekey:key_accounts"),
        ({"key_accounts": "1234"}, "rekey:key_accounts"),
        ({"key_accounts": '{"1": "stack"}'}, 'lacks "default"'),
        ({"key_accounts": '{"prod": "stack", "default": "stack"}'}, "'prod' is not a workspace's id"),
        ({"key_accounts": "{"}, "it is not JSON"),
        ({"key_accounts": KEY_ACCOUNT}, "rekey:key_account_external_id: it is empty"),
        ({"key_accounts": "workspace", "key_account_external_id": "x"}, "rekey:key_account_external_id"),
        ({"key_account_role": "a role"}, "rekey:key_account_role"),
        ({"key_account_organization": "acme"}, "rekey:key_account_organization"),
        ({"key_accounts": json.dumps({str(n): KEY_ACCOUNT for n in range(1, 60)} | {"default": "stack"})}, "bytes"),
    ],
)
def test_a_wrong_setting_is_named_with_its_fix(given: dict[str, object], said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as error:
        settings(**given)
    assert "rekey:key_account" in str(error.value)


def test_the_banks_keys_may_be_anywhere() -> None:
    assert settings(key_accounts='{"77": "stack", "default": "workspace"}', key_account_external_id="ab").keys_elsewhere
    assert not settings(key_accounts='{"default": "stack"}').keys_elsewhere
    assert BANK
