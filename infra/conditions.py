"""The conditions of grants, as IAM writes them."""

from typing import Any

from infra.permissions import Grant, Only


def conditions(grant: Grant, stack: Any) -> dict[str, Any] | None:
    """`stack` is the stack's name, or what a template has for it."""
    if grant.items:
        return {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [grant.items]}}
    found: dict[str, Any] = {}
    match grant.only:
        case Only.BROUGHT_KEYS:
            found["StringEquals"] = {str(grant.only): "true"}
        case Only.MANAGED_KEYS | Only.REQUESTS_THAT_TAG:
            found["StringEquals"] = {str(grant.only): stack}
        case Only.EARLIER_KEYS:
            found["StringEquals"] = {str(Only.MANAGED_KEYS): "true", str(Only.REQUESTS_THAT_TAG): stack}
            found["ForAllValues:StringEquals"] = {"aws:TagKeys": ["rekey:managed"]}
    if grant.sets_policy:
        # If it exists: whether KMS names the key where the request leaves it out is not documented.
        found["BoolIfExists"] = {"kms:BypassPolicyLockoutSafetyCheck": "false"}
    return found or None
