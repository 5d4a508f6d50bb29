"""What became of the notebooks, for the evidence and for the summary."""

from collections.abc import Iterator
from typing import Any

from rekey.model.findings import Finding, FindingCode
from rekey.rotation.notebooks import store
from rekey.rotation.notebooks.store import KINDS, Row, failed
from rekey.rotation.step import Step


def report(step: Step) -> dict[str, Any] | None:
    """{"paths", "listed", "counts", "table"}, one row for each object under the paths; None where none were asked for.

    Counts are those of the table, by kind of outcome. `listed` is false where the listing never came to its end.
    """
    rotation = step.rotation
    if not rotation.request.renew_notebooks:
        return None
    table = _table(step)
    return {
        "paths": list(rotation.request.renew_notebooks),
        "listed": rotation.notebook_batches is not None,
        "counts": {kind: sum(row.outcome.kind == kind for row in table) for kind in KINDS},
        "table": [{"path": row.path, "outcome": str(row.outcome)} for row in table],
    }


def findings(step: Step) -> list[Finding]:
    """What a person should know, in one sentence for each kind of trouble."""
    if not step.rotation.request.renew_notebooks:
        return []
    return [Finding(code=FindingCode.NOTEBOOKS, text=each) for each in _troubles(step)]


def _troubles(step: Step) -> Iterator[str]:
    if step.rotation.notebook_batches is None:
        yield "The notebooks could not be listed, so none was renewed; all are as they were."
    table = _table(step)
    if number := sum(row.outcome.kind == "failed" for row in table):
        yield f"{_notebooks(number)} could not be renewed, see the evidence."
    if number := sum(row.outcome.too_large for row in table):
        yield f"{_notebooks(number)} over 10 MB could not be renewed, which Databricks' API cannot move."


def _table(step: Step) -> list[Row]:
    rotation, bucket = step.rotation, step.settings.evidence_bucket
    if rotation.notebooks_key is None or rotation.notebook_batches is None:
        return []
    listing = store.read_listing(bucket, rotation.notebooks_key)
    batches = [store.read_batch(bucket, rotation.rotation_id, number) for number in range(rotation.notebook_batches)]
    outcomes = {row.path: row for batch in batches for row in batch.rows}
    reasons = {path: reason for batch in batches for path, reason in batch.reasons.items()}
    rows = [outcomes.get(path) or _not_reached(path, reasons.get(path)) for path in listing.notebooks]
    return sorted([*rows, *listing.others], key=lambda row: row.path)


def _not_reached(path: str, reason: str | None) -> Row:
    late = f" ({reason})" if reason else ""
    return Row(
        path=path, outcome=failed(f"not reached before the renewal ended{late}; it is whole, as it was or renewed")
    )


def _notebooks(number: int) -> str:
    return "1 notebook" if number == 1 else f"{number} notebooks"
