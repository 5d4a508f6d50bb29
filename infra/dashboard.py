"""The dashboard: how rotations go, what waits, and what has gone wrong, on one page."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.metrics import metric, metric_by
from infra.settings import Settings

AVERAGE, MAX, SUM = cloudwatch.Stats.AVERAGE, cloudwatch.Stats.MAXIMUM, cloudwatch.Stats.SUM

HOUR, DAY = Duration.hours(1), Duration.days(1)

HALF, THIRD = 12, 8
"""Of the 24 columns that a dashboard has."""


class Dashboard(Construct):
    """`<name>`: a week of rotations, downtime, phases, keys and dead letters; rotations are rare, so by the hour."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        *,
        state_machine: sfn.StateMachine,
        fleets: sfn.StateMachine,
        alarms: Sequence[cloudwatch.IAlarm],
        queues: Mapping[str, sqs.IQueue],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=settings.name, default_interval=Duration.days(7)
        )
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms (docs/operations.md)", alarms=alarms, width=24, height=3)
        )
        dashboard.add_widgets(
            _graph(
                "Rotations by outcome",
                _counts(*_OUTCOMES),
            ),
            _graph(
                "Executions that ended before their rotation",
                [*_executions(state_machine), *_counts("RotationsTakenUp"), metric("RotationsUnfinished", MAX, HOUR)],
            ),
        )
        dashboard.add_widgets(
            _graph(
                "Downtime (seconds)", [metric("Downtime", MAX, HOUR), metric("Downtime", AVERAGE, HOUR)], width=THIRD
            ),
            _graph("Phases (seconds)", [metric_by("PhaseSeconds", "phase", "Maximum", HOUR)], width=THIRD),
            _graph(
                "Fleets",
                [fleets.metric_started(period=HOUR), *_counts("FleetsNotComplete"), *_executions(fleets)],
                width=THIRD,
            ),
        )
        dashboard.add_widgets(
            _graph("Keys by state", [metric_by("Keys", "state", "Maximum", HOUR)], width=THIRD),
            _graph("Keys overdue", [metric("KeysOverdue", MAX, HOUR)], width=THIRD),
            _graph(
                "The key check", _counts("KeysDisabled", "KeysReenabled", "KeysNeeded", "KeySweepFailures"), width=THIRD
            ),
        )
        dashboard.add_widgets(
            _graph("Workspaces, and those that comply", _estate("Workspaces", "WorkspacesCompliant"), width=THIRD),
            _graph("Keys past the policy", _estate("KeysPastPolicy"), width=THIRD),
            _graph("Keys drifted", [metric("KeysDrifted", MAX, HOUR)], width=THIRD),
        )
        dashboard.add_widgets(
            _graph("Dead letters", [_waiting(name, queue) for name, queue in queues.items()], width=THIRD),
            _graph("Events and tickets", _counts(*_TOLD), width=THIRD),
            _graph("Not as it should be", _counts(*_WRONG), width=THIRD),
        )


_OUTCOMES = (
    "RotationsStarted",
    "RotationsSucceeded",
    "RotationsNeedingAttention",
    "AccessChangedAlone",
    "RotationsFailed",
    "RotationsCancelled",
    "RotationsHandedOver",
)
_WRONG = ("ComputeDown", "ComputeStartedInBlackout", "DeliveriesNotAuthentic", "RotationsUnclosed", "StepsHeldUp")
_TOLD = ("EventsPublished", "RotationsAskedByTicket", "RotationsApprovedByTicket", "TicketComments")


def _graph(title: str, lines: Sequence[cloudwatch.IMetric], width: int = HALF) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title, left=lines, left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False), width=width
    )


def _counts(*names: str) -> list[cloudwatch.IMetric]:
    return [metric(name, SUM, HOUR) for name in names]


def _estate(*names: str) -> list[cloudwatch.IMetric]:
    """Of the inventory, which is taken once a day, and whenever a person asks."""
    return [metric(name, MAX, DAY) for name in names]


def _executions(state_machine: sfn.StateMachine) -> list[cloudwatch.IMetric]:
    return [state_machine.metric_timed_out(period=HOUR), state_machine.metric_aborted(period=HOUR)]


def _waiting(name: str, queue: sqs.IQueue) -> cloudwatch.IMetric:
    return queue.metric_approximate_number_of_messages_visible(statistic=MAX, period=HOUR, label=name)
