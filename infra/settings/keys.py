"""The settings of the keys that rekey makes."""

from pydantic import Field, field_validator

from infra.settings.common import Common, of_the_shards_partition


class Keys(Common):
    """The keys that rekey makes."""

    break_glass_role_arn: str = Field(
        title="The one role that the guards in keys' own policies exempt, for emergencies",
        pattern=r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+)?$",
        description="the ARN of the one role that the guards in keys' own policies exempt, or empty for none",
    )

    _break_glass_of_the_partition = field_validator("break_glass_role_arn")(of_the_shards_partition)
