"""With rekey:security_hub one more Lambda tells Security Hub of the inventory; without it there is nothing of it."""

import json

import pytest

from infra.settings import Settings, SettingsError
from tests.infra.conftest import cdk_json_context
from tests.infra.grants import HUB_TABLE, granted, of_every_lambda, rows, text_of
from tests.infra.template import LAMBDAS, Template

ROWS = rows(HUB_TABLE)


@pytest.mark.parametrize("name", ROWS)
def test_the_lambda_may_do_what_its_row_says_and_no_more(tickets_template: Template, name: str) -> None:
    assert granted(tickets_template, name) == sorted([*ROWS[name], *of_every_lambda(tickets_template, name)])


def test_nobody_else_may_tell_security_hub(tickets_template: Template) -> None:
    for name in LAMBDAS:
        assert "securityhub:BatchImportFindings" not in tickets_template.actions_of(name)


def test_it_is_called_each_hour_and_told_under_which_product(tickets_template: Template) -> None:
    schedules = tickets_template.all("AWS::Scheduler::Schedule").values()
    [schedule] = [each for each in schedules if each["Name"] == "rekey-report-findings"]
    assert schedule["ScheduleExpression"] == "rate(1 hour)"
    assert "ReportFindings" in schedule["Target"]["Arn"]["Fn::GetAtt"][0]
    told = tickets_template.function("report_findings")["Environment"]["Variables"]["SECURITY_HUB_PRODUCT_ARN"]
    assert text_of(told) == "arn:{Partition}:securityhub:{Region}:{AccountId}:product/{AccountId}/default"


def test_without_the_setting_there_is_nothing_of_it(template: Template) -> None:
    text = json.dumps(template.body)
    assert not [each for each in ("securityhub", "report-findings", "SECURITY_HUB") if each in text]


def test_the_local_cloud_has_no_security_hub() -> None:
    local = {"rekey:stage": "local", "rekey:local_python": "/usr/bin/python3", "rekey:security_hub": "true"}
    with pytest.raises(SettingsError, match="rekey:security_hub is for AWS: leave it false in stage local"):
        Settings.from_context({**cdk_json_context(), **local})
