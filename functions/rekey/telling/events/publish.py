"""The outbox: every entry that a step writes into the ledger comes through the table's stream to here.

What is in the ledger is told, and what is not in it is not: no step publishes anything itself, so an
event is neither lost by a crash after the write nor sent for a write that never was.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable, RekeyError
from rekey.base.observability import count, logger
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from rekey.model.entries import Item, entry_of
from rekey.telling.events.catalogue import (
    Told,
    as_entry,
    event_of_drift,
    event_of_key,
    event_of_refusal,
    event_of_rotation,
)
from rekey.telling.events.fleets import event_of_fleet
from rekey.telling.events.models import Data, Detail

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef


_FINAL = ("InvalidArgument", "MalformedDetail", "ValidationException")
"""The bus will never take this very event (EventBridge API, PutEvents); whatever else it says, somebody can fix."""


class Untellable(RekeyError):
    """No later try makes an event of this entry, or has the bus take it."""


def publish(settings: Settings, ledger: Ledger, item: Item) -> str | None:
    """Publish one new audit item. Gives the event's id, None when nobody is told.

    May be called again for the same item: the id stays the same. Raises Untellable, or AwsUnavailable when the bus did
    not take it; AWS' errors pass through.
    """
    try:
        told = _event_of(settings, ledger, item)
    except (ClientError, BotoCoreError):
        raise
    except Exception as error:
        # What is in the ledger does not change: the next try would end here as well.
        raise Untellable(f"{type(error).__name__}: {error}") from error
    if told is None:
        return None
    data, detail, resources = told
    _send(as_entry(data, detail, settings.event_bus, resources), detail.id)
    count("EventsPublished")
    logger.info(
        "event published",
        event_id=detail.id,
        detail_type=data.detail_type,
        # On this line alone: the next item of the same batch may be another rotation's.
        rotation_id=detail.rotation_id,
        workspace_id=detail.workspace_id,
    )
    return detail.id


def _event_of(settings: Settings, ledger: Ledger, item: Item) -> tuple[Data, Detail, list[str]] | None:
    kind, _, name = item["pk"].partition("#")
    entry = entry_of(item)
    resources: list[str] = []
    made: tuple[Data, Detail] | None = None
    if kind == "REFUSAL":
        made = event_of_refusal(entry)
    elif kind == "ROTATION":
        rotation = ledger.load(name)
        made = event_of_rotation(Told(entry, rotation, settings.evidence_bucket, settings.grace_seconds))
        resources = [rotation.execution_arn]
    elif kind == "KEY":
        key = ledger.keys.find(name)
        made = event_of_key(entry, ledger.find(key.rotation_id) if key and key.rotation_id else None)
        resources = [name]
    elif kind == "DRIFT":
        made = event_of_drift(entry)
        resources = [entry["subject"]] if entry["detail"]["key_arn"] else []
    elif kind == "FLEET" and (fleet := ledger.fleets.find(name)):
        made = event_of_fleet(entry, fleet, settings.evidence_bucket)
        resources = [fleet.execution_arn]
    return (*made, resources) if made else None


def _send(entry: "PutEventsRequestEntryTypeDef", event_id: str) -> None:
    """Raises Untellable or AwsUnavailable; AWS' errors pass through."""
    try:
        sent = clients.events().put_events(Entries=[entry])
    except ClientError as error:
        if clients.error_code(error) in _FINAL:
            raise Untellable(f"The event bus will not take {event_id}: {error}") from error
        raise
    if sent["FailedEntryCount"]:
        code = sent["Entries"][0].get("ErrorCode", "")
        if code in _FINAL:
            raise Untellable(f"The event bus will not take {event_id}: {code}.")
        raise AwsUnavailable(f"The event bus did not take {event_id}: {code}.")
