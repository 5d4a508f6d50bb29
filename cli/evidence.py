"""`rekey evidence`: what a rotation left for its auditor, shown, drawn and checked. Nothing is touched."""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

from cli import stack
from cli.exits import FAILED, NOT_VERIFIED
from cli.options import grouped
from cli.output import give, note, refuse, say, told
from cli.stack import Where
from cli.standing import named_left_open
from cli.wording import duration
from local.cloud import CloudError
from rekey.model.attention import down_now
from rekey.model.chain import compare, verify
from rekey.model.entries import Item, entry_of, rotation_key
from rekey.model.evidence import evidence_key
from rekey.model.fates import fates
from rekey.pages.evidence import render

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ONLINE = "the ledger has the same entries, and the SHA-256 of this evidence.json"
GIVEN = "its last entry seals this document, and the file has the SHA-256 that was given"
OFFLINE = (
    "its last entry seals this document; whether the ledger has the same is checked by a rotation's id, or --sha256"
)
UNSEALED = (
    "not fully verified: it has no seal, so keys, compute, times and findings may have been changed. "
    "Fix: check it by the rotation's id, which asks the ledger, or give the ledger's --sha256"
)


class EvidenceError(RuntimeError):
    """There is no evidence to be read; the message says why and what to do."""


@dataclass(frozen=True)
class Found:
    """Evidence, its bytes, and what is wrong with it beside the ledger (None where there is no ledger to ask)."""

    document: dict[str, Any]
    body: bytes
    differences: tuple[str, ...] | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def _hash(text: str | None) -> str | None:
    """Raises BadParameter for what is no SHA-256."""
    if text is not None and not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise refuse("give 64 hexadecimal digits, as --verify prints them")
    return text.lower() if text else None


@grouped
def evidence(
    where: Where,
    rotation: Annotated[
        str, typer.Argument(metavar="ROTATION", help="A rotation's id, or a file that ends with .json.")
    ],
    html: Annotated[Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Write the page there.")] = None,
    check: Annotated[
        bool, typer.Option("--verify", help="Check chain, seal and fields; by a rotation's id the ledger too.")
    ] = False,
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", callback=_hash, help="With --verify: the SHA-256 that the file must have."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show, draw or verify a rotation's evidence.

    The exit status is 1 when there is none, or when --verify finds it wrong; 5 when not all could be checked.
    """
    if sha256 and not check:
        raise refuse("--sha256: give it with --verify")
    with told(EvidenceError, stack.StackError, CloudError, as_json=as_json):
        if rotation.endswith(".json"):
            found = _of_file(Path(rotation))
        else:
            found = _of_stack(where.find(), rotation, check=check)
        if html:
            with _of_its_form():
                html.write_text(render(found.document), encoding="utf-8")
            note(f"wrote {html}")
        if not (check or as_json or html):
            with _of_its_form():
                _tell(found.document)
    if check:
        _tell_verdict(found, sha256, as_json=as_json)
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
        s3 = found.session.client("s3", **found.options)
        body = s3.get_object(Bucket=found.evidence_bucket, Key=key)["Body"].read()
        document = _parsed(body, key)
        return Found(document, body, _differences(found, rotation_id, document, body) if check else None)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise EvidenceError(f"the evidence could not be read: {error}") from error
        if left := named_left_open(found, rotation_id):
            raise EvidenceError(f"there is no evidence yet: {left}") from error
        raise EvidenceError(
            f"the rotation {rotation_id} has no evidence. Fix: give the name of an execution that has ended; "
            "one that was refused, or is still under way, has none"
        ) from error
    except BotoCoreError as error:
        raise EvidenceError(f"the evidence could not be read: {error}") from error


def _differences(found: stack.Stack, rotation_id: str, document: Mapping[str, Any], body: bytes) -> tuple[str, ...]:
    table = found.session.resource("dynamodb", **found.options).Table(found.ledger_table)
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


def _tell_verdict(found: Found, sha256: str | None, *, as_json: bool) -> None:
    verdict = verify(found.document)
    problems = [*verdict.problems, *(found.differences or ())]
    if sha256 and sha256 != found.sha256:
        problems.append(f"the file has another SHA-256 than the one that was given: {found.sha256}")
    proven = verdict.sealed or sha256 is not None or found.differences is not None
    if as_json:
        ledger = None if found.differences is None else not found.differences
        give({"holds": not problems, "fully_verified": proven and not problems, "problems": problems,
              "entries": verdict.entries, "head": verdict.head, "sealed": verdict.sealed, "sha256": found.sha256,
              "same_in_ledger": ledger})  # fmt: skip
    elif not problems:
        said = ONLINE if found.differences is not None else GIVEN if sha256 else OFFLINE if proven else UNSEALED
        say(f"The chain of {verdict.entries} entries holds: {said}.")
        say(f"head    {verdict.head}")
        say(f"sha256  {found.sha256}")
    for problem in problems:
        note(f"rekey: {problem}")
    if problems:
        note("rekey: the evidence does not hold")
        raise typer.Exit(FAILED)
    if not proven:
        raise typer.Exit(NOT_VERIFIED)


def _tell(document: Mapping[str, Any]) -> None:
    plan, times = document["plan"], document["timeline"]
    say(f"{document['rotation_id']}: {plan['operation']} of {document['workspace']['name']}, {_outcome(document)}")
    say(f"  requested by  {document['request'].get('requested_by') or '-'}")
    say(f"  approved by   {(document.get('approval') or {}).get('by') or '-'}")
    say(f"  opened        {times['opened']}")
    say(f"  ended         {times['ended']}")
    say(f"  downtime      {_downtime(document)}")
    failure = document["failure"]
    if failure:
        say(f"  failed in     {failure['state']} ({failure['error']})")
        for line in failure["cause"].splitlines():
            say(f"                {line}")
    for each in fates(document):
        say(f"  {each.role:<12}  {each.key_arn}: {each.words}")
    for finding in document["findings"]:
        say(f"  finding       {finding}")


def _outcome(document: Mapping[str, Any]) -> str:
    return str(document.get("outcome", document["status"])).replace("_", " ")


def _downtime(document: Mapping[str, Any]) -> str:
    if down := down_now(document["compute"].get("still_down") or {}):
        return f"not over: {down}"
    seconds = document["downtime_seconds"]
    return "-" if seconds is None else duration(seconds)
