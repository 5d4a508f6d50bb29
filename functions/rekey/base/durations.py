"""How durations read: one function for each kind of figure, whoever shows it."""

import math

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def measured(seconds: float) -> str:
    """under 1 s, 12 s, 29 min 44 s, 3 h 05 min 00 s, 2 d 4 h 00 min. Cut, not rounded, so that 60 is never seen."""
    if 0 < seconds < 1:
        return "under 1 s"
    whole = int(seconds)
    if whole < HOUR:
        return running(whole)
    if whole < DAY:
        return f"{running(whole)} {whole % MINUTE:02d} s"
    return f"{whole // DAY} d {whole % DAY // HOUR} h {whole % HOUR // MINUTE:02d} min"


def running(seconds: float) -> str:
    """12 s, 4 min 05 s, 23 h 59 min: of what goes on. Cut, not rounded."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02d} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE:02d} min"


def roughly(seconds: float) -> str:
    """45 s, 3 min, 2 h 59 min: for what is only estimated. Rounded up, so that it is not too good to be true."""
    if seconds <= 2 * MINUTE:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / MINUTE)
    return f"{minutes} min" if minutes < HOUR // MINUTE else f"{minutes // MINUTE} h {minutes % MINUTE:02d} min"


def about(seconds: float) -> str:
    """45 s, 3 min, 179 min: to the nearest minute."""
    return f"{seconds:.0f} s" if seconds < 2 * MINUTE else f"{seconds / MINUTE:.0f} min"
