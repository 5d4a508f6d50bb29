"""What retires old keys, and what brings one back: a schedule for disable_old_key, a rule for reenable_key."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.encryption import key_statements
from infra.platform import Platform
from infra.queues import build_dead_letter_queue
from infra.settings import Settings

NEEDS_THE_KEY = ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt", "CreateGrant")
"""KMS calls of somebody who still works with a key."""

LOST = ("DisabledException", "KMSInvalidStateException", "KeyUnavailableException", "NotFoundException")
"""What KMS answers them where the key is disabled; waits for its deletion, or for its material; its key store is not to
be reached; or it is deleted. A key of another account that may not be used is logged in the caller's account alone."""


class Retirement(Construct):
    """Scheduler -> disable_old_key; CloudTrail -> rule -> reenable_key. What cannot be delivered waits to be seen."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        platform: Platform,
        disable_old_key: lambda_.Function,
        reenable_key: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = build_dead_letter_queue(self, "Undelivered", platform)
        role = self._build_role(disable_old_key, platform)
        self.schedule = self._build_schedule(settings, disable_old_key, role)
        self.rule = self._build_rule(settings, reenable_key)

    def _build_role(self, disable_old_key: lambda_.Function, platform: Platform) -> iam.Role:
        statements = [
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[disable_old_key.function_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.undelivered.queue_arn]),
            *key_statements(platform.encryption_key_arn, ["sqs:SendMessage"]),
        ]
        return iam.Role(
            self,
            "ScheduleRole",
            # Only for schedules of this account: the service acts for every customer.
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
            ),
            inline_policies={"permissions": iam.PolicyDocument(statements=statements)},
        )

    def _build_schedule(
        self, settings: Settings, disable_old_key: lambda_.Function, role: iam.Role
    ) -> scheduler.CfnSchedule:
        # The L1 construct: the L2's role could invoke every version of the function too.
        every = Duration.minutes(settings.retirement_rate_minutes)
        return scheduler.CfnSchedule(
            self,
            "Schedule",
            name=f"{settings.name}-disable-old-key",
            description="Looks for old keys whose 24 hours have passed",
            schedule_expression=scheduler.ScheduleExpression.rate(every).expression_string,
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=disable_old_key.function_arn,
                role_arn=role.role_arn,
                input="{}",
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self.undelivered.queue_arn),
                # The next run does the same work: an invocation older than an hour is worth nothing.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=3
                ),
            ),
        )

    def _build_rule(self, settings: Settings, reenable_key: lambda_.Function) -> events.CfnRule:
        """Uses refused for a key's state. Best effort, and of this region alone: the key check looks for signs too.

        The L1 construct: Decrypt and its like are read-only management events, which reach only a rule in this state.
        """
        rule = events.CfnRule(
            self,
            "RefusedUses",
            name=f"{settings.name}-reenable-key",
            description="Uses of a KMS key that were refused for its state, as CloudTrail tells",
            state="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            event_pattern={
                "source": ["aws.kms"],
                "detail-type": ["AWS API Call via CloudTrail"],
                "detail": {
                    "eventSource": ["kms.amazonaws.com"],
                    "eventName": list(NEEDS_THE_KEY),
                    "errorCode": list(LOST),
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="ReenableKey",
                    arn=reenable_key.function_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.undelivered.queue_arn),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "RuleInvokes",
            action="lambda:InvokeFunction",
            function_name=reenable_key.function_arn,
            principal="events.amazonaws.com",
            source_arn=rule.attr_arn,
        )
        self.undelivered.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                resources=[self.undelivered.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
            )
        )
        return rule
