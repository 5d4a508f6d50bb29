"""The event bus: requests that start a rotation or a fleet, and what rekey publishes."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.encryption import key_statements
from infra.ledger import Ledger
from infra.platform import Platform
from infra.queues import build_dead_letter_queue
from infra.settings import Settings

ROTATION_REQUESTED = "Rotation Requested"
WORKSPACE_REQUESTED = "Workspace Requested"
FLEET_REQUESTED = "Fleet Requested"


class Events(Construct):
    """`bus` in both directions; `undelivered` requests and `unpublished` news wait to be seen."""

    bus: events.IEventBus

    def __init__(self, scope: Construct, construct_id: str, settings: Settings, platform: Platform) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.bus = self._find_or_build_bus()
        self.undelivered = build_dead_letter_queue(self, "Undelivered", platform)
        self.unpublished = build_dead_letter_queue(self, "Unpublished", platform)

    def _find_or_build_bus(self) -> events.IEventBus:
        if self._settings.event_bus:
            return events.EventBus.from_event_bus_name(self, "Bus", self._settings.event_bus)
        return events.EventBus(self, "Bus", event_bus_name=self._settings.name)

    def take_requests(self, rotate_key: sfn.StateMachine, rotate_fleet: sfn.StateMachine) -> None:
        """Start an execution for each request; the state machine itself opens the event's envelope."""
        role = iam.Role(
            self,
            "StartRole",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            inline_policies={
                "permissions": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["states:StartExecution"],
                            resources=[rotate_key.state_machine_arn, rotate_fleet.state_machine_arn],
                        ),
                        *key_statements(self._settings.encryption_key_arn, ["states:StartExecution"]),
                    ]
                )
            },
        )
        for construct_id, detail_type, state_machine in (
            ("Rotations", ROTATION_REQUESTED, rotate_key),
            ("Workspaces", WORKSPACE_REQUESTED, rotate_key),
            ("Fleets", FLEET_REQUESTED, rotate_fleet),
        ):
            events.Rule(
                self,
                construct_id,
                event_bus=self.bus,
                description=f"{detail_type}: starts the state machine",
                event_pattern=events.EventPattern(detail_type=[detail_type]),
                targets=[
                    targets.SfnStateMachine(
                        state_machine,
                        role=role.without_policy_updates(),
                        dead_letter_queue=self.undelivered,
                        max_event_age=Duration.hours(1),
                        retry_attempts=24,
                    )
                ],
            )

    def publish(self, ledger: Ledger, publish_events: lambda_.Function) -> None:
        """Every new audit entry of the ledger, in order. One that never can be published the Lambda sets aside at once;
        one that is tried for a day in vain goes the same way."""
        lambda_.CfnEventSourceMapping(
            self,
            "Outbox",
            function_name=publish_events.function_name,
            event_source_arn=ledger.stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=25,
            bisect_batch_on_function_error=True,
            maximum_record_age_in_seconds=Duration.days(1).to_seconds() - 3600,
            # Time decides, not a number: what the bus does not take now waits, and what follows waits behind it.
            maximum_retry_attempts=-1,
            function_response_types=["ReportBatchItemFailures"],
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[lambda_.CfnEventSourceMapping.FilterProperty(pattern=_NEW_AUDIT_ENTRIES)]
            ),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.unpublished.queue_arn)
            ),
        )


_NEW_AUDIT_ENTRIES = '{"eventName": ["INSERT"], "dynamodb": {"Keys": {"sk": {"S": [{"prefix": "AUDIT#"}]}}}}'
