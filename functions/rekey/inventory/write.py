"""Puts the inventory into the evidence bucket: the day's JSON, the latest one, and estate.html."""

from rekey.aws import bucket as kept
from rekey.base.observability import logger
from rekey.model.inventory import LATEST, PAGE, Inventory, day_key
from rekey.pages.estate import render


def write(bucket: str, inventory: Inventory) -> tuple[str, ...]:
    """Gives the names of the objects. A second one of a day is written over the first, whose version stays."""
    body = kept.as_json(inventory)
    day = day_key(inventory.taken_at)
    kept.put(bucket, day, body)
    kept.put(bucket, LATEST, body)
    if (page := _page(inventory)) is None:
        return day, LATEST
    kept.put(bucket, PAGE, page, "text/html; charset=utf-8")
    return day, LATEST, PAGE


def _page(inventory: Inventory) -> bytes | None:
    try:
        return render(inventory, rotations="../rotations/").encode()
    except Exception:  # noqa: BLE001, the figures and the alarm must not wait for a drawing
        logger.exception("estate.html could not be drawn")
        return None
