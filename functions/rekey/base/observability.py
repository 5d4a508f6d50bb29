"""Logs, traces and metrics: the only module that knows their keys and names."""

import os
from collections.abc import Mapping
from typing import Literal

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit, single_metric

NAMESPACE = "rekey"
SERVICE = os.environ.get("POWERTOOLS_SERVICE_NAME", NAMESPACE)
"""The stack's name, by which its metrics are told from another stack's."""

Count = Literal[
    "AccessChangedAlone",
    "ComputeDown",
    "ComputeStartedInBlackout",
    "DeliveriesNotAuthentic",
    "EventsPublished",
    "FleetsNotComplete",
    "KeySweepFailures",
    "KeysDisabled",
    "KeysDrifted",
    "KeysNeeded",
    "KeysOverdue",
    "KeysPastPolicy",
    "KeysReenabled",
    "RotationsApprovedByTicket",
    "RotationsAskedByTicket",
    "RotationsCancelled",
    "RotationsFailed",
    "RotationsHandedOver",
    "RotationsNeedingAttention",
    "RotationsStarted",
    "RotationsSucceeded",
    "RotationsTakenUp",
    "RotationsUnclosed",
    "RotationsUnfinished",
    "StepsHeldUp",
    "TicketComments",
    "Workspaces",
    "WorkspacesCompliant",
]
"""What is counted; infra/monitoring shows each on the dashboard."""

Duration = Literal["Downtime"]

logger = Logger(service=SERVICE)
tracer = Tracer(service=SERVICE)
metrics = Metrics(namespace=NAMESPACE, service=SERVICE)


def identify(*, rotation_id: str, workspace_id: int | None) -> None:
    """Put both ids on every further log line and on the trace, so that one query tells a rotation's story."""
    logger.append_keys(rotation_id=rotation_id, workspace_id=workspace_id)
    tracer.put_annotation("rotation_id", rotation_id)
    if workspace_id is not None:
        tracer.put_annotation("workspace_id", str(workspace_id))


def count(name: Count, value: float = 1) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)


def seconds(name: Duration, value: float) -> None:
    metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=value)


def phase_seconds(phase: str, value: float) -> None:
    """How long one phase of an ended rotation took."""
    _put("PhaseSeconds", MetricUnit.Seconds, value, {"phase": phase})


def keys_by_state(numbers: Mapping[str, int]) -> None:
    """How many keys there are in each state now. States that have none belong to it."""
    for state, number in numbers.items():
        _put("Keys", MetricUnit.Count, number, {"state": state})


def flush() -> None:
    """Publish what was counted; nothing at all when nothing was."""
    if metrics.provider.metric_set:
        metrics.flush_metrics()


def _put(name: str, unit: MetricUnit, value: float, dimensions: Mapping[str, str]) -> None:
    """One metric with dimensions of its own: those of `metrics` would be on everything else that a call counts."""
    with single_metric(name, unit, value, namespace=NAMESPACE) as metric:
        for dimension, of in {"service": SERVICE, **dimensions}.items():
            metric.add_dimension(dimension, of)
