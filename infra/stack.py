"""The stack: the pieces, wired together, and its outputs."""

import tomllib

from aws_cdk import Annotations, CfnOutput, Stack, Tags
from constructs import Construct

from infra.estate import Estate
from infra.events import Events
from infra.findings import explain_what_is_left
from infra.finishing import Finishing
from infra.fleet import Fleet
from infra.forwarding import Forwarding
from infra.functions import Functions, Shared
from infra.guard_rails import keep_to_guard_rails
from infra.ledger import Ledger
from infra.login import DatabricksRole, login_for
from infra.monitoring import Monitoring, Watched
from infra.nag import acknowledge
from infra.platform import ROOT, Platform, platform_for
from infra.policy import Policy
from infra.retirement import Retirement
from infra.settings import PREFIX, Settings
from infra.tickets import Tickets
from infra.workflow import Workflow


class RekeyStack(Stack):
    """Everything rekey deploys, in one account and region; the keys live in each workspace's own region."""

    def __init__(self, scope: Construct, settings: Settings, platform: Platform | None = None) -> None:
        platform = platform or platform_for(settings)
        super().__init__(
            scope,
            settings.name,
            description="rekey: customer-managed key rotation for Databricks workspaces",
            synthesizer=platform.synthesizer,
            termination_protection=platform.keeps_data,
        )
        self._warn_of_placeholders(settings)
        self._build_pieces(settings, platform.placed_in(self))
        Tags.of(self).add("rekey:stage", settings.stage)
        keep_to_guard_rails(self, settings)
        acknowledge(
            self,
            finding="AwsSolutions-L1",
            reason="Python 3.13 on purpose: the layer is built for it, and the tests run near it.",
        )
        if not settings.is_local:
            explain_what_is_left(self, settings)

    def _build_pieces(self, settings: Settings, platform: Platform) -> None:
        ledger = Ledger(self, "Ledger", platform, settings.evidence_lock_days)
        login = login_for(self, settings, platform)
        events = Events(self, "Events", settings, platform)
        built = Functions(self, "Functions", Shared(settings, platform, ledger, login, events.bus, events.unpublished))
        functions = built.by_name
        if settings.is_secretless:
            DatabricksRole(self, "DatabricksRole", settings)
        workflow = Workflow(self, "Workflow", settings, functions)
        fleet = Fleet(self, "Fleet", settings, functions, workflow.state_machine, ledger)
        events.take_requests(workflow.state_machine, fleet.state_machine)
        events.publish(ledger, functions["publish_events"])
        retirement = Retirement(
            self, "Retirement", settings, platform, functions["disable_old_key"], functions["reenable_key"]
        )
        Forwarding(self, "Forwarding", settings, events.bus, functions["reenable_key"], retirement.undelivered)
        Finishing(self, "Finishing", settings, workflow.state_machine, functions["carry_on"], retirement.undelivered)
        Estate(self, "Estate", settings, built, retirement.undelivered)
        if settings.fleet_window:
            Policy(self, "Policy", settings, fleet.state_machine, events.undelivered)
        dead_letters = {
            "RequestsUndelivered": events.undelivered,
            "EventsUnpublished": events.unpublished,
            "SweepsUndelivered": retirement.undelivered,
            "CallsFailed": built.failed,
        }
        self._build_outputs(
            {
                "StateMachineArn": workflow.state_machine.state_machine_arn,
                "LedgerTableName": ledger.table.table_name,
                "EvidenceBucketName": ledger.bucket.bucket_name,
                login.output: login.arn,
                "EventBusName": events.bus.event_bus_name,
            }
        )
        if settings.tickets:
            tickets = Tickets(self, "Tickets", settings, platform, built, events.bus)
            self._build_outputs({"TicketsUrl": tickets.url, "TicketsSecretArn": tickets.secret_arn})
            dead_letters["TicketsUntold"] = tickets.untold
        watched = Watched(workflow.state_machine, fleet.state_machine, functions, dead_letters)
        monitoring = Monitoring(self, "Monitoring", settings, platform, watched)
        self._build_outputs({"AlarmTopicArn": monitoring.topic.topic_arn, "Version": _version()})

    def _build_outputs(self, outputs: dict[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)

    def _warn_of_placeholders(self, settings: Settings) -> None:
        if not settings.names_a_databricks_account:
            name = f"{PREFIX}databricks_account_id"
            Annotations.of(self).add_warning_v2(
                name,
                f"{name} still holds its placeholder: give the Databricks account's UUID, "
                f'in cdk.json or as ARGS="-c {name}=...". `make deploy` refuses to go on without it.',
            )


def _version() -> str:
    """rekey's own, which `rekey doctor` compares with that of the command line."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
