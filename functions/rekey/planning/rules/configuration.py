"""Rules on key configurations: the one that the request names, and those that the workspace has."""

from collections.abc import Iterator

from rekey.model.refusal import Refusal
from rekey.planning.case import Case

FIELD = "key_configuration_id"


def key_id_form(case: Case) -> Iterator[Refusal]:
    wanted = case.request.key_configuration_id
    if wanted and case.facts.given.configuration is None:
        problem = f"the account has no key configuration {wanted}"
        yield Refusal(FIELD, problem, "copy the id from the account console, without the account's id before it")


def use_case_fits(case: Case) -> Iterator[Refusal]:
    given, use_cases = case.facts.given.configuration, case.intent.use_cases
    if given and not set(use_cases) <= set(given.use_cases):
        problem = f"the configuration serves {' + '.join(given.use_cases)}, not {' + '.join(use_cases)}"
        yield Refusal(FIELD, problem, "register one with these use cases, or ask for what this one serves")


def key_not_its_own(case: Case) -> Iterator[Refusal]:
    """Said of the first use case only: both may have the same key."""
    for use_case in case.intent.use_cases:
        present = case.facts.estate.configuration(case.workspace.configuration_id(use_case))
        if present and case.request.key_arn == present.key_arn:
            problem = f"it is the workspace's {use_case} key already"
            yield Refusal("key_arn", problem, "give another one, or leave it out")
            return
        if present and case.request.key_configuration_id == present.configuration_id:
            yield Refusal(FIELD, f"it is the workspace's {use_case} configuration already", "give another")
            return


def configuration_listed(case: Case) -> Iterator[Refusal]:
    """Of what a rotation replaces, or an access is taken from, it must be known which key it is."""
    workspace, intent = case.workspace, case.intent
    also = (workspace.storage_key_id,) if intent.changes_access else ()
    named = (workspace.managed_services_key_id, *also) if intent.replaces or intent.changes_access else ()
    replaced = next((each for each in named if each and case.facts.estate.configuration(each) is None), None)
    if replaced:
        yield Refusal(
            "workspace_id",
            f"the workspace names the key configuration {replaced}, which the account does not list",
            "check that the Databricks account id in the stack's settings is the workspace's",
        )
