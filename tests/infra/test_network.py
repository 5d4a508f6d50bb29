"""Lambdas in a VPC: their interfaces, a security group, the proxy and a private authority; and the page about it."""

import json
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import botocore.session
import pytest
import requests
from botocore.utils import get_environ_proxies

from infra.certificates import FILE
from infra.network_page import PAGE, with_table
from tests.infra.conftest import Syntheses
from tests.infra.enforced import ACCOUNT, REGION, decision
from tests.infra.grants import text_of
from tests.infra.template import LAMBDAS, Template

ALL = (*LAMBDAS, "ticket_webhook", "notify_ticket", "report_findings")
PROXY = "http://proxy.bank.example:3128"

INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
}
LOOKS = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}


def variables(template: Template, name: str = "plan_rotation") -> dict[str, str]:
    """A Lambda's environment as it has it in REGION, without what is not text."""
    given = template.function(name)["Environment"]["Variables"]
    texts = {each: text_of(value) if isinstance(value, str | dict) else "" for each, value in given.items()}
    return {each: value.replace("{Region}", REGION) for each, value in texts.items()}


def in_lambda(template: Template) -> Any:
    return patch.dict(os.environ, variables(template), clear=True)


def test_every_lambda_is_in_the_subnets_with_the_one_group(bank_template: Template) -> None:
    [group] = bank_template.all("AWS::EC2::SecurityGroup")
    expected = {
        "SubnetIds": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
        "SecurityGroupIds": [{"Fn::GetAtt": [group, "GroupId"]}],
    }
    assert [bank_template.function(name)["VpcConfig"] for name in ALL] == [expected] * len(ALL)


def test_the_group_lets_https_and_the_proxy_out_and_nothing_in(bank_template: Template) -> None:
    group = bank_template.only("AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert {(each["FromPort"], each["ToPort"]) for each in group["SecurityGroupEgress"]} == {(443, 443), (3128, 3128)}


def test_nothing_of_the_network_costs_money(bank_template: Template) -> None:
    kinds = {resource["Type"] for resource in bank_template.body["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::EC2::")} == {"AWS::EC2::SecurityGroup"}


@pytest.mark.parametrize("name", ALL)
def test_interfaces_are_lambdas_to_make_and_never_the_codes(bank_template: Template, name: str) -> None:
    allowed = {
        action: [text_of(each) for each in statement.resources]
        for statement in bank_template.statements_of(name)
        for action in statement.actions
        if action.startswith("ec2:")
    }
    assert set(allowed) == INTERFACES | LOOKS
    assert all(allowed[each] == ["arn:{Partition}:ec2:{Region}:{AccountId}:*/*"] for each in INTERFACES)
    [denied] = bank_template.denials_of(name)
    assert set(denied.actions) >= set(allowed)
    [code] = denied.conditions["ArnEquals"].values()
    function_name = bank_template.function(name)["FunctionName"]
    assert text_of(code) == f"arn:{{Partition}}:lambda:{{Region}}:{{AccountId}}:function:{function_name}"


def test_what_lambda_may_do_with_interfaces_the_code_may_not(bank_template: Template) -> None:
    """Lambda itself comes without that key."""
    interface = f"arn:aws:ec2:{REGION}:{ACCOUNT}:network-interface/eni-1"
    code = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:vault-verify"
    for context, said in (({}, "Allow"), ({"lambda:SourceFunctionArn": code}, "Deny")):
        assert decision(bank_template, "verify", "ec2:DeleteNetworkInterface", interface, context) == said


def test_without_a_vpc_there_is_nothing_of_it(template: Template) -> None:
    text = json.dumps(template.body)
    assert not [each for each in ("VpcConfig", "ec2:", "HTTPS_PROXY", "CA_BUNDLE", "AWS::EC2") if each in text]


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("https://accounts.cloud.databricks.com/oidc", True),
        ("https://kms.us-east-1.amazonaws.com", False),
        ("https://kms.eu-west-1.amazonaws.com", True),
        ("https://sts.us-east-1.amazonaws.com", False),
        ("http://127.0.0.1:9001", False),
    ],
)
def test_what_goes_through_the_proxy(bank_template: Template, url: str, through: bool) -> None:
    """As requests and botocore themselves judge it, in the environment of the template."""
    with in_lambda(bank_template):
        proxies: list[Mapping[str, str]] = [get_environ_proxies(url), requests.utils.get_environ_proxies(url)]
        assert [each.get("https") for each in proxies] == [PROXY if through else None] * 2


def test_s3_and_sts_are_asked_by_the_names_that_vpc_endpoints_answer_for(bank_template: Template) -> None:
    """us-east-1 has older, global names, which no endpoint of a VPC and no entry of NO_PROXY matches."""
    with in_lambda(bank_template):
        session = botocore.session.Session()
        keys: Any = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        hosts = [session.create_client(each, region_name=REGION, **keys).meta.endpoint_url for each in ("s3", "sts")]
    assert hosts == ["https://s3.us-east-1.amazonaws.com", "https://sts.us-east-1.amazonaws.com"]


def test_the_private_authority_is_trusted_beside_the_public_ones(syntheses: Syntheses, bank_template: Template) -> None:
    assets = json.loads((syntheses["bank"].assembly / "vault.assets.json").read_text())["files"].values()
    [folder] = [each["source"]["path"] for each in assets if "certificates" in each["source"]["path"]]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=str(syntheses["bank"].assembly / folder / FILE))
    names = [str(each["subject"]) for each in context.get_ca_certs()]
    assert [each for each in names if "A private authority" in each]
    assert len(names) > 100
    told = variables(bank_template)
    assert told["REQUESTS_CA_BUNDLE"] == told["AWS_CA_BUNDLE"] == f"/opt/{FILE}"
    assert len(bank_template.function("plan_rotation")["Layers"]) == 2


def test_the_page_of_the_network_is_made_of_the_permissions() -> None:
    page = Path(PAGE).read_text(encoding="utf-8")
    assert page == with_table(page), "run `make network`"
