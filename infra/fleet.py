"""The fleet: rotate_fleet, what it may start, and what may start it."""

from collections.abc import Mapping
from typing import cast

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.encryption import key_statements
from infra.ledger import Ledger
from infra.nag import acknowledge, resource_finding
from infra.settings import Settings
from infra.workflow import Workflow

SYNC_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
"""By which Step Functions hears that an execution has ended that one of its tasks started (".sync")."""


class Fleet(Workflow):
    """rotate_fleet. It starts executions of rotate_key and of its own waves, and reads the waves' lists."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        functions: Mapping[str, lambda_.Function],
        rotate_key: sfn.StateMachine,
        ledger: Ledger,
    ) -> None:
        places = {"RotateKey": rotate_key.state_machine_arn, "EvidenceBucket": ledger.bucket.bucket_name}
        super().__init__(scope, construct_id, settings, functions, "rotate_fleet", places)
        states = f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        name = f"{settings.name}-rotate-fleet"
        self._allow(["states:StartExecution"], rotate_key.state_machine_arn, f"{states}:stateMachine:{name}")
        # Without states:StopExecution of a rotation, on purpose: Step Functions stops what an aborted task has started
        # only where it may ("Run a job", .sync), and a rotation that has begun is best left to its end.
        reasons = "Executions are named when they start; only those of rekey's own two state machines are reachable."
        rotations, waves = f"{states}:execution:{settings.name}-rotate-key:*", f"{states}:execution:{name}/*"
        self._allow(["states:DescribeExecution"], rotations, waves, why=reasons)
        self._allow(["states:StopExecution"], waves, why=reasons)
        rule = f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/{SYNC_RULE}"
        self._allow(["events:DescribeRule", "events:PutRule", "events:PutTargets"], rule)
        lists = ledger.bucket.arn_for_objects("fleets/*")
        self._allow(["s3:GetObject"], lists, why="One list a wave, named when it begins; nothing else is reachable.")
        self._have_lint_look_away()
        for statement in key_statements(settings.encryption_key_arn, ["s3:GetObject", "states:StartExecution"]):
            self.state_machine.add_to_role_policy(statement)

    def _have_lint_look_away(self) -> None:
        """cfn-lint knows JSONata in a Wait only where all is in it: tests/workflow/test_fleet.py looks."""
        machine = cast("sfn.CfnStateMachine", self.state_machine.node.default_child)
        machine.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3601"]}})

    def _allow(self, actions: list[str], *resources: str, why: str = "") -> None:
        self.state_machine.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=list(resources)))
        for resource in resources:
            if why:
                acknowledge(self.state_machine, finding=resource_finding(self, resource), reason=why)
