"""The settings by which the stack passes an organisation's guard rails: boundary, names, tags, encryption, lock."""

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from infra.settings.common import NAME, PATH, Common, FromCommandLine, of_the_shards_partition
from infra.settings.explain import PREFIX

MAX_TAGS = 40
"""Of the 50 that a resource may have (AWS, "Tagging your AWS resources"): CloudFormation and rekey add their own."""

MAX_NAMES = 40
"""Of the 64 characters of a role's name (IAM quotas): what is left is for what the stack calls it."""

_TAG = re.compile(r"[\w .:/=+@-]*")


class GuardRails(Common):
    """Your organisation's guard rails: boundary, names, tags, encryption."""

    permissions_boundary: str = Field(
        title="The boundary of every role",
        pattern=rf"^((arn:aws[a-z-]*:iam::(\d{{12}}|aws):policy/)?{PATH}{NAME}{{1,128}})?$",
        description="the name of a policy of the stack's account (with its path, if it has one), its ARN, or empty for "
        "no boundary",
    )
    role_prefix: str = Field(
        title="What the name of every role begins with. Without it CloudFormation makes the names up",
        pattern=rf"^{NAME}{{0,20}}$",
        description="up to 20 letters, digits and +=,.@_-, or empty",
    )
    role_path: str = Field(
        title="The path of every role; those that talk to Databricks are in `<path><name>/in-databricks/`",
        pattern=rf"^/{PATH}$",
        max_length=200,
        description="a path that begins and ends with /, such as / or /platform/",
    )
    stack_tags: Annotated[dict[str, str], FromCommandLine] = Field(
        title="Tags on the stack and all that is in it",
        max_length=MAX_TAGS,
        description=f'an object such as {{"cost-centre": "4711"}} with up to {MAX_TAGS} tags, or {{}} for none',
    )
    bootstrap_qualifier: str = Field(
        title="The qualifier that `cdk bootstrap` was given in this account",
        pattern=r"^[A-Za-z0-9_-]{0,10}$",
        description="1 to 10 letters, digits, - and _, or empty for CDK's own",
    )
    encryption_key_arn: str = Field(
        title="Your key for logs, table, evidence, queues, topic, state machine and the secrets that rekey makes; its "
        "policy must let the services use it (below)",
        pattern=r"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+)?$",
        description="the ARN of a symmetric KMS key (not of an alias) in the stack's region, or empty for AWS' keys",
    )
    evidence_lock_days: int = Field(
        title="S3 Object Lock on the evidence, mode COMPLIANCE: for so long nobody at all can delete it",
        ge=0,
        le=3650,
        description="1 to 3650 days, or 0 for no lock; a bucket that has been locked stays lockable",
    )

    _arns_of_the_partition = field_validator("permissions_boundary", "encryption_key_arn")(of_the_shards_partition)

    @field_validator("stack_tags")
    @classmethod
    def _taggable(cls, tags: dict[str, str]) -> dict[str, str]:
        return checked_tags(tags)

    @model_validator(mode="after")
    def _room_for_names(self) -> "GuardRails":
        length = len(self.role_prefix) + len(self.name)
        if self.role_prefix and length > MAX_NAMES:
            raise ValueError(
                f"{PREFIX}role_prefix and {PREFIX}name: together they have {length} characters; give at most "
                f"{MAX_NAMES}, as IAM takes 64 for a whole role's name"
            )
        return self


def checked_tags(tags: dict[str, str]) -> dict[str, str]:
    """Raises ValueError for what AWS takes for no tag, or what is rekey's own."""
    for name, value in tags.items():
        if name.startswith(("aws:", "rekey:")):
            raise ValueError(f"{name!r}: names that begin with aws: are AWS', with rekey: rekey's own")
        if not (0 < len(name) <= 128 and len(value) <= 256 and _TAG.fullmatch(name) and _TAG.fullmatch(value)):
            raise ValueError(
                f"{name!r}: a name has 1 to 128 characters, a value up to 256, of letters, digits, spaces and .:/=+@_-"
            )
    return tags
