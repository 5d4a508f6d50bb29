"""Rate limits: a token bucket for each family of endpoints and each host, on the simulator's clock.

GAP: Databricks documents neither its limits' windows nor the headers of a refusal. CODE databricks-sdk-py
tests/test_base_client.py: 429, Retry-After in seconds, and a code that is REQUEST_LIMIT_EXCEEDED, RESOURCE_EXHAUSTED or
not there. RFC 9110, 10.2.3: Retry-After may be a date.
"""

import math
import re
from email.utils import formatdate

from local.databricks.clock import Scale
from local.databricks.errors import ApiError
from local.databricks.settings import ALL_FAMILIES, Family, Limits, RateLimit

_FAMILIES: tuple[tuple[Family, re.Pattern[str]], ...] = (
    ("token", re.compile(r"/oidc/")),
    ("account", re.compile(r"/api/2\.0/accounts/")),
    ("clusters", re.compile(r"/api/2\.\d/clusters/")),
    ("pools", re.compile(r"/api/2\.\d/instance-pools/")),
    ("warehouses", re.compile(r"/api/2\.\d/sql/warehouses")),
    ("runs", re.compile(r"/api/2\.\d/jobs/runs/")),
    ("jobs", re.compile(r"/api/2\.\d/jobs/")),
    ("pipelines", re.compile(r"/api/2\.\d/pipelines")),
    ("notebooks", re.compile(r"/api/2\.\d/(workspace|permissions)/")),
)


class Bucket:
    """Holds at most `burst` requests and gets `per_second` back each simulated second."""

    def __init__(self, limit: RateLimit, now: float) -> None:
        self._limit = limit
        self._left = float(limit.burst)
        self._at = now

    def wait(self, now: float) -> float:
        """Simulated seconds until there is one to take."""
        self._left = min(self._limit.burst, self._left + (now - self._at) * self._limit.per_second)
        self._at = now
        # A hair less is enough, or a client that waits exactly as long as it is told may be turned away once more.
        return max(0.0, 1.0 - self._left - 1e-9) / self._limit.per_second

    def take(self) -> None:
        self._left -= 1.0


def family_of(path: str) -> Family:
    """Which family an endpoint belongs to."""
    return next((name for name, pattern in _FAMILIES if pattern.search(path)), "other")


class Limiter:
    """The limits that are on, and what is left of each."""

    def __init__(self, limits: Limits, scale: Scale) -> None:
        self.limits = limits
        self._second = scale.minutes(1.0)
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def refusal(self, now: float, path: str, host: str) -> ApiError | None:
        """429 when there is none left for this request; what is refused costs nothing. `now` is real."""
        families, simulated = self.limits.families, now / self._second
        names = [name for name in (family_of(path), ALL_FAMILIES) if name in families]
        buckets = [self._buckets.setdefault((name, host), Bucket(families[name], simulated)) for name in names]
        wait = max((bucket.wait(simulated) for bucket in buckets), default=0.0)
        if wait > 0:
            return self._too_many(now, wait * self._second)
        for bucket in buckets:
            bucket.take()
        return None

    def _too_many(self, now: float, wait: float) -> ApiError:
        headers = {
            "seconds": {"Retry-After": str(math.ceil(wait))},
            "date": {"Retry-After": formatdate(math.ceil(now + wait), usegmt=True)},
            "none": {},
        }[self.limits.retry_after]
        text = "Your request was rejected since your organization has exceeded the rate limit."
        return ApiError(429, self.limits.error_code, text, headers=headers)
