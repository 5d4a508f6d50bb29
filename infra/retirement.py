"""What retires old keys, and what brings one back: a schedule for disable_old_key, a rule for reenable_key."""

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.calls import build_rule, build_schedule
from infra.platform import Platform
from infra.queues import build_dead_letter_queue
from infra.settings import Settings

NEEDS_THE_KEY = ("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncrypt", "CreateGrant")
"""KMS calls of somebody who still works with a key."""

LOST = ("DisabledException", "KMSInvalidStateException", "KeyUnavailableException", "NotFoundException")
"""What KMS answers them where the key is disabled; waits for its deletion, or for its material; its key store is not to
be reached; or it is deleted. A key of another account that may not be used is logged in the caller's account alone."""

SOURCE, DETAIL_TYPE = "aws.kms", "AWS API Call via CloudTrail"

REFUSED_USES = {
    "source": [SOURCE],
    "detail-type": [DETAIL_TYPE],
    "detail": {"eventSource": ["kms.amazonaws.com"], "eventName": list(NEEDS_THE_KEY), "errorCode": list(LOST)},
}
"""The pattern of a rule for them."""

WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""Decrypt and its like are read-only management events, which reach only a rule in this state."""


class Retirement(Construct):
    """Scheduler -> disable_old_key; CloudTrail -> rule -> reenable_key. What cannot be delivered waits to be seen."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        platform: Platform,
        disable_old_key: lambda_.Function,
        reenable_key: lambda_.Function,
    ) -> None:
        super().__init__(scope, construct_id)
        self.undelivered = build_dead_letter_queue(self, "Undelivered", platform)
        self.schedule = build_schedule(
            self,
            name=f"{settings.name}-disable-old-key",
            description="Looks for old keys whose 24 hours have passed",
            minutes=settings.retirement_rate_minutes,
            function=disable_old_key,
            undelivered=self.undelivered,
            encryption_key_arn=platform.encryption_key_arn,
        )
        # Uses refused for a key's state. Best effort, and of this region alone: the key check looks for signs too.
        self.rule = build_rule(
            self,
            "RefusedUses",
            name=f"{settings.name}-reenable-key",
            description="Uses of a KMS key that were refused for its state, as CloudTrail tells",
            state=WITH_READS,
            pattern=REFUSED_USES,
            function=reenable_key,
            undelivered=self.undelivered,
        )
