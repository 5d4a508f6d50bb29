"""Rules on the AWS account that a new key is made in: known, and with a role that rekey can take on."""

from collections.abc import Iterator

from rekey.model.refusal import Refusal
from rekey.planning.case import Case


def key_account_known(case: Case) -> Iterator[Refusal]:
    if case.makes_key and case.facts.key_account is None:
        number = case.workspace.workspace_id or "<its id>"
        yield Refusal(
            "workspace_id",
            "rekey:key_accounts has the key made in the workspace's own AWS account, and no credentials configuration "
            "says which that is",
            f'name it in rekey:key_accounts, as in {{"{number}": "<account>", "default": "workspace"}}, or bring your '
            "own key (key_arn)",
        )


def key_account_role(case: Case) -> Iterator[Refusal]:
    yield from case.facts.roles_refused
