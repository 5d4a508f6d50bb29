"""List prices in US dollars that people are told."""

KEY_MONTH = 1
"""AWS KMS: a customer-managed key for a month. Also while it is disabled; nothing once its deletion is scheduled."""

MATERIAL_MONTH = 1
MATERIALS_CHARGED = 2
"""AWS KMS: a month of each of the first two rotations of a key's material."""

ROTATION = 0.012
"""States and Lambdas of a rotation with the longest usual downtime, rounded up from what `make bench` measures."""


def key_month(rotations: int) -> int:
    """What a key costs a month whose material was rotated so often."""
    return KEY_MONTH + MATERIAL_MONTH * min(rotations, MATERIALS_CHARGED)
