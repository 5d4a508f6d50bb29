"""What keeps keys young by itself: ahead of each window a fleet of the keys that are due is proposed."""

from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.calls import build_start
from infra.settings import Settings

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
"""Scheduler puts in for when it was scheduled, as 2022-03-22T18:59:43Z (user guide, "Adding context attributes")."""


class Policy(Construct):
    """Scheduler -> rotate_fleet."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        rotate_fleet: sfn.StateMachine,
        undelivered: sqs.Queue,
    ) -> None:
        super().__init__(scope, construct_id)
        build_start(
            self,
            name=f"{settings.name}-propose-fleet",
            description="Proposes a fleet of the keys that are due",
            schedule=settings.fleet_schedule,
            state_machine=rotate_fleet,
            given={
                # Scheduler delivers at least once: by this the second is the same fleet.
                "request_id": f"policy-{SCHEDULED_TIME}",
                "requested_by": "policy",
                "reason": f"Due by the policy, for the window {settings.fleet_window}",
                "approval": settings.fleet_approval,
                "fleet": {
                    "by_policy": True,
                    "due_within_days": settings.fleet_due_within_days,
                    "add_missing": settings.fleet_add,
                    "window": settings.fleet_window,
                },
            },
            undelivered=undelivered,
            encryption_key_arn=settings.encryption_key_arn,
        )
