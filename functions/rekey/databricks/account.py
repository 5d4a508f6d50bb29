"""The Databricks Account API: workspaces and key configurations.

List endpoints answer with a bare array and no paging (databricks-sdk-py service/provisioning.py).
"""

import dataclasses
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from rekey.base.errors import DatabricksError
from rekey.databricks.answers import UNKNOWN, Asked, Json, identified, record, records
from rekey.databricks.transport import Transport
from rekey.model.request import UseCase
from rekey.model.use_cases import KEY_FIELDS

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What rekey reads of a workspace. Ids are None where the API leaves the field out."""

    workspace_id: int
    """0 where the API leaves it out."""
    name: str
    deployment_name: str
    region: str
    status: str
    status_message: str
    pricing_tier: str | None
    credentials_id: str | None
    network_id: str | None
    managed_services_key_id: str | None
    storage_key_id: str | None
    serverless: bool = False
    """Its storage is Databricks' default storage, which its MANAGED_SERVICES key protects."""
    tags: Mapping[str, str] = dataclasses.field(default_factory=dict, compare=False)
    """Its custom tags."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            workspace_id=_number(answer, "workspace_id") or 0,
            name=answer.get("workspace_name", ""),
            deployment_name=answer.get("deployment_name", ""),
            region=answer.get("aws_region", ""),
            status=answer.get("workspace_status", UNKNOWN),
            status_message=answer.get("workspace_status_message", ""),
            pricing_tier=answer.get("pricing_tier"),
            credentials_id=answer.get("credentials_id"),
            network_id=answer.get("network_id"),
            managed_services_key_id=answer.get(KEY_FIELDS["MANAGED_SERVICES"]),
            storage_key_id=answer.get(KEY_FIELDS["STORAGE"]),
            serverless=answer.get("compute_mode") == "SERVERLESS",
            tags={str(key): str(value) for key, value in (answer.get("custom_tags") or {}).items()},
        )

    def configuration_id(self, use_case: UseCase) -> str | None:
        """Id of the key configuration that serves the use case."""
        return self.managed_services_key_id if use_case == "MANAGED_SERVICES" else self.storage_key_id

    def refers_to(self, configuration_id: str) -> bool:
        """Whether either field names the key configuration."""
        return configuration_id in (self.managed_services_key_id, self.storage_key_id)


@dataclass(frozen=True, slots=True)
class KeyConfiguration:
    """Databricks' immutable record that points to a KMS key."""

    configuration_id: str
    use_cases: tuple[UseCase, ...]
    key_arn: str
    reuse_key_for_cluster_volumes: bool
    key_alias: str | None = None
    """As it was registered; nothing follows where it points now."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        key = answer.get("aws_key_info") or {}
        return cls(
            configuration_id=answer["customer_managed_key_id"],
            # Whatever they are: one that rekey does not know is kept too.
            use_cases=tuple(answer.get("use_cases") or ()),
            key_arn=key.get("key_arn", ""),
            # Left out means true (API reference, "Create encryption key configuration").
            reuse_key_for_cluster_volumes=key.get("reuse_key_for_cluster_volumes", True),
            key_alias=key.get("key_alias"),
        )

    def says_the_same(self, key_arn: str, use_cases: Iterable[UseCase], *, reuse_for_volumes: bool) -> bool:
        """Whether registering these values again would only repeat this configuration."""
        same = self.key_arn == key_arn and set(self.use_cases) == set(use_cases)
        # The flag means nothing without STORAGE.
        return same and ("STORAGE" not in self.use_cases or self.reuse_key_for_cluster_volumes == reuse_for_volumes)


@dataclass(frozen=True, slots=True)
class Network:
    """What rekey reads of a network configuration."""

    network_id: str
    status: str
    """UNATTACHED, VALID, WARNED or BROKEN."""
    workspace_id: int | None
    """The workspace that uses it: a network serves one."""
    errors: tuple[str, ...]
    """Why it is BROKEN: type and message of each error."""

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> Self:
        return cls(
            network_id=answer["network_id"],
            status=answer.get("vpc_status", ""),
            workspace_id=_number(answer, "workspace_id"),
            errors=tuple(
                f"{each.get('error_type', 'error')}: {each.get('error_message', '')}"
                for each in records(answer, "error_messages")
            ),
        )


class Account:
    """Account API of one Databricks account. Every method raises the classes of rekey.errors."""

    def __init__(self, transport: Transport, account_id: str) -> None:
        self._transport = transport
        self._base = f"/api/2.0/accounts/{account_id}"

    def get_workspace(self, workspace_id: int) -> Workspace:
        answer = record(self._transport.call("GET", f"{self._base}/workspaces/{workspace_id}"))
        return Workspace.read({"workspace_id": workspace_id, **answer})

    def list_workspaces(self) -> list[Workspace]:
        """All of the account. One that comes without an id is kept, with 0, as long as it refers to a key: who counts
        the users of a key must count it too."""
        found = [Workspace.read(each) for each in records(self._transport.call("GET", f"{self._base}/workspaces"))]
        for each in found:
            if not each.workspace_id:
                _logger.warning(f"the workspace {each.name!r} is listed without workspace_id")
        return [each for each in found if each.workspace_id or each.managed_services_key_id or each.storage_key_id]

    def create_workspace(
        self, wish: Mapping[str, Any], configuration_id: str, use_cases: Iterable[UseCase]
    ) -> Workspace:
        """POST a workspace with its keys. It is PROVISIONING then: poll it.

        Databricks makes another one each time it is asked: look for one of that name first.
        """
        body = {**wish, **{KEY_FIELDS[use_case]: configuration_id for use_case in use_cases}}
        return Workspace.read(self._created(f"{self._base}/workspaces", body, "workspace_id"))

    def update_workspace_keys(self, workspace_id: int, configuration_id: str, use_cases: Iterable[UseCase]) -> None:
        """PATCH the key fields. Returning means "accepted", never "done": the change is asynchronous.

        The mask is sent although AWS ignores it (terraform-provider-databricks#5430): it is right where it counts.
        """
        fields = {KEY_FIELDS[use_case]: configuration_id for use_case in use_cases}
        self._transport.call(
            "PATCH",
            f"{self._base}/workspaces/{workspace_id}",
            query={"update_mask": ",".join(sorted(fields))},
            body=fields,
        )

    def list_configurations(self) -> list[KeyConfiguration]:
        """All of the account. One without an id can serve no workspace: it is passed over and logged."""
        found = records(self._transport.call("GET", f"{self._base}/customer-managed-keys"))
        return [KeyConfiguration.read(each) for each in identified(found, "customer_managed_key_id")]

    def create_configuration(
        self, key_arn: str, use_cases: Iterable[UseCase], *, reuse_for_volumes: bool
    ) -> KeyConfiguration:
        """Register a key. Databricks makes a new configuration each time it is asked: look first."""
        key: dict[str, Any] = {"key_arn": key_arn}
        wanted = sorted(use_cases)
        if "STORAGE" in wanted:
            key["reuse_key_for_cluster_volumes"] = reuse_for_volumes
        body = {"use_cases": wanted, "aws_key_info": key}
        return KeyConfiguration.read(
            self._created(f"{self._base}/customer-managed-keys", body, "customer_managed_key_id")
        )

    def delete_configuration(self, configuration_id: str) -> None:
        """Raises InvalidState while a workspace uses it, NotFound when it is gone already."""
        self._transport.call("DELETE", f"{self._base}/customer-managed-keys/{configuration_id}")

    def cross_account_role(self, credentials_id: str) -> str:
        """ARN of the role with which Databricks launches EC2 instances in the customer's account."""
        return self._text(f"credentials/{credentials_id}", "aws_credentials", "sts_role", "role_arn")

    def root_bucket(self, storage_configuration_id: str) -> str:
        """Name of the root bucket of a storage configuration. Raises NotFound when there is none."""
        return self._text(f"storage-configurations/{storage_configuration_id}", "root_bucket_info", "bucket_name")

    def get_network(self, network_id: str) -> Network:
        answer = record(self._transport.call("GET", f"{self._base}/networks/{network_id}"))
        return Network.read({"network_id": network_id, **answer})

    def _created(self, path: str, body: Json, id_field: str) -> Json:
        """POST something new. Raises OutcomeUnknown where the answer does not say which id it got: look for it."""
        answer = record(self._transport.call("POST", path, body=body))
        if not answer.get(id_field):
            raise Asked("POST", path).lost(f"Databricks accepted POST {path} without saying {id_field}.")
        return answer

    def _text(self, path: str, *fields: str) -> str:
        """A field deep in an object. Raises DatabricksError where the object lacks it."""
        found: Any = record(self._transport.call("GET", f"{self._base}/{path}"))
        for field in fields:
            found = found.get(field) if isinstance(found, dict) else None
        if not found:
            raise DatabricksError(f"Databricks' answer to GET {self._base}/{path} lacks {'.'.join(fields)}.")
        return str(found)


def _number(answer: Mapping[str, Any], field: str) -> int | None:
    """A whole number, also where it comes as text; None where there is none."""
    found = str(answer.get(field, ""))
    return int(found) if found.isdecimal() else None
