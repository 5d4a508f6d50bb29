"""The schedule that retires old keys: every few minutes, disable_old_key looks at the ledger."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.platform import Platform
from infra.queues import build_dead_letter_queue
from infra.settings import Settings


class Retirement(Construct):
    """Scheduler -> disable_old_key. What cannot be delivered waits in `undelivered` to be seen."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        platform: Platform,
        disable_old_key: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = build_dead_letter_queue(self, "Undelivered", platform)
        role = self._build_role(disable_old_key)
        self.schedule = self._build_schedule(settings, disable_old_key, role)

    def _build_role(self, disable_old_key: lambda_.Function) -> iam.Role:
        statements = [
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[disable_old_key.function_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[self.undelivered.queue_arn]),
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
