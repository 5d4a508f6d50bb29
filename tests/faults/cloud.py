"""Small, honest stand-ins for one history: KMS that remembers use, and a Databricks account that needs its old keys.

Databricks needs a key while a workspace is on it, for 24 hours after, and for ever if it served STORAGE. KMS tells
of a key's use an hour late; a guard in the keys' policies may know of it at once. There is no ScheduleKeyDeletion for
rekey: who calls it fails.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from rekey.databricks import KeyConfiguration, Workspace
from rekey.model.request import UseCase

DAY = timedelta(days=1)
USE_IS_TOLD_AFTER = timedelta(hours=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Crash(BaseException):
    """The Lambda ends here, whatever it was doing."""


@dataclass
class KmsKey:
    enabled: bool = True
    tags: dict[str, str] = field(default_factory=lambda: {"rekey:managed": "rekey"})
    made: datetime = START
    uses: list[datetime] = field(default_factory=list)
    rotates: bool = True
    pending: bool = False
    """Whether it waits for its deletion, which takes longer than anybody leaves it so."""

    @property
    def state(self) -> str:
        return "Enabled" if self.enabled else "PendingDeletion" if self.pending else "Disabled"

    def told_use(self, now: datetime) -> datetime | None:
        return max((each for each in self.uses if each <= now - USE_IS_TOLD_AFTER), default=None)


class Kms:
    """Stands in for a boto3 client. `before_disabling` judges each DisableKey; `crash` is "before" or "after" it."""

    def __init__(self, now: Callable[[], datetime], before_disabling: Callable[[str], None]) -> None:
        self.keys: dict[str, KmsKey] = {}
        self.tells_use = True
        """Whether the region has GetKeyLastUsage, and with it what the guard reads."""
        self.guard_knows_after: timedelta | None = None
        """How late the guard (policy.guards) knows of a key's use, which AWS does not say. None: no key carries one."""
        self.crash: str | None = None
        self._now = now
        self._judge = before_disabling

    def make(self) -> str:
        key_id = f"{len(self.keys):08d}"
        self.keys[key_id] = KmsKey(made=self._now())
        return f"arn:aws:kms:us-east-1:123456789012:key/{key_id}"

    def of(self, key_arn: str) -> KmsKey:
        return self.keys[key_arn.rpartition("/")[2]]

    def describe_key(self, *, KeyId: str) -> Any:  # noqa: N803, boto3's own names
        return {"KeyMetadata": {"KeyState": self.of(KeyId).state}}

    def get_paginator(self, name: str) -> "Kms":
        assert name == "list_resource_tags"
        return self

    def paginate(self, *, KeyId: str) -> Iterator[Any]:  # noqa: N803
        yield {"Tags": [{"TagKey": name, "TagValue": value} for name, value in self.of(KeyId).tags.items()]}

    def get_key_rotation_status(self, *, KeyId: str) -> Any:  # noqa: N803
        return {"KeyRotationEnabled": self.of(KeyId).rotates}

    def get_key_last_usage(self, *, KeyId: str) -> Any:  # noqa: N803
        if not self.tells_use:
            raise ClientError({"Error": {"Code": "UnknownOperationException"}}, "GetKeyLastUsage")
        key = self.of(KeyId)
        used = key.told_use(self._now())
        return {
            "TrackingStartDate": key.made,
            "KeyLastUsage": {"Timestamp": used, "Operation": "Decrypt"} if used else {},
        }

    def disable_key(self, *, KeyId: str) -> None:  # noqa: N803
        crash, self.crash = self.crash, None
        if crash == "before":
            raise Crash
        if self._guards(self.of(KeyId)):
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "DisableKey")
        self._judge(KeyId)
        self.of(KeyId).enabled = False
        if crash == "after":
            raise Crash

    def _guards(self, key: KmsKey) -> bool:
        """Whether the key's own policy denies DisableKey: within a day of its last use, or of its making."""
        if self.guard_knows_after is None or not self.tells_use:
            return False
        known = [each for each in key.uses if each <= self._now() - self.guard_knows_after]
        return self._now() < max(known, default=key.made) + DAY

    def enable_key(self, *, KeyId: str) -> None:  # noqa: N803
        if self.of(KeyId).pending:
            raise ClientError({"Error": {"Code": "KMSInvalidStateException"}}, "EnableKey")
        self.of(KeyId).enabled = True

    def cancel_key_deletion(self, *, KeyId: str) -> None:  # noqa: N803
        assert self.of(KeyId).pending
        self.of(KeyId).pending = False


@dataclass
class Need:
    """One workspace's use of one key."""

    key_arn: str
    left_at: datetime | None = None
    """None while the workspace is on it."""
    storage: bool = False

    def holds(self, now: datetime) -> bool:
        return self.storage or self.left_at is None or now < self.left_at + DAY


class Databricks:
    """The account API as far as the sweep reads it, and what each workspace needs in truth."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.workspaces: dict[int, Workspace] = {}
        self.configurations: dict[str, KeyConfiguration] = {}
        self.hidden: set[str] = set()
        self.needs: dict[int, list[Need]] = {}
        self.meanwhile: Callable[[], None] | None = None
        """Happens while the sweep reads."""

    def list_workspaces(self) -> list[Workspace]:
        return list(self.workspaces.values())

    def list_configurations(self) -> list[KeyConfiguration]:
        listed = [each for each in self.configurations.values() if each.configuration_id not in self.hidden]
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()
        return listed

    def register(self, key_arn: str, *use_cases: UseCase) -> str:
        name = f"c{len(self.configurations)}"
        self.configurations[name] = KeyConfiguration(name, use_cases, key_arn, True)
        return name

    def make_workspace(self, key_arn: str) -> int:
        number = len(self.workspaces) + 1
        configuration = self.register(key_arn, "MANAGED_SERVICES")
        self.workspaces[number] = Workspace(
            number, f"w{number}", f"w{number}", "us-east-1", "RUNNING", "", None, None, None, configuration, None
        )
        self.needs[number] = [Need(key_arn)]
        return number

    def key_of(self, number: int) -> str:
        return self.configurations[str(self.workspaces[number].managed_services_key_id)].key_arn

    def move(self, number: int, key_arn: str) -> None:
        """The workspace is on another key from now on."""
        if self.key_of(number) == key_arn:
            return
        self.needs[number] = [each for each in self.needs[number] if each.holds(self._now())]
        for need in self.needs[number]:
            if need.left_at is None and not need.storage:
                need.left_at = self._now()
        self.needs[number].append(Need(key_arn))
        configuration = self.register(key_arn, "MANAGED_SERVICES")
        self.workspaces[number] = replace(self.workspaces[number], managed_services_key_id=configuration)

    def add_storage(self, number: int, key_arn: str) -> None:
        configuration = self.register(key_arn, "STORAGE")
        self.workspaces[number] = replace(self.workspaces[number], storage_key_id=configuration)
        self.needs[number].append(Need(key_arn, storage=True))

    def on(self, key_arn: str) -> list[int]:
        """Workspaces that refer to a key in truth, whatever is listed."""
        pointing = {each.configuration_id for each in self.configurations.values() if each.key_arn == key_arn}
        return [
            each.workspace_id
            for each in self.workspaces.values()
            if pointing & {each.managed_services_key_id, each.storage_key_id}
        ]

    def needed(self) -> dict[str, int]:
        """Keys that something cannot be read without, now, and one workspace that needs each."""
        now = self._now()
        return {each.key_arn: number for number, needs in self.needs.items() for each in needs if each.holds(now)}
