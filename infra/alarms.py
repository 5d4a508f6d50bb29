"""Alarms: what a person must hear of. Their metrics are the ones that functions/rekey/observability counts."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.settings import Settings

NAMESPACE = "rekey"
DIMENSIONS = {"service": "rekey"}


class Alarms(Construct):
    """One alarm a metric; `overdue` and `reenabled` can be given actions."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.overdue = cloudwatch.Alarm(
            self,
            "KeysOverdue",
            alarm_name=f"{settings.name}-keys-overdue",
            alarm_description="A key should have been disabled more than a day ago, or no sweep ran: `rekey keys`",
            metric=_metric("KeysOverdue", cloudwatch.Stats.MAXIMUM, Duration.hours(1)),
            threshold=1,
            evaluation_periods=2,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # Each sweep counts, also when it counts none: silence means that none runs.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        self.reenabled = cloudwatch.Alarm(
            self,
            "KeysReenabled",
            alarm_name=f"{settings.name}-keys-reenabled",
            alarm_description="A disabled key was still needed, is enabled again and held: `rekey keys`",
            metric=_metric("KeysReenabled", cloudwatch.Stats.SUM, Duration.minutes(5)),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _metric(name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map=DIMENSIONS, statistic=statistic, period=period
    )
