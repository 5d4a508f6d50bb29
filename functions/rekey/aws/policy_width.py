"""Whether a key's policy lets more in than is documented. Plain functions on documents.

The key's own account is its owner's business, and left to IAM. Everybody else is judged: Databricks may do what its
documentation asks for the key's use cases, under those conditions, and nobody else anything. EC2 in Databricks' name
may come with a role of another account, whichever that is: its statement has the documented form.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from rekey.aws.policy_document import Document, Statement, label, statements

_OWN_ACCOUNT_ONLY = ("aws:principalaccount", "kms:calleraccount", "aws:sourceaccount")
"""Conditions with which "*" means the principals of one account (AWS KMS, "Condition keys")."""

_EQUAL = ("stringequals", "stringlike", "stringequalsignorecase")


def wider(document: Document, documented: Sequence[Statement], account: str) -> list[str]:
    """The statements of a policy, as a person finds them, that let somebody outside of the key's account do more."""
    found = []
    for position, statement in enumerate(statements(document)):
        if statement.get("Effect") != "Allow":
            continue
        outside = [each for each in _principals(statement) if _is_outside(each, statement, account)]
        if outside and not all(_is_documented(each, statement, documented) for each in outside):
            found.append(label(statement, position))
    return found


def _principals(statement: Statement) -> list[str]:
    """The AWS principals; of NotPrincipal everybody, for that is whom an Allow with it lets in."""
    if "Principal" not in statement:
        return ["*"]
    principal = statement["Principal"]
    return _listed(principal.get("AWS", []) if isinstance(principal, Mapping) else principal)


def _is_outside(principal: str, statement: Statement, account: str) -> bool:
    if principal == "*":
        return not any(
            operator.lower() in _EQUAL and name.lower() in _OWN_ACCOUNT_ONLY and set(_listed(values)) == {account}
            for operator, name, values in _conditions(statement)
        )
    if principal.startswith(("AIDA", "AROA")):
        return False  # Of a principal that was deleted: nobody.
    return (principal if principal.isdigit() else (principal.split(":") + [""] * 5)[4]) != account


def _is_documented(principal: str, statement: Statement, documented: Sequence[Statement]) -> bool:
    """Whether all that the statement lets the principal do is documented, under the documented conditions at least."""
    if "NotAction" in statement or principal == "*":
        return False
    fitting = [each for each in documented if _is_for(each, principal) and _is_under(each, statement)]
    allowed = [action.lower() for each in fitting for action in _listed(each["Action"])]
    asked = [action.lower() for action in _listed(statement.get("Action", []))]
    return all(any(action == each or fnmatchcase(action, each) for each in allowed) for action in asked)


def _is_for(documented: Statement, principal: str) -> bool:
    """Whether a documented statement is for that principal: Databricks' account, or any role for EC2."""
    named = str(documented["Principal"]["AWS"])
    if named.endswith(":root"):
        return principal in (named, named.split(":")[4])
    return ":role/" in principal


def _is_under(documented: Statement, statement: Statement) -> bool:
    """Whether a statement holds under the documented conditions, or under narrower ones."""
    given = {
        (operator.lower(), name.lower()): set(_listed(values)) for operator, name, values in _conditions(statement)
    }
    return all(
        (values := given.get((operator.lower(), name.lower())))
        and all(_within(each, _listed(wanted)) for each in values)
        for operator, name, wanted in _conditions(documented)
    )


def _within(value: str, wanted: Sequence[str]) -> bool:
    """kms:ViaService may name one region where the documentation has a star."""
    return any(value.lower() == each.lower() or ("*" in each and fnmatchcase(value, each)) for each in wanted)


def _conditions(statement: Statement) -> Iterable[tuple[str, str, Any]]:
    return [
        (operator, name, values)
        for operator, keys in statement.get("Condition", {}).items()
        for name, values in keys.items()
    ]


def _listed(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]
