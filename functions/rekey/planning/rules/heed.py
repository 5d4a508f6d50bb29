"""What a person should know before, although nothing forbids it. Plain functions."""

from collections.abc import Iterator

from rekey.aws.forwarders import RULE
from rekey.base.arns import account_of
from rekey.model.refusal import Refusal
from rekey.planning.case import Case


def heeded(case: Case) -> Iterator[str]:
    """Sentences, each with what to do."""
    for key in case.facts.given.keys:
        if not key.seen:
            yield str(
                Refusal(
                    "key_arn",
                    f"the key is in the AWS account {account_of(key.arn)}, where rekey has no role: it is taken as it "
                    "is, and neither its state nor its policy is known or changed",
                    "make sure that it is enabled and symmetric, and that its policy has Databricks' statements",
                )
            )
    if case.makes_key and case.facts.key_account and case.facts.forwarder != "there":
        account, region = case.facts.key_account, case.workspace.region
        rule = RULE.format(stack=case.facts.stack)
        said = {
            "missing": f"there is no rule {rule}",
            "unknown": f"nobody could tell whether there is a rule {rule}",
        }[case.facts.forwarder]
        yield str(
            Refusal(
                "refused uses",
                f"in {region} of the AWS account {account}, where the key is made, {said} that tells the stack of uses "
                "that KMS refuses: a disabled key that is needed may be noticed by the scheduled key check alone",
                "deploy templates/key-account.yaml there with the stack's bus",
            )
        )
