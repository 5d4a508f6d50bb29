"""ARNs, taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyArn:
    """The parts of arn:PARTITION:kms:REGION:ACCOUNT:key/ID."""

    partition: str
    region: str
    account: str
    key_id: str

    @classmethod
    def of(cls, arn: str) -> "KeyArn":
        _, partition, _, region, account, resource = arn.split(":", 5)
        return cls(partition, region, account, resource.removeprefix("key/"))


def region_of(arn: str) -> str:
    """The region in an ARN."""
    return arn.split(":")[3]


def account_of(arn: str) -> str:
    """The AWS account in an ARN."""
    return arn.split(":")[4]
