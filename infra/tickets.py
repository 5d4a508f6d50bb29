"""Tickets: the HTTP API that takes their webhooks, and the queue by which they are told what becomes of it."""

import json
from typing import cast

from aws_cdk import Aws, Duration, SecretValue
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_ssm as ssm
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.encryption import key_of
from infra.functions import Functions
from infra.log_groups import build_log_group
from infra.nag import acknowledge
from infra.permissions import TICKET_GRANTS, On
from infra.platform import Platform
from infra.queues import build_dead_letter_queue, build_queue
from infra.settings import Settings

WEBHOOK_TIMEOUT = Duration.seconds(29)
"""An HTTP API waits 30 seconds, whatever the Lambda's own timeout."""

COMMENT_TIMEOUT = Duration.seconds(60)

TOLD = (
    "Rotation Refused",
    "Rotation Planned",
    "Rotation Approval Requested",
    "Rotation Declined",
    "Rotation Started",
    "Rotation Succeeded",
    "Rotation Failed",
    "Compute Down",
    "Rotation Cancelled",
    "Rotation Taken Up",
    "Rotation Unfinished",
    "Key Access Revoked",
    "Key Access Restored",
    "Key Re-enabled",
    "Key Needed",
    "Fleet Planned",
    "Fleet Approval Requested",
    "Fleet Ended",
)
"""The events that a ticket is told of; a test holds them and functions/rekey together."""

TRIES = 14
"""With waits from 10 seconds to 15 minutes: about two hours of a ticket system's absence."""

ACCESS_LOG = {
    "requestId": "$context.requestId",
    "ip": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "integrationError": "$context.integrationErrorMessage",
}


class Tickets(Construct):
    """API -> ticket_webhook -> state machine; bus -> queue -> notify_ticket -> the ticket, or `untold`, to be seen."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        platform: Platform,
        functions: Functions,
        bus: events.IEventBus,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._platform = platform
        self.secret_arn = self._build_secret()
        self._parameter = self._build_parameter()
        self.untold = build_dead_letter_queue(self, "Untold", platform)
        self._queue = self._build_queue()
        self._build_functions(functions)
        self._build_rule(bus)
        self.url = self._build_api()

    def _build_secret(self) -> str:
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Webhook secrets and API tokens of the ticket systems: docs/tickets.md has the form",
            # No secret yet: with an empty object no delivery is authentic.
            secret_string_value=SecretValue.unsafe_plain_text("{}"),
            encryption_key=key_of(self, self._platform.encryption_key_arn),
            removal_policy=self._platform.removal_policy,
        )
        acknowledge(
            secret,
            finding="AwsSolutions-SMG4",
            reason="The ticket systems issue these; several webhook secrets may hold at once, to exchange them.",
        )
        # Id is the ARN, as Ref is; the emulator's Ref is the name instead.
        return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id

    def _build_parameter(self) -> ssm.StringParameter:
        # A parameter, as a Lambda's whole environment may have 4 KB and a list of workspaces grows.
        value = self._settings.tickets.as_parameter
        return ssm.StringParameter(
            self,
            "Settings",
            parameter_name=f"/{self._settings.name}/tickets",
            description="Which tickets may ask for rotations (rekey:tickets)",
            string_value=value,
            tier=ssm.ParameterTier.STANDARD if len(value.encode()) <= 4096 else ssm.ParameterTier.ADVANCED,
        )

    def _build_queue(self) -> sqs.Queue:
        return build_queue(
            self,
            "Comments",
            self._platform,
            # Six times the Lambda's timeout (Lambda developer guide, SQS); a failed try sets its own wait.
            visibility_timeout=Duration.seconds(6 * COMMENT_TIMEOUT.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.untold, max_receive_count=TRIES),
        )

    def _build_functions(self, functions: Functions) -> None:
        places = {
            On.TICKETS_SECRET: self.secret_arn,
            On.TICKETS_PARAMETER: self._parameter.parameter_arn,
            On.COMMENTS: self._queue.queue_arn,
        }
        machine, fleets = (
            on.format(partition=Aws.PARTITION, region=Aws.REGION, account=Aws.ACCOUNT_ID, name=self._settings.name)
            for on in (On.WORKFLOW, On.FLEET_WORKFLOW)
        )
        environment = {
            "TICKETS_PARAMETER": self._parameter.parameter_name,
            "TICKETS_SECRET_ARN": self.secret_arn,
            "STATE_MACHINE_ARN": machine,
            "FLEET_STATE_MACHINE_ARN": fleets,
            "TICKET_COMMENTS_QUEUE_URL": self._queue.queue_url,
            "ANSWER_APPROVAL_FUNCTION": f"{self._settings.name}-answer-approval",
            "STEER_FLEET_FUNCTION": f"{self._settings.name}-steer-fleet",
        }
        timeouts = {"ticket_webhook": WEBHOOK_TIMEOUT, "notify_ticket": COMMENT_TIMEOUT}
        self._functions = {
            name: functions.add(name, grants, places, environment, timeouts[name])
            for name, grants in TICKET_GRANTS.items()
        }
        # One at a time: a message that fails must not bring back those that went well.
        self._functions["notify_ticket"].add_event_source_mapping(
            "FromComments", event_source_arn=self._queue.queue_arn, batch_size=1, max_concurrency=2
        )

    def _build_rule(self, bus: events.IEventBus) -> None:
        events.Rule(
            self,
            "Told",
            event_bus=bus,
            description="What a ticket is told of its rotation",
            event_pattern=events.EventPattern(
                source=["rekey"],
                detail_type=list(TOLD),
                detail={"ticket": {"provider": list(self._settings.tickets.providers)}},
            ),
            targets=[targets.SqsQueue(self._queue, dead_letter_queue=self.untold)],
        )

    def _build_api(self) -> str:
        name = f"{self._settings.name}-tickets"
        api = apigateway.HttpApi(self, "Api", api_name=name, create_default_stage=False)
        webhook: lambda_.Function = self._functions["ticket_webhook"]
        for provider in self._settings.tickets.providers:
            api.add_routes(
                path=f"/tickets/{provider}",
                methods=[apigateway.HttpMethod.POST],
                integration=HttpLambdaIntegration(f"From{provider.capitalize()}", webhook),
            )
        log_group = build_log_group(self, "ApiLogs", f"/aws/vendedlogs/apigateway/{name}", self._settings)
        stage = apigateway.HttpStage(
            self,
            "Stage",
            http_api=api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigateway.ThrottleSettings(rate_limit=5, burst_limit=20),
        )
        cfn_stage = cast("apigateway.CfnStage", stage.node.default_child)
        cfn_stage.access_log_settings = apigateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group.log_group_arn,
            format=json.dumps(ACCESS_LOG),
        )
        acknowledge(
            api,
            finding="AwsSolutions-APIG4",
            reason="The senders cannot sign for IAM or fetch tokens; ticket_webhook checks each delivery's HMAC first.",
        )
        return f"{api.api_endpoint}/tickets"
