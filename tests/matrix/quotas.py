"""How often AWS lets itself be asked: a token bucket for each operation, in front of everything that answers.

Sources: AWS KMS developer guide, "Request quotas" (requests a second of an account and region) and "Throttling AWS KMS
requests" (ThrottlingException, status 400, "Rate exceeded"); Tag Editor user guide, "Service quotas" (GetResources: 15
calls per second). GAP: how many requests a bucket holds after a pause; here it is what a second gives.
"""

from collections import Counter
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from local.databricks.clock import ManualClock
from local.databricks.limits import Bucket
from local.databricks.settings import RateLimit
from tests.matrix.boundary import Call

A_SECOND = {
    **{("kms", each): 5 for each in ("CreateKey", "CreateAlias", "UpdateAlias", "EnableKey", "DisableKey")},
    ("kms", "RotateKeyOnDemand"): 5,
    ("kms", "TagResource"): 10,
    **{("kms", each): 15 for each in ("PutKeyPolicy", "EnableKeyRotation", "ScheduleKeyDeletion")},
    ("resourcegroupstaggingapi", "GetResources"): 15,
}
"""By service and operation, as the Lambdas' clients name them."""


@dataclass
class Quotas:
    """What befalls a call that comes too soon: it is turned away and nothing is done. One of Boundary.faults."""

    clock: ManualClock
    turned_away: Counter[str] = field(default_factory=Counter)
    """By operation."""
    _buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def before(self, call: Call) -> None:
        """Raises ClientError as botocore does."""
        asked = call.service, call.operation
        if asked not in A_SECOND:
            return
        now, most = self.clock.now(), A_SECOND[asked]
        bucket = self._buckets.setdefault(asked, Bucket(RateLimit(most, burst=most), now))
        if bucket.wait(now) > 0:
            self.turned_away[call.operation] += 1
            said = {"Code": "ThrottlingException", "Message": "Rate exceeded"}
            raise ClientError({"Error": said, "ResponseMetadata": {"HTTPStatusCode": 400}}, call.operation)  # type: ignore[typeddict-item]
        bucket.take()

    def after(self, call: Call) -> None:
        """It was let through."""
