"""The settings of the keys that rekey makes."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from infra.settings.common import (
    CommaSeparated,
    Common,
    FromCommandLine,
    fits_an_environment,
    from_text,
    of_the_shards_partition,
)
from infra.settings.guard_rails import checked_tags

MAX_TAG_BYTES = 1500

LEAST_DAYS, MOST_DAYS = 90, 2560
"""AWS KMS API reference, EnableKeyRotation."""

USE_CASES = ("MANAGED_SERVICES", "STORAGE")

LEAST_AGE_DAYS, MOST_AGE_DAYS = 1, 3650

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/*-]+")


def _by_use_case(value: object) -> object:
    """365, "365" and "MANAGED_SERVICES=365,STORAGE=730" as an object."""
    if isinstance(value, int) or (isinstance(value, str) and value.strip().isdecimal()):
        return dict.fromkeys(USE_CASES, int(value))
    if not isinstance(value, str) or value.lstrip().startswith("{"):
        return from_text(value)
    pairs = [each.partition("=") for each in value.split(",")]
    if not all(days.strip().isdecimal() for _, _, days in pairs):
        raise ValueError(f"{value!r} is neither a number nor USE_CASE=NUMBER")
    return {name.strip(): int(days) for name, _, days in pairs}


class Keys(Common):
    """The keys that rekey makes."""

    key_tags: Annotated[dict[str, str], FromCommandLine] = Field(
        title="Tags of every key, in the CreateKey call itself, beside rekey's own",
        max_length=20,
        description=f'an object such as {{"cost-centre": "4711"}} with up to 20 tags and {MAX_TAG_BYTES} bytes, or '
        "{} for none",
    )
    key_alias_prefix: str = Field(
        title="What keys' aliases begin with: `alias/<prefix>/<workspace>/<rotation>`",
        pattern=r"^([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$",
        max_length=100,
        description="letters, digits, _ and -, with / between, not beginning with aws/; or empty for the stack's name",
    )
    key_admin_arns: Annotated[tuple[str, ...], CommaSeparated] = Field(
        title="Who may administer the keys beside rekey. Without it their policies leave that to the account's IAM; "
        "with it IAM decides for these roles and rekey's own only, and all others of the account may look",
        max_length=10,
        description="up to 10 ARNs of roles (* is allowed in the name) with commas or as a JSON list, or none",
    )
    key_rotation_days: int = Field(
        title="Automatic rotation of every key's material from the first day (Security Hub KMS.4). The first two "
        "cost 1 USD a month each",
        description=f"{LEAST_DAYS} to {MOST_DAYS} days, or 0 to leave it off",
    )
    max_key_age_days: Annotated[dict[str, int], BeforeValidator(_by_use_case)] = Field(
        title="How old the material of a workspace's keys may be, by use case: what is older does not comply in the "
        "inventory, and sets off the alarm KeysPastPolicy. A use case that is not named needs no key. A workspace's "
        "tag rekey_max_key_age_days overrides it",
        description=f"a number of days from {LEAST_AGE_DAYS} to {MOST_AGE_DAYS} for both use cases, or "
        "MANAGED_SERVICES=365,STORAGE=730",
    )
    break_glass_role_arn: str = Field(
        title="The one role that the guards in keys' own policies exempt, for emergencies",
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$",
        description="the ARN of the one role that the guards in keys' own policies exempt, or empty for none",
    )

    _break_glass_of_the_partition = field_validator("break_glass_role_arn")(of_the_shards_partition)

    @field_validator("key_tags")
    @classmethod
    def _few_enough(cls, tags: dict[str, str]) -> dict[str, str]:
        fits_an_environment(tags, MAX_TAG_BYTES)
        return checked_tags(tags)

    @field_validator("max_key_age_days")
    @classmethod
    def _of_use_cases(cls, ages: dict[str, int]) -> dict[str, int]:
        if strange := [each for each in ages if each not in USE_CASES]:
            raise ValueError(f"{strange[0]!r} is no use case")
        if not ages or not all(LEAST_AGE_DAYS <= each <= MOST_AGE_DAYS for each in ages.values()):
            raise ValueError(f"no age from {LEAST_AGE_DAYS} to {MOST_AGE_DAYS} days")
        return ages

    @field_validator("key_alias_prefix")
    @classmethod
    def _not_aws(cls, prefix: str) -> str:
        if prefix.partition("/")[0] == "aws":
            raise ValueError(f"{prefix!r}: names that begin with aws/ are AWS'")
        return prefix

    @field_validator("key_admin_arns")
    @classmethod
    def _are_roles(cls, arns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for each in arns:
            if not _ROLE.fullmatch(each):
                raise ValueError(f"{each!r} is not the ARN of a role")
            of_the_shards_partition(each, info)
        return arns

    @field_validator("key_rotation_days")
    @classmethod
    def _as_kms_takes_it(cls, days: int) -> int:
        if days and not LEAST_DAYS <= days <= MOST_DAYS:
            raise ValueError(f"KMS takes no {days} days")
        return days

    @property
    def alias_prefix(self) -> str:
        return self.key_alias_prefix or self.name

    @property
    def max_key_age(self) -> str:
        """As a Lambda is told it."""
        return ",".join(f"{name}={self.max_key_age_days[name]}" for name in USE_CASES if name in self.max_key_age_days)
