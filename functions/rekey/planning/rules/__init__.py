"""The rules of a plan: small functions, each named by its id in docs/rules.toml. Nothing here asks the world."""

from collections.abc import Callable, Iterator

from rekey.model.refusal import Refusal
from rekey.planning.case import Case
from rekey.planning.rules.access import access_fits, sharers_named
from rekey.planning.rules.accounts import key_account_known, key_account_role
from rekey.planning.rules.configuration import (
    configuration_listed,
    key_id_form,
    key_not_its_own,
    use_case_fits,
)
from rekey.planning.rules.keys import given_keys
from rekey.planning.rules.use_cases import (
    notebook_paths,
    notebooks_new_key,
    operation_fits,
    policy_volumes,
    serverless_workspace,
    storage_never_replaced,
)
from rekey.planning.rules.wish import network_once, wished_ids, workspace_name
from rekey.planning.rules.workspace import enterprise, us_west_1, workspace_admin, workspace_running

Rule = Callable[[Case], Iterator[Refusal]]

RULES: tuple[Rule, ...] = (
    us_west_1,
    enterprise,
    workspace_running,
    workspace_admin,
    wished_ids,
    network_once,
    workspace_name,
    storage_never_replaced,
    serverless_workspace,
    operation_fits,
    access_fits,
    sharers_named,
    policy_volumes,
    notebooks_new_key,
    notebook_paths,
    key_id_form,
    use_case_fits,
    key_not_its_own,
    configuration_listed,
    key_account_known,
    key_account_role,
    given_keys,
)
"""In the order in which a person reads the refusals. `given_keys` asks the rules on a key, in rules/keys.py."""


def judge(case: Case) -> list[Refusal]:
    """Everything that forbids it, each once. Where nothing is left to do, that is all there is to say."""
    if case.intent.nothing_left:
        return [case.intent.nothing_left]
    return list(dict.fromkeys(refusal for rule in RULES for refusal in rule(case)))
