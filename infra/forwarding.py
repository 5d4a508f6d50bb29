"""Refused uses of keys in other accounts and regions: forwarded to the stack's bus, from there to reenable_key.

What forwards them is templates/key-account.yaml, in each of those accounts and regions.
"""

from aws_cdk import Aws
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.calls import build_rule
from infra.retirement import DETAIL_TYPE, REFUSED_USES, SOURCE, WITH_READS
from infra.settings import Settings

DEFAULT_BUS = "default"


class Forwarding(Construct):
    """A rule on the stack's bus, and who else may put such events there: nobody can ask for a rotation in this way."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        bus: events.IEventBus,
        reenable_key: lambda_.Function,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._bus = bus
        if settings.event_bus != DEFAULT_BUS:  # There the rule of the stack's own region hears them already.
            build_rule(
                self,
                "RefusedUses",
                name=f"{settings.name}-forwarded-uses",
                description="Uses of KMS keys in other accounts and regions that were refused for the key's state",
                state=WITH_READS,
                pattern=REFUSED_USES,
                function=reenable_key,
                undelivered=undelivered,
                bus_name=bus.event_bus_name,
            )
        for account in settings.named_key_accounts:
            self._let_in(f"From{account}", f"{settings.name}-refused-uses-{account}", account)
        if settings.keys_elsewhere and settings.key_account_organization:
            name = f"{settings.name}-refused-uses"
            self._let_in("FromOrganization", name, organization=settings.key_account_organization)

    def _let_in(self, construct_id: str, name: str, account: str = "", organization: str = "") -> None:
        both = {"events:source": SOURCE, "events:detail-type": DETAIL_TYPE}
        conditions = {"ForAllValues:StringEquals": both, "Null": dict.fromkeys(both, "false")}
        if organization:
            conditions["StringEquals"] = {"aws:PrincipalOrgID": organization}
        events.CfnEventBusPolicy(
            self,
            construct_id,
            statement_id=name,
            event_bus_name=self._bus.event_bus_name,
            statement={
                "Sid": name,
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{Aws.PARTITION}:iam::{account}:root"} if account else "*",
                "Action": "events:PutEvents",
                "Resource": self._bus.event_bus_arn,
                "Condition": conditions,
            },
        )
