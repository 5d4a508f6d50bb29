"""Create key: make the KMS key in the workspace's region, or find the one this rotation already made."""

from rekey.model.answers import KeyMade
from rekey.rotation import keys
from rekey.rotation.step import Step
from rekey.runtime import step


@step
def handler(step: Step) -> KeyMade:
    return keys.ensure_key(step)
