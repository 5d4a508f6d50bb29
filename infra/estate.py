"""What calls the inventory: a schedule, once a day. People ask for it too."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.calls import build_schedule
from infra.settings import Settings

DAY_MINUTES = 24 * 60


class Estate(Construct):
    """Scheduler -> inventory."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        inventory: lambda_.Function,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.schedule = build_schedule(
            self,
            name=f"{settings.name}-inventory",
            description="Takes the inventory of all workspaces and their keys",
            minutes=DAY_MINUTES,
            function=inventory,
            undelivered=undelivered,
            encryption_key_arn=settings.encryption_key_arn,
        )
