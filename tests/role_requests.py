"""What IAM is asked for a call of an AWS client. Source: AWS service authorization reference, of each service.

A call that is not known here is an error: nobody knows then whether its role would allow it.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.kms.models import kms_backends

from infra.permissions import On
from tests.roles import ACCOUNT, KEY, PLACES, REGION, STACK, Request

Given = Mapping[str, Any]

OUR_TAGS = ("rekey:managed", "rekey:brought")
"""The tags that conditions are about."""

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:rekey-rotate-key"
BYPASS = "kms:BypassPolicyLockoutSafetyCheck"
_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_TESTS_OWN = re.compile(r"\bt[0-9a-f]{12}\b")
"""State machine and queue of one test of tickets."""
_FLEET_OF_A_TEST = re.compile(r"\bfleet-t[0-9a-f]{12}\b")


def requests_of(service: str, operation: str, given: Given, region: str) -> list[Request]:
    """All that must be allowed, for the call to be."""
    found = _SERVICES[service](operation, given, region)
    return list(found)


def of_states(operation: str, arn: str = MACHINE) -> Request:
    """On an execution, or the state machine."""
    machine = _TESTS_OWN.sub("rekey-rotate-key", _FLEET_OF_A_TEST.sub("rekey-rotate-fleet", arn))
    return Request(f"states:{operation}", f"{machine.rpartition(':')[0]}:r1" if ":execution:" in arn else machine)


def _dynamodb(operation: str, given: Given, _: str) -> Iterator[Request]:
    if operation == "TransactWriteItems":
        for write in given["TransactItems"]:
            [(kind, item)] = write.items()
            yield _on_item(_ITEM_ACTIONS[kind], item)
    elif index := given.get("IndexName"):
        yield Request(f"dynamodb:{operation}", f"{PLACES[On.LEDGER]}/index/{index}")
    else:
        yield _on_item(operation, given)


def _on_item(action: str, given: Given) -> Request:
    key = given.get("Key") or given.get("Item")
    leading = key["pk"]["S"].partition("#") if key else None
    # Of a partition key only its kind matters.
    about = (("dynamodb:LeadingKeys", f"{leading[0]}{leading[1]}{'1' if leading[1] else ''}"),) if leading else ()
    return Request(f"dynamodb:{action}", PLACES[On.LEDGER], about)


def _s3(operation: str, given: Given, _: str) -> Iterator[Request]:
    folder, _, rest = given["Key"].partition("/")
    name = rest.rpartition("/")[2]
    yield Request(f"s3:{operation}", f"arn:aws:s3:::{given['Bucket']}/{folder}/r1/{name}")


def _kms(operation: str, given: Given, region: str) -> Iterator[Request]:
    named = {each["TagKey"]: each["TagValue"] for each in given.get("Tags", ())}
    tags = tuple(_ours(named))
    others = not named.keys() <= set(OUR_TAGS)
    tags += (("other", "x"),) if others else ()
    bypass = ((BYPASS, str(given[BYPASS.partition(":")[2]]).lower()),) if BYPASS.partition(":")[2] in given else ()
    if operation == "CreateKey":
        yield Request("kms:CreateKey", "*", bypass, tags)
        if tags:
            yield Request("kms:TagResource", KEY, (), tags)
        return
    key = given.get("KeyId") or given["TargetKeyId"]
    about = (*bypass, *((f"aws:ResourceTag/{name}", value) for name, value in _tags_of(key, region)))
    if operation == "CreateAlias":
        # Names that the setting's prefix begins are as good as those that the default begins.
        prefix = f"alias/{os.environ.get('KEY_ALIAS_PREFIX') or os.environ.get('REKEY_NAME', STACK)}/"
        name = "alias/rekey/x" if given["AliasName"].startswith(prefix) else given["AliasName"]
        yield Request("kms:CreateAlias", f"arn:aws:kms:{REGION}:{ACCOUNT}:{name}")
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{region}:{ACCOUNT}:key/{key}"
    yield Request(f"kms:{operation}", f"{arn.rpartition('/')[0]}/{KEY.rpartition('/')[2]}", about, tags)


def _tags_of(key: str, region: str) -> Iterator[tuple[str, str]]:
    """Of a key as moto has it: those that conditions are about."""
    found = kms_backends[ACCOUNT][region].keys.get(key.rpartition("/")[2])
    if found is not None:
        yield from _ours(kms_backends[ACCOUNT][region].tagger.get_tag_dict_for_resource(found.id))


def _ours(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The tags that conditions are about, with the stack's name as rights have it."""
    stack = os.environ.get("REKEY_NAME", STACK)
    for name in OUR_TAGS:
        if name in tags:
            value = tags[name]
            yield name, STACK if value == stack else f"not {stack}" if value == STACK else value


def _secret(operation: str, given: Given, _: str) -> Iterator[Request]:
    named = {"databricks": On.SECRET, "tickets": On.TICKETS_SECRET}
    yield Request(f"secretsmanager:{operation}", PLACES[named[given["SecretId"]]])


def _queue(operation: str, given: Given, _: str) -> Iterator[Request]:
    name = _TESTS_OWN.sub("comments", given["QueueUrl"].rpartition("/")[2])
    yield Request(f"sqs:{operation}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")


def _states(operation: str, given: Given, _: str) -> Iterator[Request]:
    yield of_states(operation, given.get("executionArn") or given["stateMachineArn"])


def _bus(operation: str, given: Given, region: str) -> Iterator[Request]:
    if operation == "DescribeRule":
        yield Request("events:DescribeRule", f"arn:aws:events:{region}:{ACCOUNT}:rule/{given['Name']}")
    for entry in given.get("Entries", ()):
        yield Request(f"events:{operation}", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{entry['EventBusName']}")


def _security_hub(operation: str, given: Given, _: str) -> Iterator[Request]:
    for product in sorted({each["ProductArn"] for each in given["Findings"]}):
        yield Request(f"securityhub:{operation}", product)


def _of_name(prefix: str, kind: str, field: str) -> Callable[[str, Given, str], Iterator[Request]]:
    def asked(operation: str, given: Given, _: str) -> Iterator[Request]:
        action = "InvokeFunction" if operation == "Invoke" else operation
        yield Request(f"{prefix}:{action}", f"arn:aws:{prefix}:{REGION}:{ACCOUNT}:{kind}{given[field]}")

    return asked


def _without_resource(prefix: str) -> Callable[[str, Given, str], Iterator[Request]]:
    def asked(operation: str, _: Given, __: str) -> Iterator[Request]:
        yield Request(f"{prefix}:{operation}", "*")

    return asked


_SERVICES: Mapping[str, Callable[[str, Given, str], Iterator[Request]]] = {
    "dynamodb": _dynamodb,
    "events": _bus,
    "kms": _kms,
    "lambda": _of_name("lambda", "function:", "FunctionName"),
    "resourcegroupstaggingapi": _without_resource("tag"),
    "s3": _s3,
    "secretsmanager": _secret,
    "securityhub": _security_hub,
    "sqs": _queue,
    "ssm": _of_name("ssm", "parameter", "Name"),
    "stepfunctions": _states,
    # Which roles may be taken on is the settings' decision, not the table's: tests/infra/test_key_accounts.py.
    "sts": lambda *_: iter(()),
}
