"""What tickets bring into the stack, and that without them there is nothing of it."""

import json
from typing import Any, get_args

import pytest

from infra import tickets as infra_tickets
from infra.settings import PREFIX, Settings, SettingsError
from infra.settings import tickets as ticket_settings
from rekey.telling.tickets.comments import TOLD
from rekey.telling.tickets.mapping import MAPPABLE
from rekey.telling.tickets.settings import PROVIDERS, TicketSettings
from tests.infra.conftest import TICKETS, Syntheses, cdk_json_context
from tests.infra.grants import TICKETS_TABLE, granted, of_every_lambda, rows
from tests.infra.template import LAMBDAS, Template
from tests.matrix import tickets as matrix
from tests.matrix.lambdas import SECONDS

OURS = ("ticket_webhook", "notify_ticket")


def read(tickets: Any) -> Settings:
    return Settings.from_context({**cdk_json_context(), PREFIX + "tickets": tickets})


def jira(**changes: Any) -> dict[str, Any]:
    return {"jira": TICKETS["jira"] | changes}


# --- the setting ---


def test_without_tickets_there_is_nothing_of_them(template: Template) -> None:
    for kind in ("AWS::ApiGatewayV2::Api", "AWS::SSM::Parameter"):
        assert template.all(kind) == {}
    assert not [name for name in template.body["Resources"] if name.startswith("Tickets")]
    assert len(template.all("AWS::SecretsManager::Secret")) == 1


def test_the_lambdas_read_what_the_setting_says() -> None:
    settings = json.loads(read(json.dumps(TICKETS)).tickets.as_parameter)
    assert set(settings) == {"jira", "servicenow"}
    found = TicketSettings.model_validate_json(json.dumps(settings["jira"]))
    assert (found.base_url, found.workspaces) == ("https://acme.atlassian.net", (1234567890123456,))
    assert TicketSettings.model_validate_json(json.dumps(settings["servicenow"])).table == "change_request"


def test_a_data_center_is_a_setting() -> None:
    own = jira(base_url="https://jira.acme.example/jira", deployment="data_center")
    settings = json.loads(read(own).tickets.as_parameter)
    assert TicketSettings.model_validate_json(json.dumps(settings["jira"])).deployment == "data_center"
    assert "deployment" not in json.loads(read(jira()).tickets.as_parameter)["jira"], "Cloud is the default"


@pytest.mark.parametrize(
    ("tickets", "said"),
    [
        ("{", "rekey:tickets: it is not JSON; give an object"),
        ({"github": {}}, "rekey:tickets.github: there is no such setting; there are jira, servicenow, standard"),
        (jira(base_url="http://acme.atlassian.net"), "jira.base_url: 'http://acme.atlassian.net' is not an https://"),
        (jira(base_url="https://user@acme.net"), "rekey:tickets.jira.base_url: "),
        (jira(approvers=[]), "rekey:tickets.jira.approvers: "),
        (jira(workspaces=["all"]), 'give a list of workspace numbers, "new" for new ones, or ["*"] for all'),
        (jira(mapping={"workspace_id": "fields.["}), "is no JMESPath expression"),
        (jira(mapping={"ticket": "key"}), "rekey:tickets.jira.mapping"),
        (
            jira(deployment="server"),
            "rekey:tickets.jira.deployment: Input should be 'cloud' or 'data_center'; give cloud, or data_center",
        ),
        (
            jira(deployment="data_center"),
            "rekey:tickets.jira.deployment: acme.atlassian.net is Jira Cloud; give cloud, or data_center for a Jira",
        ),
        (jira(table="incident"), "rekey:tickets.jira.table: there is no such setting"),
        (jira(workspaces=list(range(10**15, 10**15 + 600))), "over SSM's 8192: shorten the lists, or use *"),
        ({"jira": {"base_url": "https://acme.atlassian.net"}}, "rekey:tickets.jira.projects: missing; give a list"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_field_and_fix(tickets: Any, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tickets)
    assert said in str(refused.value)


def test_stack_and_lambdas_agree() -> None:
    """infra and functions do not import each other: what both know is compared here."""
    assert set(ticket_settings.MAPPABLE) == MAPPABLE
    assert infra_tickets.TOLD == TOLD
    assert set(ticket_settings.Tickets.model_fields) == set(PROVIDERS)
    known = {*ticket_settings.ServiceNowSystem.model_fields, *ticket_settings.JiraSystem.model_fields}
    assert known == set(TicketSettings.model_fields)
    deployments = TicketSettings.model_fields["deployment"].annotation
    assert ticket_settings.JiraSystem.model_fields["deployment"].annotation == deployments
    journals = get_args(TicketSettings.model_fields["comment_field"].annotation)
    assert get_args(ticket_settings.ServiceNowSystem.model_fields["comment_field"].annotation) == journals


# --- the stack ---


def test_cdk_nag_has_nothing_open(syntheses: Syntheses) -> None:
    report = json.loads((syntheses["tickets"].assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_only_configured_systems_have_a_route(tickets_template: Template) -> None:
    routes = {each["RouteKey"] for each in tickets_template.all("AWS::ApiGatewayV2::Route").values()}
    assert routes == {"POST /tickets/jira", "POST /tickets/servicenow"}


def test_the_api_is_throttled_and_logged(tickets_template: Template) -> None:
    stage = tickets_template.only("AWS::ApiGatewayV2::Stage")
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 20}
    log_group = stage["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]
    assert tickets_template.resource(log_group)["Properties"]["RetentionInDays"] == 365
    # Headers and bodies hold signatures and tickets: neither is logged.
    assert not [word for word in ("header", "body", "authorizer") if word in stage["AccessLogSettings"]["Format"]]


def test_comments_are_retried_and_what_cannot_be_told_raises_an_alarm(tickets_template: Template) -> None:
    mappings = tickets_template.all("AWS::Lambda::EventSourceMapping").values()
    [mapping] = [each for each in mappings if each["EventSourceArn"]["Fn::GetAtt"][0].startswith("Tickets")]
    assert mapping["BatchSize"] == 1
    queue = tickets_template.resource(mapping["EventSourceArn"]["Fn::GetAtt"][0])["Properties"]
    timeout = tickets_template.function("notify_ticket")["Timeout"]
    assert queue["VisibilityTimeout"] == 6 * timeout == matrix.VISIBLE_AFTER
    assert (queue["RedrivePolicy"]["maxReceiveCount"], timeout) == (matrix.TRIES, SECONDS["notify_ticket"])
    assert tickets_template.function("ticket_webhook")["Timeout"] == SECONDS["ticket_webhook"]
    untold = queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    alarms = tickets_template.all("AWS::CloudWatch::Alarm").values()
    [alarm] = [each for each in alarms if each["AlarmName"] == "rekey-tickets-untold"]
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": [untold, "QueueName"]}}]
    rules = tickets_template.all("AWS::Events::Rule").items()
    [rule] = [each for name, each in rules if name.startswith("Tickets")]
    assert rule["EventPattern"]["detail"] == {"ticket": {"provider": ["jira", "servicenow"]}}
    assert rule["Targets"][0]["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] == untold


def test_no_secret_is_in_the_template(tickets_template: Template) -> None:
    secrets = tickets_template.all("AWS::SecretsManager::Secret")
    [tickets] = [each for name, each in secrets.items() if name.startswith("Tickets")]
    assert tickets["SecretString"] == "{}"


ROWS = rows(TICKETS_TABLE)


@pytest.mark.parametrize("name", OURS)
def test_a_lambda_may_do_what_its_row_says_and_cannot_reach_databricks_or_its_keys(
    tickets_template: Template, name: str
) -> None:
    assert granted(tickets_template, name) == sorted([*of_every_lambda(tickets_template, name), *ROWS[name]])


def test_with_tickets_no_other_lambda_may_do_more(template: Template, tickets_template: Template) -> None:
    assert set(ROWS) == set(OURS)
    for name in LAMBDAS:
        assert granted(tickets_template, name) == granted(template, name), name
