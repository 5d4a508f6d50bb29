"""Create key: make the KMS key in the workspace's region, or find the one this rotation already made."""

from rekey.rotation import keys
from rekey.rotation.step import Result, Step
from rekey.runtime import step


@step
def handler(step: Step) -> Result:
    return keys.ensure_key(step)
