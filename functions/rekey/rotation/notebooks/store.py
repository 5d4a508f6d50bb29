"""What the renewal keeps in the evidence bucket: the list of notebooks, and each batch's outcomes."""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, field_validator

from rekey.aws import bucket as kept

Kind = Literal["renewed", "skipped", "failed"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Outcome(BaseModel):
    """What became of one object, and why. `too_large` is what Databricks' API cannot move."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    reason: str = ""
    too_large: bool = False

    def __str__(self) -> str:
        """renewed, "skipped: <reason>" or "failed: <reason>"."""
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


RENEWED = Outcome(kind="renewed")


def skipped(reason: str, *, too_large: bool = False) -> Outcome:
    return Outcome(kind="skipped", reason=reason, too_large=too_large)


def failed(reason: str) -> Outcome:
    return Outcome(kind="failed", reason=reason)


class Row(BaseModel):
    """One line of the report."""

    model_config = ConfigDict(frozen=True)

    path: str
    outcome: Outcome

    @field_validator("outcome", mode="before")
    @classmethod
    def _earlier(cls, written: Any) -> Any:
        """An earlier version wrote the text alone, and may have written some of a list or batch."""
        if not isinstance(written, str):
            return written
        kind, _, reason = written.partition(": ")
        return {"kind": kind, "reason": reason}


class Listing(BaseModel):
    """What is under the paths of the request. `roots` are those not yet looked at, `ahead` folders not yet read."""

    model_config = ConfigDict(frozen=True)

    roots: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    others: tuple[Row, ...] = ()
    """Everything else, with the reason why it is not renewed."""

    @property
    def left(self) -> tuple[str, ...]:
        """None once the listing is whole."""
        return (*self.roots, *self.ahead)


class Begun(BaseModel):
    """Written down before a notebook is imported, so that a call after a crash knows what has to be there."""

    model_config = ConfigDict(frozen=True)

    digest: str
    permissions: list[dict[str, Any]]


class Batch(BaseModel):
    """How far one batch is."""

    rows: list[Row] = []
    begun: dict[str, Begun] = {}
    tries: dict[str, int] = {}
    """How often a notebook was put off for trouble of its own, by its path."""
    waits: dict[str, int] = {}
    """How often for trouble that met the others too, by its path."""
    reasons: dict[str, str] = {}
    """Why a notebook was put off last, by its path."""
    crashes: dict[str, int] = {}
    """How often a call ended without an answer while it renewed a notebook, by its path."""
    working_on: str | None = None


def listing_key(rotation_id: str) -> str:
    return f"rotations/{rotation_id}/notebooks.json"


def batch_key(rotation_id: str, number: int) -> str:
    return f"rotations/{rotation_id}/notebooks/{number}.json"


def members(listing: Listing, batches: int, number: int) -> tuple[str, ...]:
    """The notebooks of one batch: all batches together have each notebook once, and are of one size but for one."""
    return listing.notebooks[number::batches]


def put_new_batch(bucket: str, rotation_id: str, number: int) -> None:
    """Make the batch's object unless it is there: a role without s3:ListBucket cannot tell "missing" from "denied"."""
    kept.write_once(bucket, batch_key(rotation_id, number), kept.as_json(Batch()))


def put(bucket: str, key: str, value: BaseModel) -> None:
    kept.put(bucket, key, value.model_dump_json().encode())


def read_listing(bucket: str, key: str) -> Listing:
    return kept.read_model(bucket, key, Listing)


def read_batch(bucket: str, rotation_id: str, number: int) -> Batch:
    return kept.read_model(bucket, batch_key(rotation_id, number), Batch)
