"""rekey's own notebooks, the canaries: one written before a switch and one after it, as its proof."""

from typing import Literal

FOLDER = "/Shared"
_NAME = "rekey-canary"

When = Literal["before", "after"]
"""On which side of the switch a canary is written."""


def path(rotation_id: str, when: When) -> str:
    return f"{FOLDER}/{_NAME}-{rotation_id}-{when}"


def line(rotation_id: str, when: When) -> str:
    """What the notebook says."""
    return f"# rekey: proof of {rotation_id}, written {when} the switch"


def is_canary(workspace_path: str) -> bool:
    """Whether a notebook is one of rekey's own."""
    return workspace_path.startswith(f"{FOLDER}/{_NAME}-")
