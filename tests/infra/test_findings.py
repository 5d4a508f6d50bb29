"""What checkov and the NIST pack find is fixed, or has its reason: no reason without a finding, nor the other way."""

import re

import pytest

from infra.findings import LEFT, NIST, PAGE, with_table
from tests.infra.conftest import Syntheses
from tests.infra.template import Template

FOUND = re.compile(rf"Acknowledge with '[\w.]+::{re.escape(NIST)}(\w+)'")


def test_the_nist_pack_finds_what_the_table_says_and_nothing_else(syntheses: Syntheses) -> None:
    """Without the table synth ends; with it every synth of these tests has passed the pack."""
    alone = syntheses["without-findings"]
    assert alone.code != 0
    assert set(FOUND.findall(alone.output)) == {each.nist for each in LEFT if each.nist}
    assert not FOUND.findall(syntheses["first"].output)


def skipped(template: Template) -> dict[str, set[str]]:
    """Checks of checkov that have a reason, by type of resource."""
    found: dict[str, set[str]] = {}
    for resource in template.body["Resources"].values():
        for each in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()):
            assert len(each["comment"]) > 40
            found.setdefault(resource["Type"], set()).add(each["id"])
    return found


def test_checkov_reads_the_reasons_in_the_template_and_in_the_package(template: Template, syntheses: Syntheses) -> None:
    assert skipped(template) == {
        "AWS::Lambda::Function": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"},
        "AWS::Logs::LogGroup": {"CKV_AWS_158"},
        "AWS::DynamoDB::Table": {"CKV_AWS_119"},
        "AWS::SecretsManager::Secret": {"CKV_AWS_149"},
        "AWS::SQS::Queue": {"CKV_AWS_27"},
        "AWS::S3::Bucket": {"CKV_AWS_18"},
    }
    assert skipped(syntheses["package"].template) == skipped(template)


def test_what_a_setting_mends_has_no_reason_any_more(bank_template: Template) -> None:
    assert skipped(bank_template) == {
        "AWS::Lambda::Function": {"CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_173"},
        "AWS::S3::Bucket": {"CKV_AWS_18"},
    }


def test_the_page_has_the_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_table(page), "make findings"


@pytest.mark.parametrize("each", LEFT, ids=lambda each: each.checkov or each.nist)
def test_each_names_a_rule_of_either(each: object) -> None:
    assert getattr(each, "checkov", "") or getattr(each, "nist", "")
