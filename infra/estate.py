"""What calls the inventory once a day, and find_drift every hour. People ask for the inventory too."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.calls import build_schedule
from infra.settings import Settings

DAY_MINUTES = 24 * 60
HOUR_MINUTES = 60


class Estate(Construct):
    """Scheduler -> inventory; scheduler -> find_drift."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        inventory: lambda_.Function,
        find_drift: lambda_.Function,
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
        build_schedule(
            Construct(self, "Drift"),
            name=f"{settings.name}-find-drift",
            description="Compares workspaces and keys with what the ledger proved last",
            minutes=HOUR_MINUTES,
            function=find_drift,
            undelivered=undelivered,
            encryption_key_arn=settings.encryption_key_arn,
        )
