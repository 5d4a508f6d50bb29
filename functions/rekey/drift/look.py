"""What KMS shows of a key, for comparing: what a call does not give is unknown, and unknown is no drift."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from rekey.aws.kms_key import KmsKey
from rekey.base.errors import RekeyError
from rekey.base.settings import Settings
from rekey.drift.facts import policy_fact, rotation_fact, tag_fact
from rekey.model.drift import Facts, What

AT_ONCE = 8
"""Keys that are read side by side, three calls each: as the inventory does."""


def look_at_keys(settings: Settings, key_arns: Sequence[str]) -> dict[str, tuple[Facts, str]]:
    """(what is known, why the rest is not) of each."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(key_arns, pool.map(lambda each: look_at_key(settings, each), key_arns), strict=True))


def look_at_key(settings: Settings, key_arn: str) -> tuple[Facts, str]:
    facts: dict[What, str] = {}
    trouble = ""
    try:
        key = KmsKey(key_arn)
        reads: tuple[tuple[What, Callable[[], str]], ...] = (
            (What.POLICY, lambda: policy_fact(settings, key.policy(), key_arn)),
            (What.ROTATION, lambda: rotation_fact(key.rotation_status())),
            (What.TAG, lambda: tag_fact(settings, key.tags())),
        )
    except (ClientError, BotoCoreError, RekeyError) as error:
        return {}, f"{type(error).__name__}: {error}"
    for what, read in reads:
        try:
            facts[what] = read()
        except (ClientError, BotoCoreError, RekeyError) as error:
            trouble = f"{type(error).__name__}: {error}"
    return facts, trouble
