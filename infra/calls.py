"""Calls that nobody waits for: a schedule's, or a default bus' rule's. What cannot be delivered waits to be seen."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.encryption import key_statements


def build_schedule(
    scope: Construct,
    *,
    name: str,
    description: str,
    minutes: int,
    function: lambda_.Function,
    undelivered: sqs.Queue,
    encryption_key_arn: str,
) -> scheduler.CfnSchedule:
    """Calls a Lambda every so many minutes, with an empty object. `encryption_key_arn` is the queue's, or empty."""
    # The L1 construct: the L2's role could invoke every version of the function too.
    return scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=name,
        description=description,
        schedule_expression=scheduler.ScheduleExpression.rate(Duration.minutes(minutes)).expression_string,
        flexible_time_window=_ON_TIME,
        target=scheduler.CfnSchedule.TargetProperty(
            arn=function.function_arn,
            role_arn=_schedule_role(
                scope, "lambda:InvokeFunction", function.function_arn, undelivered, encryption_key_arn
            ),
            input="{}",
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
            # The next run does the same work: an invocation older than an hour is worth nothing.
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=3600, maximum_retry_attempts=3
            ),
        ),
    )


def build_start(
    scope: Construct,
    *,
    name: str,
    description: str,
    schedule: tuple[str, str],
    state_machine: sfn.StateMachine,
    given: Mapping[str, Any],
    undelivered: sqs.Queue,
    encryption_key_arn: str,
) -> scheduler.CfnSchedule:
    """Starts an execution by a cron expression and its time zone. `encryption_key_arn` is that of both, or empty."""
    return scheduler.CfnSchedule(
        scope,
        "Schedule",
        name=name,
        description=description,
        schedule_expression=schedule[0],
        schedule_expression_timezone=schedule[1],
        flexible_time_window=_ON_TIME,
        target=scheduler.CfnSchedule.TargetProperty(
            arn=state_machine.state_machine_arn,
            role_arn=_schedule_role(
                scope, "states:StartExecution", state_machine.state_machine_arn, undelivered, encryption_key_arn
            ),
            input=json.dumps(given),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
            # The next one may be a week away: tried for as long as Scheduler does.
            retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185
            ),
        ),
    )


def _schedule_role(
    scope: Construct, action: str, target_arn: str, undelivered: sqs.Queue, encryption_key_arn: str
) -> str:
    statements = [
        iam.PolicyStatement(actions=[action], resources=[target_arn]),
        iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[undelivered.queue_arn]),
        *key_statements(encryption_key_arn, [action, "sqs:SendMessage"]),
    ]
    role = iam.Role(
        scope,
        "ScheduleRole",
        # Only for schedules of this account: the service acts for every customer.
        assumed_by=iam.ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
        ),
        inline_policies={"permissions": iam.PolicyDocument(statements=statements)},
    )
    return role.role_arn


_ON_TIME = scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF")


def build_rule(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    description: str,
    pattern: dict[str, Any],
    function: lambda_.Function,
    undelivered: sqs.Queue,
    state: str = "ENABLED",
    bus_name: str | None = None,
) -> events.CfnRule:
    """Calls a Lambda with each event of the bus that fits; None is the default bus."""
    rule = events.CfnRule(
        scope,
        construct_id,
        name=name,
        description=description,
        state=state,
        event_pattern=pattern,
        event_bus_name=bus_name,
        targets=[
            events.CfnRule.TargetProperty(
                id=function.node.id,
                arn=function.function_arn,
                dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered.queue_arn),
            )
        ],
    )
    lambda_.CfnPermission(
        scope,
        "RuleInvokes",
        action="lambda:InvokeFunction",
        function_name=function.function_arn,
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    undelivered.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            resources=[undelivered.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
        )
    )
    return rule
