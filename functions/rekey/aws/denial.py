"""Which statement of a key's policy denies: AWS names the caller, the action and the key, and not the statement.

Source: IAM user guide, "Troubleshoot access denied error messages": "User: ... is not authorized to perform: ... on
resource: ... with an explicit deny in a resource-based policy". Plain functions.
"""

import json
import re
from collections.abc import Callable

from rekey.aws.policy_document import Document, label, statements
from rekey.aws.policy_evaluation import Caller, Known, hits
from rekey.base.arns import account_of

_DENIED = re.compile(
    r"User: (?P<caller>arn:\S+) is not authorized to perform: (?P<action>kms:\w+) "
    r"on resource: (?P<key>arn:\S+:key/\S+?)(?: because .*)? with an explicit deny in a resource-based policy"
)

_ASSUMED = re.compile(r"^arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+$")

ReadPolicy = Callable[[str], str]
"""The text of a key's policy by the key's ARN."""


def denying(message: str, read_policy: ReadPolicy) -> str:
    """Which statements deny, and the fix; empty for a message of another kind, and where nobody can tell.

    What `read_policy` raises is let through.
    """
    if not (found := _DENIED.search(message)):
        return ""
    document: Document = json.loads(read_policy(found["key"]) or "{}")
    caller = _caller(found["caller"])
    answers = [
        (label(each, position), hits(each, caller, found["action"], found["key"]).answer)
        for position, each in enumerate(statements(document))
        if each.get("Effect") == "Deny"
    ]
    sure = [name for name, answer in answers if answer]
    maybe = [name for name, answer in answers if answer is None]
    if not (named := sure or maybe):
        return ""
    what = "statement" if len(named) == 1 else "statements"
    listed = ", ".join(named)
    return (
        f"The {what} {listed} of the key's policy {'denies' if sure else 'may deny'} it. "
        f"Fix: take {_person(found['caller'])} out of what it denies, or have the key's owner do so."
    )


def _caller(arn: str) -> Caller:
    role, account = _person(arn), account_of(arn)
    keys = {
        "aws:principalarn": Known(role),
        "aws:principalaccount": Known(account),
        "kms:calleraccount": Known(account),
    }
    return Caller(account, role, dict(keys))


def _person(arn: str) -> str:
    """The role behind a session; a role's path is not in the session's ARN."""
    return _ASSUMED.sub(r"arn:\1:iam::\2:role/\3", arn)
