"""Drift in the ledger: what was proven last, and what somebody changed since, each with an audit trail of its own."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rekey.ledger.items import lease_key, marshal, unmarshal
from rekey.ledger.transaction import Writes, together, transact
from rekey.model.actions import DriftAction
from rekey.model.drift import Drift, Proof, What
from rekey.model.entries import Item, entry_hash, entry_of, key_item_key
from rekey.model.key import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

DRIFTS, PROVEN = "DRIFT", "PROVEN"
"""Where open drifts and proofs are in the index "due"."""

_ROUND: Item = {"pk": "ESTATE", "sk": "DRIFT"}


def proof_item(proof: Proof) -> Item:
    kind = "KEY" if proof.subject.startswith("arn:") else "WORKSPACE"
    place = {"pk": f"{kind}#{proof.subject}", "sk": PROVEN, "due_pk": PROVEN, "due_at": proof.at}
    return {**place, **proof.model_dump(mode="json")}


class DriftTable:
    """Access to proofs and drifts. AWS' errors pass through; whoever is too late is told so by False."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def open(self) -> list[Drift]:
        """All that is not over. The index may lag: changes are conditional."""
        return [_drift(each) for each in self._listed(DRIFTS)]

    def find(self, subject: str, what: What) -> Drift | None:
        found = self._get(_drift_key(subject, what))
        return _drift(found) if found else None

    def trail(self, subject: str, what: What) -> list[Item]:
        """The audit entries of a drift in order; each carries the hash of the one before."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :audit)",
            ExpressionAttributeValues=marshal({":pk": _drift_key(subject, what)["pk"], ":audit": "AUDIT#"}),
            ConsistentRead=True,
        )
        return [entry_of(unmarshal(item)) for page in pages for item in page["Items"]]

    def proofs(self) -> dict[str, Proof]:
        """By subject. The index may lag: load each before it is relied on."""
        return {each["subject"]: _proof(each) for each in self._listed(PROVEN)}

    def proof(self, subject: str) -> Proof | None:
        found = self._get(proof_item(Proof(subject=subject, of="", at="")))
        return _proof(found) if found else None

    def prove(self, before: Proof | None, after: Proof, held: Writes | None = None) -> bool:
        """Write a proof down, unless somebody wrote another since `before` was read, or `held` does not hold."""
        put: Item = {"TableName": self._table, "Item": marshal(proof_item(after))}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "#of = :of AND #at = :at"
            put["ExpressionAttributeNames"] = {"#of": "of", "#at": "at"}
            put["ExpressionAttributeValues"] = marshal({":of": before.of, ":at": before.at})
        return not transact(self._client, together({"proof": {"Put": put}}, held or {}))

    def write(self, before: Drift | None, after: Drift, action: DriftAction, held: Writes | None = None) -> bool:
        """Write a drift's change and its audit entry, both or neither; False where somebody else was quicker, or `held`
        does not hold any more."""
        return not transact(self._client, together(self.writes(before, after, action), held or {}))

    def writes(self, before: Drift | None, after: Drift, action: DriftAction) -> Writes:
        """The same as part of another transaction."""
        entry = {
            "subject": after.subject,
            "seq": after.version + 1,
            "at": after.closed_at if action == DriftAction.CLOSED else after.since,
            "action": action,
            "detail": after.model_dump(mode="json", exclude={"version", "audit_head"}),
            "prev": after.audit_head,
        }
        entry["hash"] = entry_hash(entry)
        changed = after.model_copy(update={"version": after.version + 1, "audit_head": entry["hash"]})
        key = _drift_key(after.subject, after.what)
        index = {"due_pk": DRIFTS, "due_at": changed.since} if changed.is_open else {}
        put: Item = {"TableName": self._table, "Item": marshal({**key, **changed.model_dump(mode="json"), **index})}
        if before is None:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :version"
            put["ExpressionAttributeValues"] = marshal({":version": before.version})
        item = {"pk": key["pk"], "sk": f"AUDIT#{entry['seq']:06d}", **entry}
        new = {"TableName": self._table, "Item": marshal(item), "ConditionExpression": "attribute_not_exists(pk)"}
        return {"drift": {"Put": put}, "entry of the drift": {"Put": new}}

    def nobody_at_work(self, *subjects: str) -> Writes:
        """That no rotation holds the lease of a workspace, by its id or by its name."""
        check = "attribute_not_exists(pk)"
        return {f"lease {each}": {"ConditionCheck": self._check(lease_key(each), check, None)} for each in subjects}

    def key_unchanged(self, key: Key) -> Writes:
        """That nothing was written of a key since it was read."""
        values = {":version": key.version}
        return {"key": {"ConditionCheck": self._check(key_item_key(key.key_arn), "version = :version", values)}}

    def round(self) -> Item | None:
        """What the last run left: {"known_at", "next"}; None before the first."""
        return self._get(_ROUND)

    def keep_round(self, known_at: str, begin_at: str) -> None:
        """Remember since when the estate is known, and with which subject the next run begins; empty: the first."""
        self._client.put_item(
            TableName=self._table, Item=marshal({**_ROUND, "known_at": known_at, "begin_at": begin_at})
        )

    def _check(self, key: Item, condition: str, values: Item | None) -> Item:
        check: Item = {"TableName": self._table, "Key": marshal(key), "ConditionExpression": condition}
        return {**check, "ExpressionAttributeValues": marshal(values)} if values else check

    def _get(self, item: Item) -> Item | None:
        key = marshal({"pk": item["pk"], "sk": item["sk"]})
        answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return unmarshal(answer["Item"]) if "Item" in answer else None

    def _listed(self, queue: str) -> list[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_pk = :queue",
            ExpressionAttributeValues=marshal({":queue": queue}),
        )
        return [unmarshal(item) for page in pages for item in page["Items"]]


def _drift_key(subject: str, what: What) -> Item:
    return {"pk": f"DRIFT#{what}#{subject}", "sk": "DRIFT"}


def _drift(item: Mapping[str, Any]) -> Drift:
    return Drift.model_validate_json(json.dumps(item, default=int))


def _proof(item: Mapping[str, Any]) -> Proof:
    return Proof.model_validate_json(json.dumps(item, default=int))
