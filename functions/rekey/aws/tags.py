"""The tags by which KMS keys are known, found and protected; two are conditions in infra/permissions.py."""

from rekey.base.words import plain

MANAGED = "rekey:managed"
"""On the keys that rekey makes; its value is the stack's name."""

EARLIER = "true"
"""The value of MANAGED up to 0.1.0, when it named no stack. The scheduled key check puts the stack's name there."""

BROUGHT = "rekey:brought"
"""With which the owner of a key lets rekey add statements to its policy and renew its material, and nothing more."""

WORKSPACE = "rekey:workspace-id"
WORKSPACE_NAME = "rekey:workspace-name"
ROTATION = "rekey:rotation-id"
USE_CASES = "rekey:use-cases"
STATE = "rekey:state"

_ALLOWED = " .:/=+@"
"""AWS KMS, "Tagging keys": beside letters, digits, - and _."""


def rotation_tag(rotation_id: str) -> str:
    """What ROTATION says of a rotation, whose id is an execution's name and may hold what no tag may."""
    return plain(rotation_id, also=_ALLOWED)
