"""Create key: make the KMS key in the workspace's region, or find the one this rotation already made."""

from rekey import keys
from rekey.step import Result, Step, step


@step
def handler(step: Step) -> Result:
    return keys.ensure_key(step)
