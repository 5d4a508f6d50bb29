"""Tell Security Hub of the last inventory: what does not comply, what complies again, what is gone.

What it was told is written down before it is told (inventory/security-hub.json), so that nothing is forgotten there:
who is interrupted tells it again, under the same ids and times, and Security Hub leaves out what it has already.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from botocore.exceptions import ClientError

from rekey.aws import bucket, clients
from rekey.base.arns import account_of, region_of
from rekey.base.errors import AwsError, AwsUnavailable
from rekey.base.observability import logger
from rekey.base.settings import Settings
from rekey.base.words import counted, shortened
from rekey.inventory.findings import Changes, Found, changes, finding
from rekey.model.answers import Answer
from rekey.model.inventory import FOLDER, LATEST, Inventory

STATE = f"{FOLDER}security-hub.json"

AT_MOST = 100
"""Findings of one call (Security Hub API reference, BatchImportFindings)."""

PAUSES = (1.0, 3.0, 9.0)
"""Before a call that was throttled is made again: ten a second are taken from the whole account (same page)."""

_THROTTLED = clients.TRANSIENT | {"LimitExceededException", "InternalException"}

_NOT_ENABLED = ("InvalidAccess", "InvalidAccessException")


class SecurityHub(Protocol):
    """As far as it is called."""

    def batch_import_findings(self, *, Findings: Sequence[dict[str, Any]]) -> Mapping[str, Any]: ...  # noqa: N803


class State(Answer):
    """What Security Hub may have open."""

    told: str = ""
    """When the inventory was taken of which it was told all."""
    open: tuple[Found, ...] = ()


class Reported(Answer):
    """What the Lambda answers: where Security Hub is now."""

    told: str
    """As in State."""
    open: int
    sent: int = 0
    """Findings; none where there is no newer inventory."""
    archived: int = 0
    """Of these."""


def report(settings: Settings) -> Reported:
    """Raises AwsError where Security Hub refuses one, or AwsUnavailable: what it took is written down by then."""
    place = settings.evidence_bucket
    # First written, then read: S3 tells nobody without s3:ListBucket what is missing from what may not be read.
    bucket.write_once(place, STATE, bucket.as_json(State()))
    state = bucket.read_model(place, STATE, State)
    inventory = _last_inventory(place)
    if inventory is None or inventory.taken_at <= state.told:
        return Reported(told=state.told, open=len(state.open))
    changed = changes(settings.keys.managed_by, inventory, state.open)
    over = (*changed.passed, *changed.gone)
    still = (*changed.open, *changed.kept)
    bucket.put(place, STATE, bucket.as_json(State(told=state.told, open=(*still, *over))))
    refused = _tell(settings, inventory, changed)
    told = state.told if refused else inventory.taken_at
    left = tuple(each for each in over if each.finding_id in refused)
    bucket.put(place, STATE, bucket.as_json(State(told=told, open=(*still, *left))))
    if refused:
        said = "; ".join(shortened([f"{name}: {why}" for name, why in refused.items()]))
        raise AwsError(f"Security Hub did not take {counted(len(refused), 'finding')}. {said}")
    return Reported(told=told, open=len(still), sent=len(changed.open) + len(over), archived=len(over))


def _last_inventory(place: str) -> Inventory | None:
    """None before the first; that none is taken has an alarm of its own."""
    try:
        return bucket.read_model(place, LATEST, Inventory)
    except Exception as error:
        if not bucket.is_missing(error):
            raise
        return None


def _tell(settings: Settings, inventory: Inventory, changed: Changes) -> dict[str, str]:
    """Why each finding was refused, by its id."""
    product = settings.security_hub_product_arn
    told = (
        *(finding(each, product, inventory, status="FAILED", archived=False) for each in changed.open),
        *(finding(each, product, inventory, status="PASSED", archived=True) for each in changed.passed),
        *(finding(each, product, inventory, status="NOT_AVAILABLE", archived=True) for each in changed.gone),
    )
    refused: dict[str, str] = {}
    client: SecurityHub = clients.security_hub()
    for batch in _batches(told):
        answer = _imported(client, batch, product)
        refused |= {each["Id"]: _why(each, product) for each in answer.get("FailedFindings") or []}
        unnamed = answer["FailedCount"] - len(answer.get("FailedFindings") or [])
        if unnamed > 0:
            raise AwsUnavailable(f"Security Hub did not take {counted(unnamed, 'finding')}, and does not say which.")
    return refused


def _batches(told: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(told), AT_MOST):
        yield told[start : start + AT_MOST]


def _imported(client: SecurityHub, batch: Sequence[dict[str, Any]], product: str) -> Mapping[str, Any]:
    for pause in (*PAUSES, None):
        try:
            return client.batch_import_findings(Findings=batch)
        except ClientError as error:
            code = clients.error_code(error)
            if code in _NOT_ENABLED:
                raise AwsError(_not_enabled(product)) from error
            if code not in _THROTTLED:
                raise
            if pause is None:
                raise AwsUnavailable(str(error)) from error
            logger.warning(f"Security Hub is asked again: {error}")
        time.sleep(pause)
    raise AssertionError("unreachable")


def _why(failed: Mapping[str, str], product: str) -> str:
    if failed["ErrorCode"] in _NOT_ENABLED:
        return _not_enabled(product)
    return f"{failed['ErrorCode']}, {failed['ErrorMessage']}"


def _not_enabled(product: str) -> str:
    account, region = account_of(product), region_of(product)
    return (
        f"Security Hub is not enabled in the account {account}, region {region}. Fix: enable Security Hub CSPM there, "
        "or set rekey:security_hub to false"
    )
