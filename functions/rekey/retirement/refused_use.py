"""CloudTrail's record of a call in which the use of a key was refused."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")


class _Part(BaseModel):
    """Null is the same as absent, and what nobody reads may be anything."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, raw: Any) -> Any:
        return {name: value for name, value in raw.items() if value is not None} if isinstance(raw, dict) else raw


class Caller(_Part):
    arn: str = ""
    account_id: str = ""


class Resource(_Part):
    arn: str = Field(default="", alias="ARN")


class RefusedUse(_Part):
    """The `detail` of EventBridge's "AWS API Call via CloudTrail" (CloudTrail User Guide, "Record contents")."""

    event_name: str = "a call"
    event_time: str = "an unknown time"
    error_code: str = "no code"
    error_message: str = ""
    user_identity: Caller = Caller()
    request_parameters: dict[str, Any] = {}
    resources: tuple[Resource, ...] = ()

    @property
    def caller(self) -> str:
        return self.user_identity.arn or self.user_identity.account_id or "an unknown caller"

    def key_arns(self) -> Iterator[str]:
        """ARNs in the record: its resources; where they are missing, its request or KMS' own "<arn> is disabled."."""
        for resource in self.resources:
            yield from _KEY_ARN.findall(resource.arn)
        yield from _KEY_ARN.findall(str(self.request_parameters.get("keyId", "")))
        yield from _KEY_ARN.findall(self.error_message)
