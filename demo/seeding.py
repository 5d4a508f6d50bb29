"""The two workspaces: one without a key, one whose managed-services key rekey looks after."""

import json
from typing import TYPE_CHECKING, Any

from demo.model import Subject
from demo.old_policy import old_policy
from local.cloud import LocalCloud
from local.cloud.model import ROOT
from local.cloud.sample import CONTENT
from local.cloud.side_door import SideDoor

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

INPUTS = ROOT / "stepfunctions" / "inputs"

FIRST: dict[str, Any] = {**CONTENT, "workspace_name": "analytics"}
SECOND: dict[str, Any] = {
    "workspace_name": "payments",
    "clusters": 4,
    "pools": 2,
    "warehouses": 3,
    "notebooks": 6,
    "secrets": 4,
}


def seed(cloud: LocalCloud, door: SideDoor, kms: "KMSClient") -> list[Subject]:
    """Make both, each with the request it gets: the samples of stepfunctions/inputs, workspace id put in."""
    old_key_arn = make_managed_key(cloud, kms)
    return [
        _subject(door, FIRST, "add", None),
        _subject(door, {**SECOND, "keys": {"managed_services": old_key_arn}}, "rotate", old_key_arn),
    ]


def make_managed_key(cloud: LocalCloud, kms: "KMSClient", *, tagged: bool = True) -> str:
    """A key as an earlier rotation left it, with rekey's policy and guard; untagged it is another's. Gives its ARN."""
    made = kms.create_key(
        Description="Managed-services key of an earlier rotation",
        Policy=json.dumps(old_policy(cloud.account, cloud.databricks_account_id)),
        Tags=[{"TagKey": "rekey:managed", "TagValue": "rekey"}] if tagged else [],
    )
    return made["KeyMetadata"]["Arn"]


def _subject(door: SideDoor, wish: dict[str, Any], operation: str, old_key_arn: str | None) -> Subject:
    workspace_id = int(door.seed(**wish)["workspace_id"])
    sample = json.loads((INPUTS / f"{operation}.json").read_text(encoding="utf-8"))
    use_cases = tuple(sample["use_cases"])
    return Subject(
        name=wish["workspace_name"],
        workspace_id=workspace_id,
        operation=operation,
        use_cases=use_cases,
        old_key_arn=old_key_arn,
        request={**sample, "workspace_id": workspace_id},
        before=door.workspace(workspace_id),
        lower_bound_seconds=door.lower_bound(workspace_id, operation, storage="STORAGE" in use_cases),
    )
