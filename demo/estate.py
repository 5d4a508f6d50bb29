"""The whole estate at the end: the inventory is taken, and its page kept beside the evidence that it links to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.stack import Stack, StackError
from demo.checks import Check
from demo.model import DemoError
from local.cloud.model import ROOT
from local.cloud.side_door import SideDoor
from rekey.model.evidence import page_key
from rekey.model.inventory import LATEST, MEANINGS, PAGE, Inventory, Reason

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = ROOT / ".rekey" / "estate"
BARE = "marketing"
"""A workspace that nobody gave a key."""


INVENTORY = "the inventory sees every workspace, and which has no key"
"""What is checked."""


@dataclass(frozen=True)
class Estate:
    """The inventory, and where its page lies now."""

    inventory: Inventory
    page: Path | None

    @property
    def told(self) -> str:
        """1 of 3 workspaces comply: 2 no key."""
        counts = self.inventory.counts
        reasons = [f"{counts.reasons[each]} {MEANINGS[each]}" for each in MEANINGS if counts.reasons.get(each)]
        told = f"{counts.compliant} of {counts.workspaces} workspaces comply"
        return f"{told}: {', '.join(reasons)}" if reasons else told


def seed_bare(door: SideDoor) -> None:
    """Somebody has made a workspace, and told nobody."""
    door.seed(workspace_name=BARE, clusters=0, pools=0, warehouses=0, notebooks=1, secrets=0, files=0)


def take(stack: Stack, s3: "S3Client", rotation_ids: Sequence[str], folder: Path = FOLDER) -> Estate:
    """Take the inventory. The files lie as they do in the bucket, so that the page's links lead to the evidence."""
    try:
        stack.invoke("inventory", {})
    except StackError as error:
        raise DemoError(f"The inventory could not be taken: {error}") from error
    body = s3.get_object(Bucket=stack.evidence_bucket, Key=LATEST)["Body"].read()
    for key in (PAGE, *map(page_key, rotation_ids)):
        copy = folder / key
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        try:
            copy.write_bytes(s3.get_object(Bucket=stack.evidence_bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            continue
    page = folder / PAGE
    return Estate(Inventory.model_validate_json(body), page if page.exists() else None)


def estate_check(estate: Estate, rotated: Sequence[str]) -> Check:
    """Every workspace is seen, that without a key by itself, and what was rotated is young, known and as documented."""
    rows = {row.name: row for row in estate.inventory.workspaces}
    if {*rows} != {*rotated, BARE}:
        return Check(INVENTORY, f"it sees {', '.join(sorted(rows))}")
    if any(each.key_arn for each in rows[BARE].keys):
        return Check(INVENTORY, f"it sees a key of {BARE}")
    wrong = [f"{name}: {why.text}" for name in rotated for each in rows[name].keys for why in each.whys if each.key_arn]
    missing = not any(why.reason == Reason.NO_KEY for each in rows[BARE].keys for why in each.whys)
    trouble = wrong[0] if wrong else f"{BARE} without a key complies" if missing else ""
    return Check(INVENTORY, trouble if estate.page else trouble or "there is no page")
