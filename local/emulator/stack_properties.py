"""Properties of a template that MiniStack's CloudFormation drops: a role's boundary, a bucket's Object Lock.

Source: CloudFormation template reference, AWS::IAM::Role (PermissionsBoundary) and AWS::S3::Bucket (ObjectLockEnabled,
ObjectLockConfiguration).
"""

from collections.abc import Callable
from typing import Any

from ministack.services import iam, s3  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

Made = tuple[str, dict[str, Any]]
"""A resource's physical id and its attributes."""


def keep() -> None:
    """Have new resources keep them."""
    for kind, give in (("AWS::IAM::Role", _bound), ("AWS::S3::Bucket", _locked)):
        handlers = provisioners._RESOURCE_HANDLERS[kind]
        handlers["create"] = _with(handlers["create"], give)


def _with(create: Callable[..., Made], give: Callable[[str, dict[str, Any]], None]) -> Callable[..., Made]:
    def created(logical_id: str, properties: dict[str, Any], *more: Any) -> Made:
        name, attributes = create(logical_id, properties, *more)
        give(name, properties)
        return name, attributes

    return created


def _bound(name: str, properties: dict[str, Any]) -> None:
    if boundary := properties.get("PermissionsBoundary"):
        iam._roles[name]["PermissionsBoundary"] = boundary


def _locked(name: str, properties: dict[str, Any]) -> None:
    if properties.get("ObjectLockEnabled"):
        rule = properties.get("ObjectLockConfiguration", {}).get("Rule", {})
        s3._bucket_object_lock[name] = {"enabled": True, "default_retention": rule.get("DefaultRetention")}
