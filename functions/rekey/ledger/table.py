"""Access to the ledger's table."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from rekey.base import clock
from rekey.base.errors import AwsUnavailable, LeaseLost, RekeyError, RequestIdReused, RotationInProgress
from rekey.ledger.drifts import DriftTable, proof_item
from rekey.ledger.fleets import FleetTable
from rekey.ledger.items import (
    OPEN,
    append_entry,
    entry_key,
    last_key,
    lease_key,
    marshal,
    refusal_key,
    request_key,
    rotation_item,
    rotation_of,
    rotation_update,
    unmarshal,
)
from rekey.ledger.keys import KeyChange, KeyTable
from rekey.ledger.leases import Leases
from rekey.ledger.tokens import TokenTable
from rekey.ledger.transaction import Writes, together, transact
from rekey.model.actions import ENDED, Action, KeyAction
from rekey.model.drift import proof_after
from rekey.model.entries import Item, entry_of, rotation_key
from rekey.model.finishing import Finishing
from rekey.model.rotation import Rotation, RotationChanges, name_subject
from rekey.model.steps import StepName

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


_LEASE, _NAME, _REQUEST = "lease", "name", "request id"
"""Writes of a transaction whose refusal means something of its own."""

_MOVED_ON = "The ledger has moved on since this step read it: look again."


class Ledger:
    """Access to the table. AWS' errors pass through; what is meant is raised as a class of rekey.errors."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self.keys = KeyTable(client, table)
        self.drifts = DriftTable(client, table)
        self.fleets = FleetTable(client, table)
        self.tokens = TokenTable(client, table)
        self._leases = Leases(table)

    # --- opening and closing a rotation ---

    def open(
        self,
        rotation: Rotation,
        detail: Mapping[str, Any],
        *,
        replaces: str | None = None,
        keys: Sequence[KeyChange] = (),
    ) -> Rotation:
        """Take the workspace's lease, write the rotation down and mark the keys that it needs; all or nothing.

        `replaces` is the failed rotation whose request_id this one uses again; `keys` are (before, after).
        Raises RotationInProgress or RequestIdReused.
        """
        opened, entry = append_entry(rotation, StepName.PLAN, Action.PLANNED, detail)
        refused = transact(self._client, self._opening(opened, entry, replaces, keys))
        if refused & {_LEASE, _NAME} and (left := self._left_behind(rotation, refused)):
            refused = transact(self._client, self._opening(opened, entry, replaces, keys, left))
        if "rotation" in refused:
            return self._opened_before(rotation)
        if refused & {_LEASE, _NAME}:
            raise RotationInProgress(self._in_progress(rotation, refused))
        if _REQUEST in refused:
            raise RequestIdReused("request_id: another request used it a moment ago. Fix: give a new one.")
        if refused:
            raise AwsUnavailable("The ledger has moved on since the plan was made: look again.")
        return opened

    def end(
        self,
        rotation: Rotation,
        step: StepName,
        action: Action,
        detail: Mapping[str, Any],
        *,
        keys: Sequence[KeyChange] = (),
        holds_lease: bool = True,
        **changes: Unpack[RotationChanges],
    ) -> Rotation:
        """Write the end of a rotation and what becomes of its keys (before, after). Its lease is still its own.

        Without `holds_lease` it is the end of one whose workspace is another rotation's by now.
        """
        held = {_LEASE: self._leases.held(rotation)} if holds_lease else {}
        writes = together(held, self.keys.writes(keys, ENDED[action]))
        return self._change(rotation, step, action, detail, writes, changes)

    def close(self, rotation: Rotation) -> Rotation:
        """Give the lease of a rotation that has ended back. Another's lease stays: then there was none to give back."""
        closed = rotation.model_copy(update={"closed_at": clock.stamp()})
        update = {"Update": {"TableName": self._table, **rotation_update(rotation, closed, {"closed_at"})}}
        writes: Writes = {"rotation": update, **self._remember(closed)}
        refused = transact(self._client, {_LEASE: self._leases.release(rotation), **writes})
        if refused == {_LEASE}:
            refused = transact(self._client, writes)
        if refused:
            raise AwsUnavailable(_MOVED_ON)
        return closed

    def take_up(self, rotation: Rotation, finishing: Finishing, detail: Mapping[str, Any]) -> Rotation:
        """Make a rotation whose execution has ended the finisher's, by a new fence; anew in each round.

        Whoever else still works for it writes nothing more. `detail` goes into the trail the first time.
        Raises LeaseLost when another rotation holds its workspace, AwsUnavailable when somebody else was quicker.
        """
        fence = max(rotation.fence + 1, time.time_ns() // 1_000_000)
        changes: dict[str, Any] = {"fence": fence, "finishing": finishing}
        taken = rotation.model_copy(update=changes)
        lease = {_LEASE: self._leases.take_up(rotation, taken)}
        writes: dict[str, Item] = {}
        if rotation.finishing is None and not rotation.ended:
            taken, entry = append_entry(taken, StepName.FINISH, Action.TAKEN_UP, detail)
            writes["entry"] = self._put(entry, "attribute_not_exists(pk)")
        written = {*changes, "audit_seq", "audit_head"}
        writes["rotation"] = {"Update": {"TableName": self._table, **rotation_update(rotation, taken, written)}}
        refused = transact(self._client, together(lease, writes))
        if refused == {_LEASE} and rotation.ended:
            # Only its evidence is left to write: that takes no lease, and the workspace is another's by now.
            refused = transact(self._client, writes)
        if "rotation" in refused:
            raise AwsUnavailable(_MOVED_ON)
        if refused:
            raise LeaseLost(_lease_lost(rotation))
        return taken

    def holder(self, subject: str) -> str | None:
        """Id of the rotation that has a workspace's lease, if one has."""
        lease = self._get(lease_key(subject))
        return str(lease["rotation_id"]) if lease else None

    # --- a rotation's life ---

    def find(self, rotation_id: str) -> Rotation | None:
        item = self._get(rotation_key(rotation_id))
        return rotation_of(item) if item else None

    def to_finish(self, now: datetime) -> Iterator[str]:
        """Ids of the rotations that are not closed and whose time to be looked at has come, the longest overdue first.

        The index may lag: load each before it is judged.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_pk = :queue AND due_at <= :now",
            ExpressionAttributeValues=marshal({":queue": OPEN, ":now": clock.text(now)}),
            ProjectionExpression="rotation_id",
        )
        return (str(unmarshal(item)["rotation_id"]) for page in pages for item in page["Items"])

    def load(self, rotation_id: str) -> Rotation:
        rotation = self.find(rotation_id)
        if rotation is None:
            raise RekeyError(
                f"The ledger knows no rotation {rotation_id}: start one with the state machine's first state."
            )
        return rotation

    def record(
        self,
        rotation: Rotation,
        step: StepName,
        action: Action,
        detail: Mapping[str, Any],
        *,
        more: Writes | None = None,
        **changes: Unpack[RotationChanges],
    ) -> Rotation:
        """Write down a side effect: the rotation's change, its audit entry, `more` and the lease's check as one.

        Raises LeaseLost when the workspace is no longer this rotation's.
        """
        held = {_LEASE: self._leases.held(rotation)}
        return self._change(rotation, step, action, detail, together(held, more or {}), changes)

    def note(self, rotation: Rotation, **changes: Unpack[RotationChanges]) -> Rotation:
        """Remember something that is no side effect yet, without an audit entry."""
        noted = rotation.model_copy(update=changes)
        try:
            self._client.update_item(TableName=self._table, **rotation_update(rotation, noted, changes))
        except self._client.exceptions.ConditionalCheckFailedException as error:
            if wished := self._with_a_wish(rotation):
                return self.note(wished, **changes)
            raise AwsUnavailable(_MOVED_ON) from error
        return noted

    def seal(self, rotation: Rotation, step: StepName, detail: Mapping[str, Any]) -> Item:
        """The entry that seals an ended rotation's evidence. Nothing is written before keep_seal."""
        return entry_of(append_entry(rotation, step, Action.SEALED, detail)[1])

    def keep_seal(self, rotation: Rotation, seal: Mapping[str, Any], evidence_sha256: str) -> Rotation:
        """Write the seal, an entry as `seal` gives it, and the hash of the file that has it, as one."""
        changes = {"audit_seq": seal["seq"], "audit_head": seal["hash"], "evidence_sha256": evidence_sha256}
        sealed = rotation.model_copy(update=changes)
        update = {"Update": {"TableName": self._table, **rotation_update(rotation, sealed, changes)}}
        entry = self._put({**entry_key(rotation.rotation_id, seal["seq"]), **seal}, "attribute_not_exists(pk)")
        if transact(self._client, {"rotation": update, "entry": entry}):
            raise AwsUnavailable(_MOVED_ON)
        return sealed

    def check_lease(self, rotation: Rotation) -> None:
        """Raises LeaseLost unless the workspace is still this rotation's."""
        lease = self._get(lease_key(rotation.subject))
        if not lease or lease["rotation_id"] != rotation.rotation_id or int(lease["fence"]) != rotation.fence:
            raise LeaseLost(_lease_lost(rotation))

    def trail(self, rotation_id: str) -> list[Item]:
        """The audit entries of a rotation in order; each carries the hash of the one before."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :audit)",
            ExpressionAttributeValues=marshal({":pk": rotation_key(rotation_id)["pk"], ":audit": "AUDIT#"}),
            ConsistentRead=True,
        )
        return [entry_of(unmarshal(item)) for page in pages for item in page["Items"]]

    def last_of(self, workspace_id: int) -> str | None:
        """The workspace's last rotation that succeeded; None where none did since rekey remembers it."""
        found = self._get(last_key(workspace_id))
        return str(found["rotation_id"]) if found else None

    def find_request(self, request_id: str) -> Item | None:
        """{"digest", "rotation_id"} of a request id that was used."""
        return self._get(request_key(request_id))

    def refuse(self, refusal: Mapping[str, Any]) -> None:
        """Write down a request that was not started, once."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=marshal({**refusal_key(refusal["rotation_id"]), **refusal}),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def find_refusal(self, rotation_id: str) -> Item | None:
        """{"error", "message", ...} of a request that was not started."""
        found = self._get(refusal_key(rotation_id))
        return dict(found["detail"]) if found else None

    # --- inside ---

    def _change(
        self,
        rotation: Rotation,
        step: StepName,
        action: Action,
        detail: Mapping[str, Any],
        writes: Writes,
        changes: RotationChanges,
    ) -> Rotation:
        changed, entry = append_entry(rotation.model_copy(update=changes), step, action, detail)
        # Apart from `changes`: a second try must not put this try's head over the one that a wish has moved.
        written = {*changes, "audit_seq", "audit_head"}
        update = {"Update": {"TableName": self._table, **rotation_update(rotation, changed, written)}}
        own = {"rotation": update, "entry": self._put(entry, "attribute_not_exists(pk)")}
        refused = transact(self._client, together(writes, own))
        if _LEASE in refused:
            raise LeaseLost(_lease_lost(rotation))
        if refused:
            if wished := self._with_a_wish(rotation):
                return self._change(wished, step, action, detail, writes, changes)
            # An earlier try of this step got further than its caller knows: the next try reads where it is.
            raise AwsUnavailable(_MOVED_ON)
        return changed

    def _with_a_wish(self, rotation: Rotation) -> Rotation | None:
        """The rotation as it is now, if a person's wish to cancel is all that was written since it was read.

        Then nothing has changed that the step relied on, and what it did must be written all the same:
        an answer of Databricks that got lost would stay unknown. A wish is written once, so this happens once.
        """
        newest = self.find(rotation.rotation_id)
        if newest is None or newest.cancel is None or rotation.cancel is not None:
            return None
        wish = {"cancel": newest.cancel, "audit_seq": newest.audit_seq, "audit_head": newest.audit_head}
        wished = rotation.model_copy(update=wish)
        return wished if wished == newest else None

    def _opening(
        self,
        opened: Rotation,
        entry: Item,
        replaces: str | None,
        keys: Sequence[KeyChange],
        left_behind: Item | None = None,
    ) -> Writes:
        name = name_subject(opened.plan.workspace_name)
        return together(
            {
                _LEASE: self._leases.take(opened, left_behind),
                "rotation": self._put(rotation_item(opened), "attribute_not_exists(pk)"),
                "entry": self._put(entry, "attribute_not_exists(pk)"),
            },
            self._use_request_id(opened, replaces),
            # A workspace that is only now being made is held by its name.
            {} if opened.creates else {_NAME: self._leases.free(name, left_behind)},
            self.keys.writes(keys, KeyAction.ROTATION_OPENED),
        )

    def _opened_before(self, rotation: Rotation) -> Rotation:
        """The rotation that the same execution has opened a moment ago: its first step was called twice."""
        opened = self.load(rotation.rotation_id)
        if opened.execution_arn == rotation.execution_arn and not opened.ended:
            return opened
        raise AwsUnavailable("The rotation is already in the ledger: look again.")

    def _left_behind(self, rotation: Rotation, refused: Collection[str]) -> Item | None:
        """The lease in the way, where its rotation has ended."""
        lease = self._get(lease_key(_in_the_way(rotation, refused)))
        holder = self.find(str(lease["rotation_id"])) if lease else None
        return lease if lease and (holder is None or holder.ended) else None

    def _in_progress(self, rotation: Rotation, refused: Collection[str]) -> str:
        lease = self._get(lease_key(_in_the_way(rotation, refused)))
        holder = self.find(str(lease["rotation_id"])) if lease else None
        field = "workspace" if rotation.creates else "workspace_id"
        if holder is None:
            return f"{field}: a rotation that just ended was at work on this workspace. Fix: ask again."
        return f"{field}: {in_progress(holder)}"

    def _use_request_id(self, rotation: Rotation, replaces: str | None) -> Writes:
        request = rotation.request
        if not request.request_id:
            return {}
        used = {**request_key(request.request_id), "digest": request.digest(), "rotation_id": rotation.rotation_id}
        return {_REQUEST: self._put(used, "attribute_not_exists(pk) OR rotation_id = :old", {":old": replaces or "-"})}

    def _remember(self, rotation: Rotation) -> Writes:
        """What a closed rotation leaves behind: what is proven of its workspace, and its place as the last one."""
        if rotation.plan.access:
            return {}
        items = {}
        if rotation.closed_at and (proof := proof_after(rotation, rotation.closed_at)):
            items["proof"] = proof_item(proof)
        if rotation.status == "succeeded" and rotation.workspace_id is not None:
            items["last"] = {**last_key(rotation.workspace_id), "rotation_id": rotation.rotation_id}
        return {name: {"Put": {"TableName": self._table, "Item": marshal(item)}} for name, item in items.items()}

    def _get(self, key: Item) -> Item | None:
        answer = self._client.get_item(TableName=self._table, Key=marshal(key), ConsistentRead=True)
        return unmarshal(answer["Item"]) if "Item" in answer else None

    def _put(self, item: Item, condition: str, values: Item | None = None) -> Item:
        put: Item = {"TableName": self._table, "Item": marshal(item), "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = marshal(values)
        return {"Put": put}


def in_progress(holder: Rotation, *, runs: bool = True) -> str:
    """That a rotation is not at its end, who works on it, and what to do. `runs`: its execution may still run."""
    named = holder.rotation_id
    if runs and holder.finishing is None:
        return (
            f"the rotation {named} is at work on this workspace. "
            f"Fix: wait until it has ended (`rekey status {named}`), and ask again."
        )
    waits = holder.finishing.said.rstrip(". ") if holder.finishing else ""
    said = f" (waiting for: {waits})" if waits else ""
    return (
        f"the execution of the rotation {named} has ended before it, and the finisher carries it on{said}. "
        f"Fix: wait until that is done, and ask again; `rekey finish {named}` shows what is undone."
    )


def _in_the_way(rotation: Rotation, refused: Collection[str]) -> str:
    """Whose lease refused a rotation."""
    return rotation.subject if _LEASE in refused else name_subject(rotation.plan.workspace_name)


def _lease_lost(rotation: Rotation) -> str:
    return f"The lease on workspace {rotation.subject} is no longer this rotation's; nothing more was changed."
