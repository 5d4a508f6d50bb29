"""What calls the finisher: a schedule, and each execution that ends other than well."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.calls import build_rule, build_schedule
from infra.settings import Settings

ENDS = ("ABORTED", "FAILED", "TIMED_OUT")


class Finishing(Construct):
    """Scheduler and Step Functions' status changes -> carry_on. Events are best effort: the schedule misses none."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        state_machine: sfn.StateMachine,
        carry_on: lambda_.Function,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.schedule = build_schedule(
            self,
            name=f"{settings.name}-carry-on",
            description="Finishes rotations whose execution has ended before them",
            minutes=settings.finisher_rate_minutes,
            function=carry_on,
            undelivered=undelivered,
            encryption_key_arn=settings.encryption_key_arn,
        )
        self.rule = build_rule(
            self,
            "Ends",
            name=f"{settings.name}-carry-on",
            description="Executions of rotations that were aborted, failed, or ran out of time",
            pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {"status": list(ENDS), "stateMachineArn": [state_machine.state_machine_arn]},
            },
            function=carry_on,
            undelivered=undelivered,
        )
