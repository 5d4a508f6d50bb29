"""Words for people and for AWS: lists that stay short, names that every service takes."""

import hashlib
import re
from collections.abc import Sequence


def shortened(phrases: Sequence[str]) -> list[str]:
    """The first ten, and how many more there are: a state's payload does not grow with the workspace."""
    shown = list(phrases[:10])
    return [*shown, f"and {len(phrases) - len(shown)} more"] if len(phrases) > len(shown) else shown


def counted(count: int, noun: str) -> str:
    """1 cluster, 1,204 clusters."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def plain(name: str, *, also: str = "") -> str:
    """A name of letters, digits, - and _ (and of what else is `also` allowed), different for different names.

    Step Functions takes more characters in an execution's name than other services do in theirs.
    """
    replaced = re.sub(rf"[^A-Za-z0-9_{re.escape(also)}-]", "-", name)
    return name if replaced == name else f"{replaced}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
