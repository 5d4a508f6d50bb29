"""Alarms: what a person must hear of and do something about. Each has its section in docs/operations.md.

Nothing else has an alarm: a refused request goes back to whoever asked, and what the next try fixes is no news.
"""

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.encryption import key_of
from infra.metrics import metric
from infra.platform import Platform
from infra.settings import Settings

PAGE = "docs/operations.md"

MAX, SUM = cloudwatch.Stats.MAXIMUM, cloudwatch.Stats.SUM

FIVE_MINUTES, HOUR, DAY = Duration.minutes(5), Duration.hours(1), Duration.days(1)

_FROM = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD

_ALARMS = "cloudwatch.amazonaws.com"
_OF_THIS_ACCOUNT = {"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}
"""Only alarms of this account: the service acts for every customer."""

LATE = Duration.minutes(15)
"""An event is told within seconds; one that waits this long will not go by itself."""


class Alarms(Construct):
    """One alarm a trouble, all of them to one `topic`."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings, platform: Platform) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.topic = self._build_topic(platform)
        self.all: list[cloudwatch.Alarm] = []

    def watch_rotations(self, state_machine: sfn.StateMachine, record_failure: lambda_.Function) -> None:
        """A rotation that failed or needs attention, an execution that ended before its rotation, and what follows."""
        self._build(
            "RotationFailed", "A rotation failed", metric("RotationsFailed", SUM, FIVE_MINUTES), "a-rotation-failed"
        )
        self._build(
            "RotationNeedsAttention",
            "A rotation succeeded and leaves something to a person",
            metric("RotationsNeedingAttention", SUM, FIVE_MINUTES),
            "a-rotation-needs-attention",
        )
        self._build(
            "RotationTimedOut",
            "An execution ran out of time, without a failure route",
            state_machine.metric_timed_out(period=FIVE_MINUTES),
            "a-rotation-did-not-end",
        )
        self._build(
            "RotationNotRecorded",
            "A failed rotation could not be recorded",
            record_failure.metric_errors(period=FIVE_MINUTES),
            "a-rotation-did-not-end",
        )
        self._build(
            "RotationTakenUp",
            "An execution ended before its rotation, which the finisher carries on",
            metric("RotationsTakenUp", SUM, FIVE_MINUTES),
            "a-rotation-did-not-end",
        )
        self._build(
            "RotationUnfinished",
            "A rotation cannot be finished for half an hour, or no round of the finisher is made",
            metric("RotationsUnfinished", MAX, HOUR),
            "a-rotation-cannot-be-finished",
            # Each round counts, also when it counts none: silence means that none is made.
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def watch_fleets(self, state_machine: sfn.StateMachine) -> None:
        """A fleet of which not every rotation succeeded, and one that ran out of time. Who aborts one knows of it."""
        self._build(
            "FleetNotComplete",
            "A fleet ended, and not every rotation of it succeeded",
            metric("FleetsNotComplete", SUM, FIVE_MINUTES),
            "a-fleet-is-not-complete",
        )
        self._build(
            "FleetTimedOut",
            "A fleet ran out of time",
            state_machine.metric_timed_out(period=FIVE_MINUTES),
            "a-fleet-is-not-complete",
        )

    def watch_access(self) -> None:
        """Access that was taken away or given back by one person alone."""
        self._build(
            "AccessChangedAlone",
            "Access to keys is revoked or restored without a second person's approval",
            metric("AccessChangedAlone", SUM, FIVE_MINUTES),
            "access-was-changed-alone",
        )

    def watch_compute(self) -> None:
        """Compute that is down longer than planned, and a rollback that cannot even find out."""
        self._build(
            "ComputeDown",
            "Compute is down for longer than planned",
            metric("ComputeDown", SUM, FIVE_MINUTES),
            "compute-is-down",
        )
        self._build(
            "StepsHeldUp",
            "A rotation has been held up by errors for half an hour",
            metric("StepsHeldUp", SUM, FIVE_MINUTES),
            "compute-is-down",
            periods=6,
        )

    def watch_keys(self) -> None:
        self._build(
            "KeysOverdue",
            "A key should have been disabled more than a day ago, or no key check runs",
            metric("KeysOverdue", MAX, HOUR),
            "a-key-is-not-disabled",
            periods=2,
            # Each key check counts, also when it counts none: silence means that none runs.
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self._build(
            "KeysReenabled",
            "A disabled key was still needed, is enabled again and held",
            metric("KeysReenabled", SUM, FIVE_MINUTES),
            "a-key-came-back",
        )
        self._build(
            "KeysNeeded",
            "A key is needed, and nobody can use it",
            metric("KeysNeeded", SUM, HOUR),
            "a-needed-key-is-not-to-be-had",
        )
        self._build(
            "KeySweepFailures",
            "A key cannot be looked at, for two hours on end",
            metric("KeySweepFailures", SUM, HOUR),
            "a-key-cannot-be-looked-at",
            periods=2,
        )

    def watch_estate(self) -> None:
        self._build(
            "KeysPastPolicy",
            "The material of a key that a workspace uses is older than the policy allows",
            metric("KeysPastPolicy", MAX, DAY),
            "a-key-is-past-the-policy",
        )
        self._build(
            "InventoryMissing",
            "No inventory was taken for two days",
            # Each inventory counts, also where there is no workspace.
            metric("Workspaces", cloudwatch.Stats.SAMPLE_COUNT, DAY),
            "no-inventory-is-taken",
            periods=2,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self._build(
            "KeyDrifted",
            "Somebody changed a key or a workspace behind rekey's back",
            metric("KeysDrifted", MAX, HOUR),
            "a-key-has-drifted",
            periods=2,
            points=1,
        )
        self._build(
            "DriftNotLookedFor",
            "Nobody has looked for drift for six hours",
            metric("KeysDrifted", cloudwatch.Stats.SAMPLE_COUNT, HOUR),
            "nobody-looks-for-drift",
            periods=6,
            below=True,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )

    def watch_events(self, publish_events: lambda_.Function) -> None:
        self._build(
            "EventsLate",
            "Events wait in the ledger's stream and are not published",
            publish_events.metric("IteratorAge", statistic=MAX, period=FIVE_MINUTES),
            "events-are-late-or-lost",
            threshold=LATE.to_milliseconds(),
        )

    def watch_dead_letters(self, construct_id: str, queue: sqs.IQueue, meaning: str, section: str) -> None:
        waiting = queue.metric_approximate_number_of_messages_visible(statistic=MAX, period=FIVE_MINUTES)
        self._build(construct_id, meaning, waiting, section)

    def _build(
        self,
        construct_id: str,
        meaning: str,
        measured: cloudwatch.Metric,
        section: str,
        *,
        threshold: float = 1,
        periods: int = 1,
        points: int | None = None,
        below: bool = False,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_name=f"{self._settings.name}-{_kebab_case(construct_id)}",
            alarm_description=f"{meaning}: {PAGE}#{section}",
            metric=measured,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=points,
            comparison_operator=_BELOW if below else _FROM,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        self.all.append(alarm)

    def _build_topic(self, platform: Platform) -> sns.Topic:
        key = key_of(self, platform.encryption_key_arn) or self._build_key(platform)
        topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{self._settings.name}-alarms",
            master_key=key,
            enforce_ssl=platform.tls,
        )
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sns:Publish"],
                principals=[iam.ServicePrincipal(_ALARMS)],
                resources=[topic.topic_arn],
                conditions=_OF_THIS_ACCOUNT,
            )
        )
        if self._settings.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._settings.alarm_email))
        return topic

    def _build_key(self, platform: Platform) -> kms.Key:
        """A key of its own: the policy of AWS' key for SNS does not let alarms publish, and nobody can change it."""
        key = kms.Key(
            self,
            "Key",
            description="rekey's alarms on their way through SNS",
            enable_key_rotation=True,
            removal_policy=platform.removal_policy,
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                principals=[iam.ServicePrincipal(_ALARMS)],
                resources=["*"],
                conditions=_OF_THIS_ACCOUNT,
            )
        )
        return key


def _kebab_case(construct_id: str) -> str:
    """KeysOverdue -> keys-overdue."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in construct_id)[1:]
