"""templates/key-account.yaml: what an account that keeps keys for a stack of rekey needs, for a StackSet or by itself.

python -m infra.key_account_template templates/key-account.yaml

The role is made in one region of the account, as IAM has none; the rule that forwards refused uses in each.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from infra.key_accounts import at_the_keys, statements
from infra.permissions import GRANTS, Grant, On
from infra.retirement import REFUSED_USES, WITH_READS

HEAD = """# Made by `make package` from infra/permissions.py: what rekey may do with keys in this account, under the
# conditions of the stack's own roles, and the rule that tells the stack of refused uses. See docs/key-accounts.md.
"""

_STACK = {"Ref": "StackName"}


def parameters() -> dict[str, Any]:
    return {
        "StackAccount": _parameter("The AWS account that rekey is in", r"\d{12}"),
        "StackName": _parameter("rekey:name, the value of the tag rekey:managed", "[a-z][a-z0-9-]{1,30}", "rekey"),
        "CallerRoles": _parameter(
            "Pattern of the names, with their paths, of the stack's roles; empty is *<StackName>-*. To be given where "
            "rekey:name has more than 24 characters",
            r"[\w+=,.@/*-]*",
            "",
        ),
        "ExternalId": _parameter("rekey:key_account_external_id", r"([\w+=,.@:/-]{2,128})?", ""),
        "RoleRegion": _parameter(
            "The one region of this account whose stack makes the role; empty for the rule alone", "[a-z0-9-]*", ""
        ),
        "RolePath": _parameter("Path of the role", r"/([\w+=,.@-]+/)*", "/"),
        "RoleName": _parameter("rekey:key_account_role, without its path", r"[\w+=,.@-]{1,64}", "rekey-keys"),
        "PermissionsBoundary": _parameter("ARN of the boundary of every role, or empty", "(arn:.*)?", ""),
        "AliasPrefix": _parameter("rekey:key_alias_prefix; empty is StackName", "[A-Za-z0-9/_-]*", ""),
        "StackBusArn": _parameter("ARN of the stack's event bus; empty for the role alone", "(arn:.*)?", ""),
    }


def template() -> dict[str, Any]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "rekey: keys of Databricks workspaces in this account",
        "Parameters": parameters(),
        "Conditions": {
            "MakesRole": {"Fn::Equals": [{"Ref": "RoleRegion"}, {"Ref": "AWS::Region"}]},
            "Forwards": _given("StackBusArn"),
            "HasBoundary": _given("PermissionsBoundary"),
            "NamesCallers": _given("CallerRoles"),
            "NamesAliases": _given("AliasPrefix"),
        },
        "Resources": {"KeyRole": _key_role(), "ForwarderRole": _forwarder_role(), "RefusedUses": _rule()},
        "Outputs": {"KeyRoleArn": {"Condition": "MakesRole", "Value": {"Fn::GetAtt": ["KeyRole", "Arn"]}}},
    }


def text() -> str:
    return HEAD + "".join(f"{line}\n" for line in _yaml(template()))


def _key_role() -> dict[str, Any]:
    callers = {
        "Fn::If": [
            "NamesCallers",
            {"Fn::Sub": "arn:${AWS::Partition}:iam::${StackAccount}:role/${CallerRoles}"},
            {"Fn::Sub": "arn:${AWS::Partition}:iam::${StackAccount}:role/*${StackName}-*"},
        ]
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${StackAccount}:root"}},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}},
            "ArnLike": {"aws:PrincipalArn": callers},
        },
    }
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "MakesRole",
        "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "Path": {"Ref": "RolePath"},
            "Description": "What rekey may do with keys here; a session of it has only the calling Lambda's part",
            "MaxSessionDuration": 3600,
            **_boundary(),
            "AssumeRolePolicyDocument": _document([trust]),
            "Policies": [{"PolicyName": "keys", "PolicyDocument": _document(_all_rows())}],
        },
    }


def _all_rows() -> list[dict[str, Any]]:
    """What all Lambdas together may do; each grant once."""
    grants: Iterable[Grant] = dict.fromkeys(each for row in GRANTS.values() for each in at_the_keys(row))
    return statements(grants, _STACK, _resource)


def _resource(on: On) -> Any:
    if on == On.ALIASES:
        aliases = "arn:${AWS::Partition}:kms:*:${AWS::AccountId}:alias/${%s}/*"
        return {
            "Fn::If": ["NamesAliases", {"Fn::Sub": aliases % "AliasPrefix"}, {"Fn::Sub": aliases % "StackName"}],
        }
    if on == On.ANYTHING:
        return "*"
    return {"Fn::Sub": on.format(partition="${AWS::Partition}", account="${AWS::AccountId}", name="${StackName}")}


def _forwarder_role() -> dict[str, Any]:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    put = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": {"Ref": "StackBusArn"}}
    return {
        "Type": "AWS::IAM::Role",
        "Condition": "Forwards",
        "Properties": {
            "Path": {"Ref": "RolePath"},
            "Description": "Lets EventBridge forward refused uses of keys to the stack's bus",
            **_boundary(),
            "AssumeRolePolicyDocument": _document([trust]),
            "Policies": [{"PolicyName": "bus", "PolicyDocument": _document([put])}],
        },
    }


def _rule() -> dict[str, Any]:
    return {
        "Type": "AWS::Events::Rule",
        "Condition": "Forwards",
        "Properties": {
            "Name": {"Fn::Sub": "${StackName}-refused-uses"},
            "Description": "Uses of a KMS key that were refused for its state, as CloudTrail tells, to the stack's bus",
            "State": WITH_READS,
            "EventPattern": REFUSED_USES,
            "Targets": [
                {
                    "Id": "stack",
                    "Arn": {"Ref": "StackBusArn"},
                    "RoleArn": {"Fn::GetAtt": ["ForwarderRole", "Arn"]},
                }
            ],
        },
    }


def _parameter(description: str, pattern: str, default: str | None = None) -> dict[str, Any]:
    found = {"Type": "String", "Description": description, "AllowedPattern": pattern}
    return found if default is None else found | {"Default": default}


def _given(parameter: str) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _boundary() -> dict[str, Any]:
    return {"PermissionsBoundary": {"Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}}


def _document(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": found}


def _yaml(value: Mapping[str, Any], indent: str = "") -> Iterable[str]:
    """A mapping in block style; what is in it and short on one line, as JSON, which YAML takes."""
    for name, each in value.items():
        flat = json.dumps(each)
        if not isinstance(each, dict) or len(flat) + len(indent) + len(name) < 100:
            if isinstance(each, list) and len(flat) >= 100:
                yield f"{indent}{json.dumps(name) if ':' in name else name}:"
                for item in each:
                    if isinstance(item, dict) and len(json.dumps(item)) >= 100:
                        lines = list(_yaml(item, f"{indent}    "))
                        yield f"{indent}  - {lines[0].lstrip()}"
                        yield from lines[1:]
                    else:
                        yield f"{indent}  - {json.dumps(item)}"
            else:
                yield f"{indent}{json.dumps(name) if ':' in name else name}: {flat}"
        else:
            yield f"{indent}{json.dumps(name) if ':' in name else name}:"
            yield from _yaml(each, f"{indent}  ")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(exist_ok=True)
    target.write_text(text(), encoding="utf-8")
