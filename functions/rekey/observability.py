"""Logs, traces and metrics: the only module that knows their keys and names."""

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "rekey"

logger = Logger(service=NAMESPACE)
tracer = Tracer(service=NAMESPACE)
metrics = Metrics(namespace=NAMESPACE, service=NAMESPACE)


def identify(*, rotation_id: str, workspace_id: int | None) -> None:
    """Put both ids on every further log line and on the trace, so that one query tells a rotation's story."""
    logger.append_keys(rotation_id=rotation_id, workspace_id=workspace_id)
    tracer.put_annotation("rotation_id", rotation_id)
    if workspace_id is not None:
        tracer.put_annotation("workspace_id", str(workspace_id))


def count(name: str, value: float = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: str, value: float) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


def flush() -> None:
    """Publish what was counted; nothing at all when nothing was."""
    if metrics.provider.metric_set:
        metrics.flush_metrics()
