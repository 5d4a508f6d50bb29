"""The Lambdas: one role each, one shared code asset, one dependency layer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Aws, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import certificates, key_accounts
from infra.encryption import ITS_OWNER_KNOWS, key_statements, own_secret_statement
from infra.guard_rails import own_roles
from infra.ledger import Ledger
from infra.ledger_schema import DUE
from infra.log_groups import build_log_group
from infra.login import Login, role_path
from infra.memory import memory_mb
from infra.nag import acknowledge, resource_finding
from infra.network import EVERY_INTERFACE, WILDCARD_REASON, Network
from infra.permissions import (
    CALLED_ASYNCHRONOUSLY,
    DATABRICKS,
    GRANTS,
    TRACE,
    TRY_TICKET_SYSTEMS,
    WILDCARD_REASONS,
    WITHOUT_SECRET,
    Grant,
    On,
)
from infra.platform import HANDLERS, Platform
from infra.queues import build_dead_letter_queue
from infra.settings import Settings

TIMEOUT_MINUTES = {"carry_on": 15}
"""Where the setting is too little: a round of the finisher looks after one rotation after the other."""


@dataclass(frozen=True)
class Shared:
    """What every Lambda is given."""

    settings: Settings
    platform: Platform
    ledger: Ledger
    login: Login
    bus: events.IEventBus
    unpublished: sqs.IQueue


class Functions(Construct):
    """Every row of infra.permissions.GRANTS as a Lambda: `by_name["plan_rotation"]` and so on."""

    by_name: Mapping[str, lambda_.Function]
    failed: sqs.Queue
    """Where a call waits to be seen that nobody waited for and that failed each time."""

    def __init__(self, scope: Construct, construct_id: str, shared: Shared) -> None:
        super().__init__(scope, construct_id)
        self._shared = shared
        self._network = Network(self, "Network", shared.settings)
        self._layers = self._build_layers()
        self._environment = self._build_environment()
        self._places: Mapping[On, str] = {}
        self.failed = build_dead_letter_queue(self, "Failed", shared.platform)
        its_own = {
            "publish_events": {"UNPUBLISHED_QUEUE_URL": shared.unpublished.queue_url},
            "inventory": {"MAX_KEY_AGE_DAYS": shared.settings.max_key_age},
            # Of 4 KB that an environment may have these may take 1,500 bytes.
            "create_key": {"KEY_TAGS": json.dumps(shared.settings.key_tags)} if shared.settings.key_tags else {},
        }
        if shared.settings.tickets:
            hosts = " ".join(f"{name}={system.base_url}" for name, system in shared.settings.tickets.systems.items())
            its_own |= {name: {"TICKET_HOSTS": hosts} for name in TRY_TICKET_SYSTEMS}
        self.by_name = {
            name: self._build_function(name, self._chosen(grants), its_own.get(name)) for name, grants in GRANTS.items()
        }

    def add(
        self,
        name: str,
        grants: tuple[Grant, ...],
        places: Mapping[On, str],
        environment: Mapping[str, str],
        timeout: Duration | None = None,
    ) -> lambda_.Function:
        """One more Lambda, for a piece that not every deployment has; `places` are the ARNs that only it knows."""
        self._places = places
        return self._build_function(name, grants, environment, timeout)

    def _build_layers(self) -> list[lambda_.ILayerVersion]:
        platform = self._shared.platform
        return [
            lambda_.LayerVersion(
                self,
                name,
                code=layer.code,
                description=layer.description,
                compatible_runtimes=[platform.runtime],
                compatible_architectures=[platform.architecture],
            )
            for name, layer in platform.layers.items()
        ]

    def _chosen(self, grants: tuple[Grant, ...]) -> tuple[Grant, ...]:
        grants = key_accounts.with_roles(self._shared.settings, grants)
        if not self._shared.settings.is_secretless:
            return grants
        return tuple(WITHOUT_SECRET.get(grant, grant) for grant in grants)

    def _build_environment(self) -> dict[str, str]:
        settings = self._shared.settings
        return {
            "REKEY_STAGE": settings.stage,
            "LEDGER_TABLE": self._shared.ledger.table.table_name,
            "EVIDENCE_BUCKET": self._shared.ledger.bucket.bucket_name,
            "DATABRICKS_ACCOUNT_ID": str(settings.databricks_account_id),
            "DATABRICKS_ACCOUNT_HOST": settings.account_host,
            "DATABRICKS_WORKSPACE_HOST": settings.workspace_host,
            "DATABRICKS_SHARD": settings.databricks_shard,
            "GRACE_SECONDS": str(settings.grace_seconds),
            "SETTLE_SECONDS": str(settings.settle_seconds),
            "WAIT_SCALE": f"{settings.wait_scale:g}",
            "EVENT_BUS": self._shared.bus.event_bus_name,
            "WATCH_SECONDS": str(settings.watch_seconds),
            "REKEY_NAME": settings.name,
            **_of_the_keys(settings),
            "BREAK_GLASS_ROLE_ARN": settings.break_glass_role_arn,
            "POWERTOOLS_SERVICE_NAME": Aws.STACK_NAME,
            "POWERTOOLS_METRICS_NAMESPACE": "rekey",
            "POWERTOOLS_LOG_LEVEL": settings.log_level,
            **self._network.environment,
            **(certificates.environment() if settings.ca_bundle else {}),
            **self._shared.login.environment,
            **self._shared.platform.environment,
        }

    def _build_function(
        self,
        name: str,
        grants: tuple[Grant, ...],
        environment: Mapping[str, str] | None = None,
        timeout: Duration | None = None,
    ) -> lambda_.Function:
        settings, platform = self._shared.settings, self._shared.platform
        construct_id = pascal_case(name)
        if name in TIMEOUT_MINUTES:
            timeout = Duration.minutes(TIMEOUT_MINUTES[name])
        function_name = f"{settings.name}-{name.replace('_', '-')}"
        log_group = build_log_group(self, f"{construct_id}Logs", f"/aws/lambda/{function_name}", settings)
        in_vpc = self._network.statements(function_name)
        role = self._build_role(construct_id, log_group, grants, in_vpc)
        function = lambda_.Function(
            self,
            construct_id,
            function_name=function_name,
            runtime=platform.runtime,
            architecture=platform.architecture,
            code=platform.code,
            handler=HANDLERS[name],
            layers=self._layers,
            # The role is whole as it stands in the table: CDK may add nothing to it.
            role=role.without_policy_updates(),
            environment={
                **self._environment,
                **key_accounts.environment(settings, name, grants),
                **(environment or {}),
            },
            log_group=log_group,
            memory_size=memory_mb(name, settings.lambda_memory_mb),
            timeout=timeout or Duration.seconds(settings.lambda_timeout_seconds),
            tracing=lambda_.Tracing.ACTIVE,
        )
        self._network.attach(function)
        if CALLED_ASYNCHRONOUSLY in grants:
            self._set_failures_aside(construct_id, function)
        return function

    def _set_failures_aside(self, construct_id: str, function: lambda_.Function) -> None:
        # The L1 construct: the L2's destination would give the role a right that its row has already.
        destination = lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.failed.queue_arn)
        lambda_.CfnEventInvokeConfig(
            self,
            f"{construct_id}Failures",
            function_name=function.function_name,
            qualifier="$LATEST",
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(on_failure=destination),
        )

    def _build_role(
        self,
        construct_id: str,
        writes: logs.ILogGroup,
        grants: tuple[Grant, ...],
        in_vpc: list[iam.PolicyStatement],
    ) -> iam.Role:
        statements = [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[writes.log_group_arn]
            ),
            *[self._statement(grant) for grant in (TRACE, *grants)],
            *key_statements(
                self._shared.settings.encryption_key_arn, [action for grant in grants for action in grant.actions]
            ),
        ]
        own_secret = self._own_secret(grants)
        statements += [*own_secret, *in_vpc]
        role = iam.Role(
            self,
            f"{construct_id}Role",
            path=role_path(self._shared.settings) if WITHOUT_SECRET[DATABRICKS] in grants else None,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {construct_id} may do, and no more",
            inline_policies={"permissions": iam.PolicyDocument(statements=statements)},
        )
        self._acknowledge_wildcards(role, grants)
        for statement in own_secret:
            acknowledge(role, finding=resource_finding(self, statement.resources[0]), reason=ITS_OWNER_KNOWS)
        if in_vpc:
            acknowledge(role, finding=resource_finding(self, EVERY_INTERFACE), reason=WILDCARD_REASON)
        return role

    def _own_secret(self, grants: tuple[Grant, ...]) -> list[iam.PolicyStatement]:
        secret_arn = self._shared.settings.databricks_secret_arn
        return [own_secret_statement(secret_arn)] if secret_arn and DATABRICKS in grants else []

    def _statement(self, grant: Grant) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            actions=list(grant.actions),
            resources=self._resources(grant.on),
            conditions=grant.conditions(self._shared.settings.name) or None,
        )

    def _resources(self, on: On) -> list[str]:
        if on in self._shared.platform.without_arns:
            return ["*"]
        table_arn = self._shared.ledger.table.table_arn
        match on:
            case On.SECRET | On.DATABRICKS_ROLE:
                return [self._shared.login.arn]
            case On.LEDGER:
                return [table_arn]
            case On.DUE:
                return [f"{table_arn}/index/{DUE}"]
            case On.ROTATIONS:
                return [self._shared.ledger.bucket.arn_for_objects("rotations/*")]
            case On.INVENTORY:
                return [self._shared.ledger.bucket.arn_for_objects("inventory/*")]
            case On.FLEETS:
                return [self._shared.ledger.bucket.arn_for_objects("fleets/*")]
            case On.STREAM:
                return [self._shared.ledger.stream_arn]
            case On.BUS:
                return [self._shared.bus.event_bus_arn]
            case On.UNPUBLISHED:
                return [self._shared.unpublished.queue_arn]
            case On.FAILED:
                return [self.failed.queue_arn]
            case (
                On.KEYS
                | On.ALIASES
                | On.FORWARDERS
                | On.WORKFLOW
                | On.EXECUTIONS
                | On.FLEET_WORKFLOW
                | On.FLEET_EXECUTIONS
                | On.ANSWER_APPROVAL
                | On.STEER_FLEET
                | On.SECURITY_HUB
                | On.ANYTHING
            ):
                # The state machine names the Lambdas, so their roles cannot name it but by its name.
                name = self._shared.settings.name
                aliases = self._shared.settings.alias_prefix
                partition, region, account = Aws.PARTITION, Aws.REGION, Aws.ACCOUNT_ID
                return [on.format(partition=partition, region=region, account=account, name=name, aliases=aliases)]
            case On.KEY_ROLES:
                return key_accounts.role_arns(self._shared.settings)
            case On.TICKETS_SECRET | On.TICKETS_PARAMETER | On.COMMENTS:
                return [self._places[on]]

    def _acknowledge_wildcards(self, role: iam.Role, grants: tuple[Grant, ...]) -> None:
        for on in sorted({grant.on for grant in (TRACE, *grants)}):
            if on in WILDCARD_REASONS:
                for resource in self._resources(on):
                    if on != On.KEY_ROLES or "*" in resource:
                        acknowledge(role, finding=resource_finding(self, resource), reason=WILDCARD_REASONS[on])


def _of_the_keys(settings: Settings) -> dict[str, str]:
    """How keys are made; what is left out is as it is without the setting."""
    found = {"KEY_ALIAS_PREFIX": settings.alias_prefix, "KEY_ROTATION_DAYS": str(settings.key_rotation_days)}
    if settings.key_admin_arns:
        found["KEY_ADMINS"] = ",".join([*settings.key_admin_arns, *own_roles(settings)])
    return found


def pascal_case(name: str) -> str:
    """plan_rotation -> PlanRotation: the construct's name, and the placeholder's in the state machine."""
    return "".join(word.capitalize() for word in name.split("_"))
