"""The official SDK as oracle: for each endpoint that rekey's client uses, both are run against the simulator, and
what was sent and what was understood is compared. Where the two differ on purpose, the difference is asserted."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.core import Config

from rekey.databricks import Account, WorkspaceApi
from rekey.databricks.answers import Json
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from rekey.databricks.transport import Transport
from tests.simulator.bench import Bench


@dataclass
class Sent:
    """One request as it went over the wire, without what belongs to the transport."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any


@dataclass
class Wire:
    """Everything that was sent, without discovery and tokens."""

    sent: list[Sent] = field(default_factory=list)

    def during(self, call: Callable[[], Any]) -> tuple[list[Sent], Any]:
        """(requests sent, result) of a call."""
        self.sent.clear()
        result = call()
        return list(self.sent), result


def recording(wire: Wire) -> Callable[..., requests.Response]:
    """HTTPAdapter.send, but what it sends to an API is written down."""
    send = requests.adapters.HTTPAdapter.send

    def record(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        if "/api/" in url.path:
            body = json.loads(request.body) if request.body else None
            paging = ("page_size", "page_token", "max_results", "limit")
            query = sorted((name, value) for name, value in parse_qsl(url.query) if name not in paging)
            wire.sent.append(Sent(request.method or "", url.path, query, body))
        return send(self, request, *args, **kwargs)

    return record


@dataclass
class Pair:
    """Our client and the SDK's, for one account and one workspace of it."""

    account: Account
    sdk_account: AccountClient
    api: WorkspaceApi
    sdk: WorkspaceClient
    seeded: Json


def transport(bench: Bench, base: str, token_path: str) -> Transport:
    credentials = ClientCredentials(bench.settings.client_id, bench.settings.client_secret)
    return Transport(base, ClientCredentialsTokens(base + token_path, lambda: credentials))


def workspace_host(bench: Bench, seeded: Json) -> str:
    return f"{bench.url}/w/{seeded['deployment_name']}"


def workspace_api(bench: Bench, seeded: Json) -> WorkspaceApi:
    return WorkspaceApi(transport(bench, workspace_host(bench, seeded), "/oidc/v1/token"))


def make_pair(bench: Bench, seeded: Json) -> Pair:
    settings = bench.settings
    secret: Any = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    account = transport(bench, bench.url, f"/oidc/accounts/{settings.account_id}/v1/token")
    return Pair(
        Account(account, settings.account_id),
        AccountClient(config=Config(host=bench.url, account_id=settings.account_id, **secret)),
        workspace_api(bench, seeded),
        WorkspaceClient(config=Config(host=workspace_host(bench, seeded), **secret)),
        seeded,
    )


def same(wire: Wire, ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[Any, Any]:
    """Run both; what they sent must be equal. Gives what each understood."""
    we_sent, we_got = wire.during(ours)
    they_sent, they_got = wire.during(theirs)
    assert we_sent == they_sent
    assert we_sent
    return we_got, they_got
