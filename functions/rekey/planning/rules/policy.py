"""Rules on a given key's policy: whether it lets Databricks in, or can be made to."""

import json
from collections.abc import Iterator

from rekey.aws.policy_document import MAX_BYTES, merged, missing_statements, size, taken_no_more
from rekey.aws.tags import BROUGHT, MANAGED
from rekey.model.refusal import Refusal
from rekey.planning.case import Case, KeyCase
from rekey.planning.denied import denials


def policy_consent(case: KeyCase) -> Iterator[Refusal]:
    if (missing := _missing(case)) and not trusted(case):
        yield Refusal(
            case.field,
            f"the key's policy lacks {missing}, and rekey may not add to it",
            f"tag the key {BROUGHT}=true, which lets rekey add these statements and nothing more",
        )


def policy_taken_no_more(case: KeyCase) -> Iterator[Refusal]:
    if (missing := _missing(case)) and trusted(case):
        for fix in taken_no_more(json.loads(case.key.policy)):
            yield Refusal(case.field, f"the key's policy lacks {missing}, and KMS would refuse what rekey puts", fix)


def policy_size(case: KeyCase) -> Iterator[Refusal]:
    if _missing(case) and trusted(case) and size(merged(case.key.policy, case.wanted)) > MAX_BYTES:
        problem = f"with Databricks' statements the key's policy would be over {MAX_BYTES} bytes"
        yield Refusal(case.field, problem, "shorten the policy, or use another key")


def policy_deny(case: KeyCase) -> Iterator[Refusal]:
    for each in denials(case.key, case.wanted):
        if not each.unknown:
            yield Refusal(
                case.field,
                f"the statement {each.statement} of the key's policy denies {each.caller} {', '.join(each.actions)}, "
                "and no other statement can allow it",
                f"except {each.caller} there, for example by its account {each.account} in aws:PrincipalAccount, or "
                "use another key",
            )


def doubts(case: Case) -> list[str]:
    """What a person should look at before: statements that may deny, with what it hangs on."""
    return [
        str(
            Refusal(
                "may deny",
                f"the statement {each.statement} of the policy of {key.arn} denies {each.caller} "
                f"{', '.join(each.actions)} or not, by {', '.join(each.unknown)}, which cannot be known here",
                f"make sure that it excepts {each.caller} (account {each.account})",
            )
        )
        for key in case.facts.given.keys
        for each in denials(key, case.facts.given.wanted)
        if each.unknown
    ]


def _missing(case: KeyCase) -> str:
    return "; ".join(missing_statements(case.key.policy, case.wanted))


def trusted(case: KeyCase) -> bool:
    """Whether its owner lets rekey write to it."""
    return case.key.tagged(MANAGED, case.stack) or case.key.tagged(BROUGHT)
