"""Set key policy: let Databricks use the key, exactly as documented for the use cases."""

from rekey.rotation.key_policy import ensure_policy
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return ensure_policy(step)
