"""Alarms that reach somebody who finds out what to do, and a dashboard of everything that is measured."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from rekey.base import observability
from tests.infra.template import Template

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/operations.md"
FUNCTIONS = "\n".join(
    path.read_text() for path in (ROOT / "functions").rglob("*.py") if path.name != "observability.py"
)
COUNTED = {*get_args(observability.Count), *get_args(observability.Duration)}
GAUGES = {"PhaseSeconds": "phase", "Keys": "state"}
ALARM = "AWS::CloudWatch::Alarm"


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """{name without the stack's: properties}."""
    return {each["AlarmName"].removeprefix("rekey-"): each for each in template.all(ALARM).values()}


def sections() -> dict[str, str]:
    """{anchor as GitHub makes it: the section's text, what is under it too}."""
    _, *parts = re.split(r"^(##+ .+)$", (ROOT / PAGE).read_text(), flags=re.MULTILINE)
    titles = [title.lstrip("# ") for title in parts[::2]]
    anchors = [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]
    return dict(zip(anchors, parts[1::2], strict=True))


def dashboard(template: Template) -> list[dict[str, Any]]:
    """The properties of its widgets."""
    _, parts = template.only("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"]
    body = json.loads("".join(part if isinstance(part, str) else "…" for part in parts))
    return [each["properties"] for each in body["widgets"]]


def test_every_alarm_goes_to_the_topic_and_names_the_section_that_names_it(tickets_template: Template) -> None:
    [topic] = tickets_template.all("AWS::SNS::Topic")
    written = sections()
    assert alarms(tickets_template)
    for name, alarm in alarms(tickets_template).items():
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        page, _, section = alarm["AlarmDescription"].partition(": ")[2].partition("#")
        assert page == PAGE
        assert f"`<name>-{name}`" in written[section], f"{PAGE}#{section} does not speak of {name}"


def test_the_operations_page_names_no_alarm_that_is_not_there(tickets_template: Template) -> None:
    named = set(re.findall(r"`<name>-([a-z-]+)`", (ROOT / PAGE).read_text()))
    assert named == {*alarms(tickets_template), "alarms", "carry-on"}


def test_every_dead_letter_queue_has_an_alarm_and_a_line(tickets_template: Template) -> None:
    queues = tickets_template.all("AWS::SQS::Queue")
    dead_letters = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    watched = {
        each["Value"]["Fn::GetAtt"][0]
        for alarm in alarms(tickets_template).values()
        for each in alarm["Dimensions"]
        if each["Name"] == "QueueName"
    }
    assert watched == dead_letters
    [lines] = [each["metrics"] for each in dashboard(tickets_template) if each["title"] == "Dead letters"]
    assert len(lines) == len(dead_letters) == 5


def test_what_can_go_wrong_without_tickets_is_alarmed_without_tickets(template: Template) -> None:
    assert set(alarms(template)) == {
        "rotation-failed",
        "rotation-needs-attention",
        "rotation-timed-out",
        "fleet-not-complete",
        "fleet-timed-out",
        "rotation-not-recorded",
        "rotation-taken-up",
        "rotation-unfinished",
        "access-changed-alone",
        "keys-overdue",
        "keys-needed",
        "keys-past-policy",
        "inventory-missing",
        "key-drifted",
        "drift-not-looked-for",
        "compute-down",
        "steps-held-up",
        "keys-reenabled",
        "key-sweep-failures",
        "events-late",
        "requests-undelivered",
        "events-unpublished",
        "sweeps-undelivered",
        "calls-failed",
    }


def test_silence_is_an_alarm_only_where_a_sweep_or_a_round_would_have_counted(template: Template) -> None:
    silent = {name for name, each in alarms(template).items() if each["TreatMissingData"] == "breaching"}
    assert silent == {"keys-overdue", "rotation-unfinished", "inventory-missing", "drift-not-looked-for"}


def test_where_no_inventory_and_no_drift_run_counted_there_is_no_sample(template: Template) -> None:
    for name, hours in (("inventory-missing", 48), ("drift-not-looked-for", 6)):
        alarm = alarms(template)[name]
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("SampleCount", "LessThanThreshold")
        assert alarm["Period"] * alarm["EvaluationPeriods"] == hours * 3600


def test_alarms_read_the_metrics_that_the_functions_count(template: Template) -> None:
    ours = [each for each in alarms(template).values() if each["Namespace"] == observability.NAMESPACE]
    assert {each["MetricName"] for each in ours} == {
        "RotationsFailed",
        "FleetsNotComplete",
        "AccessChangedAlone",
        "ComputeDown",
        "StepsHeldUp",
        "RotationsTakenUp",
        "RotationsUnfinished",
        "RotationsNeedingAttention",
        "KeysOverdue",
        "KeysReenabled",
        "KeysNeeded",
        "KeysPastPolicy",
        "KeysDrifted",
        "Workspaces",
        "KeySweepFailures",
    }
    # The name that the Lambdas count under: two stacks in one account must not set off each other's alarms.
    assert all(each["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}] for each in ours)
    counted = template.function("complete_rotation")["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    assert counted == {"Ref": "AWS::StackName"}


def test_alarms_may_publish_and_use_the_topics_key_and_only_those_of_this_account(template: Template) -> None:
    [key] = template.all("AWS::KMS::Key")
    assert template.only("AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::GetAtt": [key, "Arn"]}
    ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    policies = [
        template.only("AWS::KMS::Key")["KeyPolicy"],
        template.only("AWS::SNS::TopicPolicy")["PolicyDocument"],
    ]
    for policy, actions in zip(policies, (["kms:Decrypt", "kms:GenerateDataKey*"], "sns:Publish"), strict=True):
        [found] = [
            each
            for each in policy["Statement"]
            if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"} and each["Effect"] == "Allow"
        ]
        assert (found["Action"], found["Condition"]) == (actions, ours)
    refused = [each["Condition"] for each in policies[1]["Statement"] if each["Effect"] == "Deny"]
    assert refused == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_an_address_subscribes_and_without_one_nobody_does(template: Template, tickets_template: Template) -> None:
    assert template.all("AWS::SNS::Subscription") == {}
    subscription = tickets_template.only("AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "security@example.com")


def test_the_dashboard_shows_exactly_what_the_functions_measure(template: Template) -> None:
    shown, searched = set(), {}
    for line in (line for widget in dashboard(template) for line in widget.get("metrics", [])):
        if line[0] == observability.NAMESPACE:
            assert line[2:4] == ["service", "…"]
            shown.add(line[1])
        elif isinstance(line[0], dict):
            found = re.match(
                r"SEARCH\('\{rekey,(\w+),service\} MetricName=\"(\w+)\" service=\"…\"'", line[0]["expression"]
            )
            assert found
            searched[found[2]] = found[1]
    assert shown == COUNTED
    assert searched == GAUGES


@pytest.mark.parametrize("name", sorted(COUNTED))
def test_nothing_is_declared_that_nobody_counts(name: str) -> None:
    """The other way round mypy sees to: what is counted must be declared."""
    assert f'"{name}"' in FUNCTIONS
