"""`rekey evidence`: what a rotation left for its auditor, shown, drawn and checked. Nothing is touched."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from cli import stack
from cli.output import FAILED, give, note, say, told
from cli.wording import duration
from local.cloud import DEFAULT_STATE_FILE, CloudError
from rekey.model.chain import Verdict, compare, verify
from rekey.model.entries import Item, entry_of, rotation_key
from rekey.model.evidence import evidence_key
from rekey.pages.evidence import render

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ONLINE = "the ledger has the same entries, and the SHA-256 of this evidence.json"
OFFLINE = "it agrees with itself; without the ledger nothing more is proven"


class EvidenceError(RuntimeError):
    """There is no evidence to be read; the message says why and what to do."""


@dataclass(frozen=True)
class Found:
    """Evidence, its bytes, and what is wrong with it beside the ledger (None where there is no ledger to ask)."""

    document: dict[str, Any]
    body: bytes
    differences: tuple[str, ...] | None


def evidence(
    rotation: Annotated[
        str, typer.Argument(metavar="ROTATION", help="A rotation's id, or a file that ends with .json.")
    ],
    html: Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the page there.")] = None,
    check: Annotated[bool, typer.Option("--verify", help="Check the chain, and compare it with the ledger.")] = False,
    name: stack.Name = "rekey",
    local: stack.Local = False,
    state_file: stack.StateFile = DEFAULT_STATE_FILE,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show a rotation's evidence. The exit status is 1 when there is none, or when --verify finds it wrong."""
    with told(EvidenceError, stack.StackError, CloudError, as_json=as_json):
        if rotation.endswith(".json"):
            found = _of_file(Path(rotation))
        else:
            found = _of_stack(stack.find(name, local=local, state_file=state_file), rotation, check=check)
        if html:
            with _of_its_form():
                html.write_text(render(found.document), encoding="utf-8")
            note(f"wrote {html}")
        if not (check or as_json or html):
            with _of_its_form():
                _tell(found.document)
    if check:
        _tell_verdict(found, as_json=as_json)
    elif as_json:
        give(found.document)


def _of_file(file: Path) -> Found:
    try:
        body = file.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{file} could not be read: {error}") from error
    return Found(_parsed(body, str(file)), body, None)


def _of_stack(found: stack.Stack, rotation_id: str, *, check: bool) -> Found:
    """Read it from the bucket; with `check` also the ledger's entries, and the hash it has of the file."""
    key = evidence_key(rotation_id)
    try:
        s3 = boto3.client("s3", **found.options)
        body = s3.get_object(Bucket=found.evidence_bucket, Key=key)["Body"].read()
        document = _parsed(body, key)
        return Found(document, body, _differences(found, rotation_id, document, body) if check else None)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise EvidenceError(f"the evidence could not be read: {error}") from error
        raise EvidenceError(
            f"the rotation {rotation_id} has no evidence. Fix: give the name of an execution that has ended; "
            "one that was refused, or is still under way, has none"
        ) from error
    except BotoCoreError as error:
        raise EvidenceError(f"the evidence could not be read: {error}") from error


def _differences(found: stack.Stack, rotation_id: str, document: Mapping[str, Any], body: bytes) -> tuple[str, ...]:
    table = boto3.resource("dynamodb", **found.options).Table(found.ledger_table)
    rotation = table.get_item(Key=rotation_key(rotation_id), ConsistentRead=True).get("Item")
    if rotation is None:
        return (f"the ledger knows no rotation {rotation_id}",)
    problems = compare(_entries(document), _trail(table, rotation_id))
    if rotation.get("evidence_sha256") != hashlib.sha256(body).hexdigest():
        problems += ("evidence.json is not the file that was written: the ledger has another SHA-256",)
    return problems


def _trail(table: "Table", rotation_id: str) -> list[Item]:
    """The audit entries of a rotation in order, as the ledger has them."""
    entries = Key("pk").eq(rotation_key(rotation_id)["pk"]) & Key("sk").begins_with("AUDIT#")
    wanted: Any = {"KeyConditionExpression": entries, "ConsistentRead": True}
    found: list[Item] = []
    while True:
        page = table.query(**wanted)
        found += [entry_of(item) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        wanted["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _parsed(body: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError as error:
        raise EvidenceError(f"{where} is no JSON: {error}. Fix: give an evidence.json as rekey wrote it") from error
    if not isinstance(document, dict) or "audit" not in document:
        raise EvidenceError(f"{where} is not the evidence of a rotation. Fix: give an evidence.json as rekey wrote it")
    return document


def _entries(document: Mapping[str, Any]) -> list[Any]:
    audit = document["audit"]
    entries = audit.get("entries") if isinstance(audit, Mapping) else None
    return entries if isinstance(entries, list) else []


@contextlib.contextmanager
def _of_its_form() -> Iterator[None]:
    """Raises EvidenceError for a document that lacks what every evidence has."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise EvidenceError(
            f"the evidence is not of the form that rekey writes: {error!r}. "
            "Fix: give an evidence.json as rekey wrote it"
        ) from error


def _tell_verdict(found: Found, *, as_json: bool) -> None:
    verdict = verify(found.document)
    problems = [*verdict.problems, *(found.differences or ())]
    digest = hashlib.sha256(found.body).hexdigest()
    if as_json:
        ledger = None if found.differences is None else not found.differences
        give({"holds": not problems, "problems": problems, "entries": verdict.entries, "head": verdict.head,
              "sha256": digest, "same_in_ledger": ledger})  # fmt: skip
    elif not problems:
        _tell_good(verdict, digest, ONLINE if found.differences is not None else OFFLINE)
    for problem in problems:
        note(f"rekey: {problem}")
    if problems:
        note("rekey: the evidence does not hold")
        raise typer.Exit(FAILED)


def _tell_good(verdict: Verdict, digest: str, proven: str) -> None:
    say(f"The chain of {verdict.entries} entries holds: {proven}.")
    say(f"head    {verdict.head}")
    say(f"sha256  {digest}")


def _tell(document: Mapping[str, Any]) -> None:
    plan, times, down = document["plan"], document["timeline"], document["downtime_seconds"]
    say(f"{document['rotation_id']}: {plan['operation']} of {document['workspace']['name']}, {document['status']}")
    say(f"  requested by  {document['request'].get('requested_by') or '-'}")
    say(f"  opened        {times['opened']}")
    say(f"  ended         {times['ended']}")
    say(f"  downtime      {'-' if down is None else duration(down)}")
    say(f"  new key       {document['keys']['new_key_arn'] or '-'}")
    old = document["keys"]["old_key"]
    if old:
        say(f"  old key       {old['key_arn']}: {old['fate']}, {old['disabled_at_the_earliest'] or 'no date'}")
    for finding in document["findings"]:
        say(f"  finding       {finding}")
