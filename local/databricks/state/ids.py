"""Ids in the shapes that Databricks gives them."""

import secrets


def hexadecimal(digits: int) -> str:
    return f"{secrets.randbelow(16**digits):0{digits}x}"


def number(digits: int) -> int:
    """A whole number of exactly that many digits."""
    smallest: int = 10 ** (digits - 1)
    return smallest + secrets.randbelow(9 * smallest)


def dated() -> str:
    """What cluster and pool ids begin with, e.g. 0412-153012-."""
    return f"{secrets.randbelow(10_000):04}-{secrets.randbelow(1_000_000):06}-"
