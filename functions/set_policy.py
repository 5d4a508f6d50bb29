"""Set key policy: let Databricks use the key, exactly as documented for the use cases."""

from rekey import keys
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return keys.ensure_policy(step)
