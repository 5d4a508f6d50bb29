"""Rules on a key that rekey did not make, in stages: first whether it can serve a workspace at all."""

from collections.abc import Callable, Iterator, Sequence

from rekey.base.arns import KeyArn
from rekey.model.refusal import Refusal
from rekey.planning.case import Case, KeyCase
from rekey.planning.rules.access import access_consent
from rekey.planning.rules.material import (
    material_consent,
    material_custom_store,
    material_imported,
    material_on_demand,
    material_replica,
)
from rekey.planning.rules.policy import policy_consent, policy_deny, policy_size, policy_taken_no_more

KeyRule = Callable[[KeyCase], Iterator[Refusal]]


def given_keys(case: Case) -> Iterator[Refusal]:
    """The rules below, for each key that the rotation would use and rekey does not make."""
    field = "key_configuration_id" if case.request.key_configuration_id else "key_arn"
    in_place = case.intent.renews or case.intent.changes_access
    stages = RENEWED if case.intent.renews else ACCESS if case.intent.changes_access else USED
    for key in case.facts.given.keys:
        yield from refused(
            KeyCase(
                "use_cases" if case.intent.renews else "workspace_id" if case.intent.changes_access else field,
                key,
                region=case.workspace.region,
                stack=case.facts.stack,
                wanted=case.facts.given.wanted,
                yearly=case.request.yearly_rotation,
            ),
            # Nothing is done to one that rekey cannot see: its owner sees to it, as the plan says.
            stages if key.seen or in_place else UNSEEN,
        )


def refused(case: KeyCase, stages: Sequence[Sequence[KeyRule]]) -> list[Refusal]:
    """What the first stage says that has something to say: what a later one looks at cannot be known before."""
    for stage in stages:
        if found := [refusal for rule in stage for refusal in rule(case)]:
            return found
    return []


def key_account(case: KeyCase) -> Iterator[Refusal]:
    if not case.key.seen:
        account = KeyArn.of(case.key.arn).account
        yield Refusal(
            case.field,
            f"the key is in the AWS account {account}, where rekey has no role: it can neither see nor change it",
            f"name {account} in rekey:key_accounts and deploy templates/key-account.yaml there, or use a key of an "
            "account that rekey reaches",
        )


def key_region(case: KeyCase) -> Iterator[Refusal]:
    region = KeyArn.of(case.key.arn).region
    if region != case.region:
        problem = f"the key is in {region}, the workspace in {case.region}"
        yield Refusal(case.field, problem, "use a key in the workspace's region")


def key_known(case: KeyCase) -> Iterator[Refusal]:
    if not case.key.state:
        yield Refusal(case.field, f"KMS knows no key {case.key.arn}", "copy the ARN from the KMS console")


def key_enabled(case: KeyCase) -> Iterator[Refusal]:
    if case.key.state != "Enabled":
        yield Refusal(case.field, f"the key is {case.key.state}", "enable it, or use another one")


def key_symmetric(case: KeyCase) -> Iterator[Refusal]:
    key = case.key
    if (key.spec, key.usage) != ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"):
        yield Refusal(
            case.field,
            f"the key is {key.spec} for {key.usage}; Databricks needs a symmetric key for encryption",
            "use a key with spec SYMMETRIC_DEFAULT and usage ENCRYPT_DECRYPT",
        )


SERVES: tuple[tuple[KeyRule, ...], ...] = ((key_account,), (key_region,), (key_known,), (key_enabled, key_symmetric))
"""Stages of what any key must be (Databricks: symmetric, in the workspace's region)."""

UNSEEN: tuple[tuple[KeyRule, ...], ...] = ((key_region,),)
ACCESS: tuple[tuple[KeyRule, ...], ...] = ((key_account,), (key_known,), (access_consent,))
"""A key that is disabled has a policy all the same."""

USED = (*SERVES, (policy_consent, policy_taken_no_more, policy_size, policy_deny))
RENEWED = (
    *SERVES,
    (material_consent,),
    (material_custom_store,),
    (material_replica,),
    (material_imported, material_on_demand),
)
