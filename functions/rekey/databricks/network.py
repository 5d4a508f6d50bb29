"""What keeps rekey out on the way to Databricks, told apart from what Databricks itself refuses.

Each kind has its own text with its own fix. Sources: omnigent-ai/omnigent#4463 (IP access list, 403 with a number as
code); databricks-sdk-py errors/private_link.py (a redirect to the login page); public reports of "Unauthorized network
access to workspace" and "Public access is not allowed for workspace", both 403, as JSON or as plain text.
"""

import re
import socket
import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NameResolutionError, NewConnectionError

from rekey.base.errors import DatabricksError, DatabricksUnavailable, NetworkRefused, RekeyError, SettingsError
from rekey.databricks.answers import Asked, Said

_PRIVATE_LINK_LOGIN = re.compile(r"private[-_]link", re.IGNORECASE)
_ACCESS_LIST = re.compile(
    r"(?:Source IP address:? (?P<address>[0-9a-f.:]*[0-9a-f]) is )?blocked by Databricks IP ACL"
    r"(?: for (?P<where>account|workspace))?",
    re.IGNORECASE,
)
_NOT_PRIVATE = re.compile(
    r"Unauthorized network access to (?:workspace|account)|Public access is not allowed for (?:workspace|account)",
    re.IGNORECASE,
)
_PRIVATELINK_MEND = (
    "Fix: run rekey's Lambdas in a VPC (rekey:vpc_id) whose VPC endpoint the workspace's private access settings "
    "allow, with private DNS for the workspace's host, or allow public access from its egress address."
)
_ROUTE = (
    "Fix where it stays so: give rekey's subnets and security groups a way to it, port 443: a NAT gateway, a VPC "
    "endpoint or a proxy (docs/network.md)."
)
_NO_SUCH_NAME = frozenset(
    number for name in ("EAI_NONAME", "EAI_NODATA", "EAI_FAIL") if (number := getattr(socket, name, None)) is not None
)
_HANDSHAKE = re.compile(
    "CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|PROTOCOL_VERSION|"
    "HANDSHAKE_FAILURE|UNKNOWN_CA|UNRECOGNIZED_NAME|BAD_CERTIFICATE|NO_CERTIFICATE_OR_CRL_FOUND"
)
"""Reasons of OpenSSL that come before anything was sent."""
_BAD_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    LocationParseError,
)
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3}.*)")


def refused_on_the_way(asked: Asked, said: Said, location: str) -> NetworkRefused | None:
    """The refusal of an access list or of PrivateLink, whatever the status and code that it came with.

    `location` is where the answer redirects to, "" where it does not.
    """
    address = ""
    if match := _ACCESS_LIST.search(said.message):
        address, where = match["address"] or "", match["where"] or "account or workspace"
        fix = (
            f"Fix: put {address or 'the address from which rekey reaches Databricks'} on the IP access list of the "
            f"Databricks {where}, or give rekey an egress address that is on it."
        )
        why = f"an IP access list of the Databricks {where} keeps rekey's network out"
    elif _NOT_PRIVATE.search(said.message):
        why, fix = "Databricks does not let rekey's network in", _PRIVATELINK_MEND
    elif _PRIVATE_LINK_LOGIN.search(location):
        why, fix = "the workspace is reached by PrivateLink only, and rekey came another way", _PRIVATELINK_MEND
    else:
        return None
    spoken = f' Databricks said: "{said.message}".' if said.message and not location else ""
    text = f"{asked.method} {asked.path}: {why}.{spoken} The credential is not at fault. {fix}"
    return NetworkRefused(text, status=said.status, code=said.code, address=address)


def failed_on_the_way(error: Exception, asked: Asked, base_url: str) -> RekeyError:
    """Our name for anything that requests raises, by whether the request could have been applied."""
    host = base_url.partition("://")[2].partition("/")[0].rpartition("@")[2] or base_url
    what, causes = f"{asked.method} {asked.path}", list(_causes(error))
    if (unresolved := _first(causes, socket.gaierror, NameResolutionError)) is not None:
        return _unresolved(unresolved, what, host)
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy(causes, what, host)
    if (tls := _first(causes, ssl.SSLError, requests.exceptions.SSLError)) is not None:
        return _tls(tls, asked, host)
    if isinstance(error, requests.exceptions.ConnectTimeout) or _first(causes, NewConnectionError, ConnectTimeoutError):
        return DatabricksUnavailable(f"{what}: {host} could not be reached. {_ROUTE}")
    if isinstance(error, requests.TooManyRedirects):
        return DatabricksError(f"{what}: {host} redirects in a circle. Fix: check the host.")
    if isinstance(error, requests.exceptions.InvalidHeader):
        return DatabricksError(f"{what}: the token is none that a request can carry.")
    if isinstance(error, _BAD_ADDRESS):
        return SettingsError(f"{what}: {host!r} is no host that can be called. Fix: check the stack's host setting.")
    if type(error) is OSError and "TLS" in str(error):
        # requests finds no file there, and has no name of its own for it.
        return SettingsError(f"{what}: {error}. Fix: check rekey:ca_bundle.")
    return asked.lost(f"Databricks gave no whole answer to {what} ({type(error).__name__}).")


def _unresolved(error: BaseException, what: str, host: str) -> RekeyError:
    if (error.args[0] if error.args else None) not in _NO_SUCH_NAME:
        return DatabricksUnavailable(f"{what}: the name {host} cannot be resolved at the moment.")
    return NetworkRefused(
        f"{what}: DNS knows no {host}. Fix: check the host's setting, and the DNS of the VPC that rekey's Lambdas "
        "run in (with PrivateLink its private hosted zone)."
    )


def _proxy(causes: list[BaseException], what: str, host: str) -> RekeyError:
    """A tunnel that was not opened carried nothing."""
    told = next((match[1] for each in causes if (match := _TUNNEL.search(str(each)))), "")
    if not told.startswith("4"):
        return DatabricksUnavailable(
            f"{what}: the proxy on the way to {host} gives no connection ({told or 'no answer'})."
        )
    return NetworkRefused(
        f"{what}: the proxy on the way to {host} refuses ({told}). "
        f"Fix: allow {host} there, and check rekey:https_proxy."
    )


def _tls(error: BaseException, asked: Asked, host: str) -> RekeyError:
    told = getattr(error, "verify_message", "") or getattr(error, "reason", None) or type(error).__name__
    what = f"{asked.method} {asked.path}"
    if not _HANDSHAKE.search(str(error)):
        return asked.lost(f"The TLS connection to {host} broke under {what} ({told}).")
    return NetworkRefused(
        f"{what}: no TLS connection to {host} ({told}). Fix: where something on the way has a certificate of a "
        "private authority, give that authority to rekey (rekey:ca_bundle); else check the host's setting."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it stands for: requests and urllib3 keep them in their arguments, as reason or as cause.

    Not their __context__: that may be an error which was being dealt with when this request was sent.
    """
    ahead, seen = [error], set()
    while ahead:
        each = ahead.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inside = (*each.args, getattr(each, "reason", None), each.__cause__)
        ahead.extend(found for found in inside if isinstance(found, BaseException))


def _first(causes: list[BaseException], *kinds: type[BaseException]) -> BaseException | None:
    """The first of the kinds, in the order in which they are named."""
    return next((each for kind in kinds for each in causes if isinstance(each, kind)), None)
