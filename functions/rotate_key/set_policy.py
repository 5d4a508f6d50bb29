"""Set key policy: let Databricks use the key, exactly as documented for the use cases."""

from rekey.model.answers import PolicySet
from rekey.rotation.key_policy import ensure_policy
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> PolicySet:
    return ensure_policy(step)
