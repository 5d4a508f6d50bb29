"""The metrics that functions/rekey/base/observability emits, as the stack's alarms and dashboard read them."""

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "rekey"
DIMENSIONS = {"service": Aws.STACK_NAME}
"""So that two stacks of one account do not count into each other's alarms."""


def metric(name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE, metric_name=name, dimensions_map=DIMENSIONS, statistic=statistic, period=period
    )


def metric_by(name: str, dimension: str, statistic: str, period: Duration) -> cloudwatch.SearchExpression:
    """One line for each value that a dimension has, whatever values there are. For dashboards, not for alarms."""
    found = f'{{{NAMESPACE},{dimension},service}} MetricName="{name}" service="{Aws.STACK_NAME}"'
    return cloudwatch.SearchExpression(
        expression=f"SEARCH('{found}', '{statistic}', {period.to_seconds()})",
        label=f"${{PROP('Dim.{dimension}')}}",
        period=period,
    )
