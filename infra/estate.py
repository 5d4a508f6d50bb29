"""What calls the inventory once a day, and find_drift every hour. People ask for the inventory too.

With rekey:security_hub also what tells Security Hub of it: each hour, so that what could not be told is told later.
"""

from aws_cdk import Aws
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.calls import build_schedule
from infra.functions import Functions
from infra.permissions import HUB_GRANTS, On
from infra.settings import Settings

DAY_MINUTES = 24 * 60
HOUR_MINUTES = 60


class Estate(Construct):
    """Scheduler -> inventory; scheduler -> find_drift; perhaps scheduler -> report_findings."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        functions: Functions,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._undelivered = undelivered
        self._build_schedule(
            self,
            "inventory",
            "Takes the inventory of all workspaces and their keys",
            DAY_MINUTES,
            functions.by_name["inventory"],
        )
        self._build_schedule(
            Construct(self, "Drift"),
            "find-drift",
            "Compares workspaces and keys with what the ledger proved last",
            HOUR_MINUTES,
            functions.by_name["find_drift"],
        )
        if settings.security_hub:
            self._build_schedule(
                Construct(self, "Hub"),
                "report-findings",
                "Tells Security Hub what does not comply",
                HOUR_MINUTES,
                self._build_report_findings(functions),
            )

    def _build_report_findings(self, functions: Functions) -> lambda_.Function:
        [(name, grants)] = HUB_GRANTS.items()
        product = On.SECURITY_HUB.format(partition=Aws.PARTITION, region=Aws.REGION, account=Aws.ACCOUNT_ID)
        return functions.add(name, grants, {}, {"SECURITY_HUB_PRODUCT_ARN": product})

    def _build_schedule(
        self, scope: Construct, name: str, description: str, minutes: int, function: lambda_.Function
    ) -> None:
        build_schedule(
            scope,
            name=f"{self._settings.name}-{name}",
            description=description,
            minutes=minutes,
            function=function,
            undelivered=self._undelivered,
            encryption_key_arn=self._settings.encryption_key_arn,
        )
