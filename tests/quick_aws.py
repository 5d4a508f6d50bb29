"""DynamoDB, S3, Secrets Manager, SSM, EventBridge and SQS of one process, quick enough for thousands of rotations.

Each answers what botocore would hand its caller, error codes and all; what nobody here calls is an AttributeError. KMS
and tags stay moto's. tests/unit/test_ledger.py runs the ledger's own tests on it and on moto.
"""

import hashlib
import io
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from infra.ledger_schema import INDEXES, KEYS
from tests.ledger_expressions import Item, holds, updated

Answer = dict[str, Any]


class Refused(Exception):
    """What the service refuses: the caller makes its client's exception of it."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(code)
        self.response: Any = {"Error": {"Code": code, "Message": message}, **more}


@dataclass
class QuickAws:
    """The services, and what they hold."""

    secret: str
    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    """The evidence bucket's, by key."""
    versions: list[tuple[str, bytes]] = field(default_factory=list)
    """Every object that was ever put."""
    streamed: list[Item] = field(default_factory=list)
    """New items of the table, in order."""
    published: list[Answer] = field(default_factory=list)
    """Entries that the bus took."""
    set_aside: list[Answer] = field(default_factory=list)
    put_off: dict[str, int] = field(default_factory=dict)
    """Seconds for which a message of a queue is not seen, by its receipt handle."""
    ticket_secret: str = "{}"
    parameter: str = "{}"
    """The tickets' settings."""

    def reset(self) -> None:
        for each in (self.items, self.objects, self.versions, self.streamed, self.published, self.set_aside):
            each.clear()
        self.put_off.clear()

    def answer(self, service: str, operation: str, given: Answer) -> Answer | None:
        """None where it is not for here. Raises Refused."""
        doing = getattr(self, f"_{service}_{operation}", None)
        if doing is None:
            assert service not in ("dynamodb", "s3"), f"{service} {operation} is not known here"
            return None
        answer: Answer = doing(**given)
        if service == "s3" and "Body" in answer:
            answer["Body"] = io.BytesIO(answer["Body"])
        return {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}, **answer}

    # --- DynamoDB ---

    def _dynamodb_GetItem(self, *, Key: Item, **_: Any) -> Answer:  # noqa: N802, N803, AWS' own names
        found = self.items.get(_key(Key))
        return {"Item": _copied(found)} if found else {}

    def _dynamodb_PutItem(self, **write: Any) -> Answer:  # noqa: N802
        self._check(write)
        self._put(write)
        return {}

    def _dynamodb_UpdateItem(self, **write: Any) -> Answer:  # noqa: N802
        self._check(write)
        self._update(write)
        return {}

    def _dynamodb_DeleteItem(self, **write: Any) -> Answer:  # noqa: N802
        self._check(write)
        self.items.pop(_key(write["Key"]), None)
        return {}

    def _dynamodb_TransactWriteItems(self, *, TransactItems: list[Item], **_: Any) -> Answer:  # noqa: N802, N803
        writes = [next(iter(each.items())) for each in TransactItems]
        keys = [_key(write.get("Key") or write["Item"]) for _, write in writes]
        if len(set(keys)) < len(keys):
            raise Refused("ValidationException", "Transaction request cannot include multiple operations on one item")
        fine = [self._holds(write) for _, write in writes]
        if not all(fine):
            reasons = [{"Code": "None" if each else "ConditionalCheckFailed"} for each in fine]
            raise Refused("TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons)
        for kind, write in writes:
            if kind == "Put":
                self._put(write)
            elif kind == "Update":
                self._update(write)
            elif kind == "Delete":
                self.items.pop(_key(write["Key"]), None)
        return {}

    def _dynamodb_Query(self, *, KeyConditionExpression: str, IndexName: str = "", **given: Any) -> Answer:  # noqa: N802, N803
        hash_name, range_name = INDEXES[IndexName] if IndexName else KEYS
        names, values = given.get("ExpressionAttributeNames", {}), given["ExpressionAttributeValues"]
        # The whole condition is dear, and of thousands of items few are of that one hash.
        match = re.search(rf"\b{hash_name} = (:\w+)", KeyConditionExpression)
        hashed = values[match[1]] if match else None
        found = [
            each
            for each in self.items.values()
            if (hashed is None or each.get(hash_name) == hashed)
            and {hash_name, range_name} <= each.keys()
            and holds(KeyConditionExpression, each, names, values)
        ]
        found = [each for each in found if holds(given.get("FilterExpression"), each, names, values)]
        found.sort(key=lambda each: str(each[range_name]["S"]), reverse=given.get("ScanIndexForward") is False)
        return {"Items": _copied(found[: given.get("Limit")]), "Count": len(found)}

    def _dynamodb_Scan(self, **_: Any) -> Answer:  # noqa: N802
        return {"Items": _copied(list(self.items.values()))}

    def _check(self, write: Item) -> None:
        if not self._holds(write):
            old = self.items.get(_key(write.get("Key") or write["Item"]))
            asked = old and write.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            more = {"Item": _copied(old)} if asked else {}
            raise Refused("ConditionalCheckFailedException", "The conditional request failed", **more)

    def _holds(self, write: Item) -> bool:
        item = self.items.get(_key(write.get("Key") or write["Item"]), {})
        names, values = write.get("ExpressionAttributeNames", {}), write.get("ExpressionAttributeValues", {})
        return holds(write.get("ConditionExpression"), item, names, values)

    def _put(self, write: Item) -> None:
        item = _copied(write["Item"])
        if _key(item) not in self.items:
            self.streamed.append(item)
        self.items[_key(item)] = item

    def _update(self, write: Item) -> None:
        item = self.items.get(_key(write["Key"]), dict(write["Key"]))
        names, values = write.get("ExpressionAttributeNames", {}), _copied(write.get("ExpressionAttributeValues", {}))
        self.items[_key(write["Key"])] = updated(write["UpdateExpression"], item, names, values)

    # --- the others ---

    def _s3_ListObjectVersions(self, **_: Any) -> Answer:  # noqa: N802
        return {"Versions": [{"Key": key, "VersionId": str(at)} for at, (key, _) in enumerate(self.versions)]}

    def _s3_GetObject(self, *, Key: str, VersionId: str = "", **_: Any) -> Answer:  # noqa: N802, N803
        if VersionId:
            return {"Body": self.versions[int(VersionId)][1]}
        if Key not in self.objects:
            raise Refused("NoSuchKey", "The specified key does not exist.")
        return {"Body": self.objects[Key]}

    def _s3_PutObject(self, *, Key: str, Body: Any, IfNoneMatch: str = "", **_: Any) -> Answer:  # noqa: N802, N803
        if IfNoneMatch and Key in self.objects:
            raise Refused("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        body = Body if isinstance(Body, bytes) else bytes(Body.read())
        self.objects[Key] = body
        self.versions.append((Key, body))
        return {"ETag": hashlib.md5(body).hexdigest()}  # noqa: S324

    def _s3_DeleteObject(self, *, Key: str, **_: Any) -> Answer:  # noqa: N802, N803
        self.objects.pop(Key, None)
        return {}

    def _secretsmanager_GetSecretValue(self, *, SecretId: str, **_: Any) -> Answer:  # noqa: N802, N803
        return {"SecretString": self.ticket_secret if SecretId == "tickets" else self.secret}

    def _ssm_GetParameter(self, *, Name: str, **_: Any) -> Answer:  # noqa: N802, N803
        return {"Parameter": {"Name": Name, "Type": "String", "Value": self.parameter}}

    def _events_PutEvents(self, *, Entries: list[Answer]) -> Answer:  # noqa: N802, N803
        self.published += Entries
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "0"} for _ in Entries]}

    def _sqs_SendMessage(self, **message: Any) -> Answer:  # noqa: N802
        self.set_aside.append(message)
        return {"MessageId": "0"}

    def _sqs_ChangeMessageVisibility(  # noqa: N802
        self,
        *,
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
        **_: Any,
    ) -> Answer:
        self.put_off[ReceiptHandle] = VisibilityTimeout
        return {}


def play(patch: pytest.MonkeyPatch) -> QuickAws:
    """DynamoDB and S3, for as long as the patch lasts, but for clients with an address of their own."""
    quick = QuickAws(secret="")
    base: Any = BaseClient
    real = base._make_api_call

    def called(client: Any, operation: str, given: Answer) -> Any:
        service = client.meta.service_model.service_name
        if service not in ("dynamodb", "s3") or "amazonaws.com" not in client.meta.endpoint_url:
            return real(client, operation, given)
        try:
            return quick.answer(service, operation, given)
        except Refused as refused:
            raise raised(client, operation, refused) from None

    patch.setattr(base, "_make_api_call", called)
    return quick


def raised(client: Any, operation: str, refused: Refused) -> ClientError:
    """As the client would raise it."""
    kind: Any = client.exceptions.from_code(refused.response["Error"]["Code"])
    error: ClientError = kind(refused.response, operation)
    return error


def _copied(value: Any) -> Any:
    """What came out of JSON's kinds, and nothing that is shared with it: copy.deepcopy is ten times as dear."""
    if type(value) is dict:
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if type(value) is list else value


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
