"""Words for people: lists that stay short."""

from collections.abc import Sequence


def shortened(phrases: Sequence[str]) -> list[str]:
    """The first ten, and how many more there are: a state's payload does not grow with the workspace."""
    shown = list(phrases[:10])
    return [*shown, f"and {len(phrases) - len(shown)} more"] if len(phrases) > len(shown) else shown
