"""What watches the stack: alarms for a person, and the dashboard to look around on."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.alarms import Alarms
from infra.dashboard import Dashboard
from infra.platform import Platform
from infra.settings import Settings


@dataclass(frozen=True)
class Watched:
    """What is there to watch. `dead_letters` holds each queue of them, by the name that its alarm has."""

    state_machine: sfn.StateMachine
    fleets: sfn.StateMachine
    functions: Mapping[str, lambda_.Function]
    dead_letters: Mapping[str, sqs.IQueue]


_DEAD_LETTERS = {
    "RequestsUndelivered": ("A request's event did not start the state machine", "a-request-was-not-delivered"),
    "EventsUnpublished": ("News of a rotation or a key was given up", "events-are-late-or-lost"),
    "CallsFailed": (
        "A Lambda that nobody waits for failed each time",
        "a-key-cannot-be-looked-at",
    ),
    "SweepsUndelivered": (
        "A key check, a round, the inventory or the look for drift was not started",
        "a-key-cannot-be-looked-at",
    ),
    "TicketsUntold": ("A ticket could not be told", "a-ticket-is-not-told"),
}
"""By the alarm's name: what a message in the queue means, and its section of the operations page."""


class Monitoring(Construct):
    """Alarms to one `topic`, and a dashboard."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, platform: Platform, watched: Watched
    ) -> None:
        super().__init__(scope, construct_id)
        alarms = Alarms(self, "Alarms", settings, platform)
        alarms.watch_rotations(watched.state_machine, watched.functions["record_failure"])
        alarms.watch_fleets(watched.fleets)
        alarms.watch_access()
        alarms.watch_compute()
        alarms.watch_keys()
        alarms.watch_estate()
        alarms.watch_events(watched.functions["publish_events"])
        for name, queue in watched.dead_letters.items():
            meaning, section = _DEAD_LETTERS[name]
            alarms.watch_dead_letters(name, queue, meaning, section)
        self.topic = alarms.topic
        Dashboard(
            self,
            "Dashboard",
            settings,
            state_machine=watched.state_machine,
            fleets=watched.fleets,
            alarms=alarms.all,
            queues=watched.dead_letters,
        )
