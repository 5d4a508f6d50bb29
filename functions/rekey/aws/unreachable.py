"""What to do where AWS cannot be reached, or is kept from answering by something that is no role. Plain functions.

Sources: botocore.exceptions; IAM user guide, "Troubleshoot access denied error messages", for the texts.
"""

from botocore.exceptions import ProxyConnectionError, SSLError

ROUTE = (
    "Fix where it stays so: give rekey's subnets and security groups a way to it, port 443: a VPC endpoint of that "
    "region, a NAT gateway or a proxy (docs/network.md)."
)

_ELSEWHERE = (
    ("VPC endpoint policy", "Fix: let the policy of the VPC endpoint that rekey's Lambdas use allow this action."),
    ("service control policy", "Fix: have the organization's service control policies allow it, in this region too."),
    ("resource control policy", "Fix: have the organization's resource control policies allow it."),
    ("permissions boundary", "Fix: let the boundary of rekey's roles (rekey:permissions_boundary) allow it."),
)


def way_to(error: Exception) -> str:
    """What to do about an error that says that no answer came."""
    if isinstance(error, SSLError):
        return "Fix: where something on the way has a certificate of a private authority, give rekey:ca_bundle."
    if isinstance(error, ProxyConnectionError):
        return "Fix where it stays so: check rekey:https_proxy, and that the proxy lets rekey's subnets in."
    return ROUTE


def denied_elsewhere(message: str) -> str:
    """What to do where AWS says that not the role denies; empty for any other message."""
    return next((fix for said, fix in _ELSEWHERE if said in message), "")
