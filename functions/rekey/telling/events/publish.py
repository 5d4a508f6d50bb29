"""The outbox: every entry that a step writes into the ledger comes through the table's stream to here.

What is in the ledger is told, and what is not in it is not: no step publishes anything itself, so an
event is neither lost by a crash after the write nor sent for a write that never was.
"""

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.base.observability import count, logger
from rekey.base.settings import Settings
from rekey.ledger import Ledger
from rekey.model.entries import Item, entry_of
from rekey.telling.events.catalogue import Told, as_entry, event_of_key, event_of_refusal, event_of_rotation
from rekey.telling.events.models import Data, Detail


def publish(settings: Settings, ledger: Ledger, item: Item) -> str | None:
    """Tell the world of one new audit item. Gives the event's id, None when nobody is told.

    May be called again for the same item: the id stays the same. Raises AwsUnavailable when the bus did not take it.
    """
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
    if made is None:
        return None
    data, detail = made
    sent = clients.events().put_events(Entries=[as_entry(data, detail, settings.event_bus, resources)])
    if sent["FailedEntryCount"]:
        failed = sent["Entries"][0]
        raise AwsUnavailable(f"The event bus did not take {detail.id}: {failed.get('ErrorCode')}.")
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
