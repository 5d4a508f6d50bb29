"""What other settings are checked against: the stack's name, its stage and the Databricks shard."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

LOCAL_STAGE = "local"

Shard = Literal["commercial", "govcloud", "govcloud-dod"]


@dataclass(frozen=True)
class Hosts:
    account: str
    workspace: str
    partition: str = "aws-us-gov"


HOSTS: dict[Shard, Hosts] = {
    "commercial": Hosts(
        "https://accounts.cloud.databricks.com", "https://{deployment_name}.cloud.databricks.com", "aws"
    ),
    "govcloud": Hosts("https://accounts.cloud.databricks.us", "https://{deployment_name}.cloud.databricks.us"),
    "govcloud-dod": Hosts(
        "https://accounts-dod.cloud.databricks.mil", "https://{deployment_name}.cloud.databricks.mil"
    ),
}


class Common(BaseModel):
    """The stack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        title="The stack's name, which every name that it gives begins with, and the value of the tag "
        "`rekey:managed` on its keys",
        pattern=r"^[a-z][a-z0-9-]{1,30}$",
        description="2 to 31 of a-z, 0-9 and -, a letter first",
    )
    stage: str = Field(
        title="What the deployment is for; the tag `rekey:stage` on its resources",
        pattern=r"^[a-z][a-z0-9-]{1,15}$",
        description="a short word such as dev, prod or local",
    )
    databricks_shard: Shard = Field(
        title="Which Databricks: its addresses and its AWS partition",
        description=f"one of {', '.join(get_args(Shard))}",
    )

    @property
    def is_local(self) -> bool:
        """Whether this is the cloud on one machine."""
        return self.stage == LOCAL_STAGE


def of_the_shards_partition(arn: str, info: ValidationInfo) -> str:
    """What a key's policy or a role names must be of the partition that they are in. Raises ValueError."""
    partition = HOSTS[info.data["databricks_shard"]].partition if "databricks_shard" in info.data else None
    if arn.startswith("arn:") and partition and arn.split(":")[1] != partition:
        shard = info.data["databricks_shard"]
        raise ValueError(f"{arn!r} is of the partition {arn.split(':')[1]}, and {shard} is in {partition}")
    return arn


def from_text(value: object) -> object:
    """A list or an object that may be text. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value or "null")
    except ValueError:
        raise ValueError("it is not JSON") from None


FromCommandLine = BeforeValidator(from_text)
"""Lists and objects are text on the command line: -c rekey:name='{"key": "value"}'."""


def _object_from_text(value: object) -> object:
    return from_text(value) if isinstance(value, str) and value.lstrip().startswith("{") else value


WordOrObject = BeforeValidator(_object_from_text)
"""A word, or an object, which may be text."""


def fits_an_environment(given: object, most: int) -> None:
    """What goes to a Lambda by its environment, which has 4 KB for all (Lambda quotas). Raises ValueError."""
    if (size := len(json.dumps(given).encode())) > most:
        raise ValueError(f"it has {size} bytes")


NAME = r"[\w+=,.@-]"
"""A character of a name in IAM (IAM quotas, "IAM name requirements")."""

PATH = rf"({NAME}+/)*"
"""Of an IAM name, without its first slash."""


def _split(value: object) -> object:
    if not isinstance(value, str) or value.lstrip().startswith("["):
        return from_text(value)
    return [each.strip() for each in value.split(",") if each.strip()]


CommaSeparated = BeforeValidator(_split)
"""A list of short words may also be one text with commas."""
