"""Whether a given key's policy shuts Databricks out in spite of the statements that let it in: a Deny always wins.

Databricks calls from its own AWS account, with its customer's account id as principal tag; EC2 calls with the
workspace's cross-account role. What is known of those calls is here; the rest is unknown, and said to be.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rekey.aws.kms_key import KeyFacts
from rekey.aws.policy_document import Document, Statement, label, statements
from rekey.aws.policy_evaluation import ABSENT, UNKNOWN, Begins, Caller, Hit, Known, Other, Value, hits
from rekey.base.arns import KeyArn, account_of

_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "kms:ReEncrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    "kms:GenerateDataKey*": ("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
}
"""What Databricks' statements mean by a wildcard; it makes no data key pairs."""

_GRANT = "kms:grantisforawsresource"

_ONLY_OF_SERVICES = ("aws:principalservicename", "aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")
"""IAM user guide, "AWS global condition context keys": there only when an AWS service calls for itself."""

_ONLY_OF_OTHER_ACTIONS = ("kms:bypasspolicylockoutsafetycheck", "kms:trailingdayswithoutkeyusage")
"""AWS KMS, "Condition keys for AWS KMS": there only when a policy is put, or a key taken away."""


@dataclass(frozen=True, slots=True)
class Denial:
    """One statement that denies, or may deny, one caller some actions that it needs."""

    statement: str
    caller: str
    account: str
    actions: tuple[str, ...]
    unknown: tuple[str, ...]
    """On what it hangs; nothing where it surely denies."""


def denials(key: KeyFacts, wanted: Sequence[Statement]) -> list[Denial]:
    """Every statement that denies, or may deny, a caller what a wanted statement lets it do."""
    document: Document = json.loads(key.policy or "{}")
    denying = [
        (label(each, position), each)
        for position, each in enumerate(statements(document))
        if each.get("Effect") == "Deny"
    ]
    found: dict[Denial, list[str]] = {}
    for name, caller, action in _calls(key, document, wanted):
        for statement, each in denying:
            hit = hits(each, caller, action, key.arn)
            if hit.answer is not False:
                found.setdefault(_denial(statement, name, caller, hit), []).append(action)
    return [
        Denial(each.statement, each.caller, each.account, tuple(dict.fromkeys(actions)), each.unknown)
        for each, actions in found.items()
    ]


def _denial(statement: str, name: str, caller: Caller, hit: Hit) -> Denial:
    return Denial(statement, name, caller.account, (), hit.unknown)


def _calls(key: KeyFacts, document: Document, wanted: Sequence[Statement]) -> Iterator[tuple[str, Caller, str]]:
    """(who, as the evaluator knows him, action) of every call that a wanted statement is for."""
    for statement in wanted:
        if statement["Effect"] != "Allow":
            continue
        principal = statement["Principal"]["AWS"]
        account = account_of(principal)
        is_databricks = principal.endswith(":root")
        name = "Databricks" if is_databricks else f"the cross-account role {principal}"
        keys = {**_known(key, principal), **_organization(key, account, document), **_its_own(statement, key)}
        for action in statement["Action"]:
            # Databricks' and EC2's grants are for AWS resources; other actions have no such key.
            grant = Known("true") if action.endswith(("Grant", "Grants")) else ABSENT
            caller = Caller(account, None if is_databricks else principal, {**keys, _GRANT: grant})
            yield from ((name, caller, each) for each in _ACTIONS.get(action, (action,)))


def _known(key: KeyFacts, principal: str) -> dict[str, Value]:
    parts, account = KeyArn.of(key.arn), account_of(principal)
    arn = Begins(principal.removesuffix("root")) if principal.endswith(":root") else Known(principal)
    return {
        "aws:principalarn": arn,
        "aws:principalaccount": Known(account),
        "kms:calleraccount": Known(account),
        "aws:principalisawsservice": Known("false"),
        "aws:securetransport": Known("true"),
        "aws:requestedregion": Known(parts.region),
        "aws:resourceaccount": Known(parts.account),
        **dict.fromkeys((*_ONLY_OF_SERVICES, *_ONLY_OF_OTHER_ACTIONS), ABSENT),
    }


def _organization(key: KeyFacts, account: str, document: Document) -> dict[str, Value]:
    """The one organization that a policy names is its owner's: there is no sense in naming only a stranger's."""
    named = {
        value
        for statement in statements(document)
        for keys in statement.get("Condition", {}).values()
        for name, values in keys.items()
        if name.lower() == "aws:principalorgid"
        for value in (values if isinstance(values, list) else [values])
    }
    if len(named) != 1 or "*" in (own := str(*named)):
        return {"aws:principalorgid": UNKNOWN}
    if account == KeyArn.of(key.arn).account:
        return {"aws:principalorgid": Known(own), "aws:principalorgpaths": Begins(f"{own}/")}
    return {"aws:principalorgid": Other(own), "aws:principalorgpaths": Other(own)}


def _its_own(statement: Statement, key: KeyFacts) -> dict[str, Value]:
    """The conditions under which a call is let in are met by it."""
    met: dict[str, Value] = {}
    for keys in statement.get("Condition", {}).values():
        for name, values in keys.items():
            [value] = values if isinstance(values, list) else [values]
            met[name.lower()] = Known(value.replace("*", KeyArn.of(key.arn).region))
    return met
