"""Kept out by the network: recognised before status and code, at the APIs and at the token endpoints alike."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from rekey.base import errors
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from rekey.databricks.transport import Transport

HOST = "https://accounts.example.com"
BLOCKED = "Source IP address: {} is blocked by Databricks IP ACL for {}: 7474646471015793 [ReqId: d326a0e7-36b8]"
NO_ADDRESS = "Request is blocked by Databricks IP ACL for workspace: 7474"
NOT_PRIVATE = ("Unauthorized network access to workspace: 7474", "Public access is not allowed for workspace: 7474")


class Tokens:
    def token(self) -> str:
        return "token"

    def forget(self) -> None:
        pass


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def at_the_api(web: responses.RequestsMock, **answer: Any) -> Exception:
    for method in ("GET", "POST"):
        web.add(method, f"{HOST}/x", **answer)
    found = []
    for method in ("GET", "POST"):
        with pytest.raises(errors.RekeyError) as raised:
            Transport(HOST, Tokens()).call(method, "/x")
        found.append(raised.value)
    assert type(found[0]) is type(found[1])
    return found[0]


def at_the_token_endpoint(web: responses.RequestsMock, **answer: Any) -> Exception:
    web.post(f"{HOST}/oidc/v1/token", **answer)
    with pytest.raises(errors.RekeyError) as raised:
        ClientCredentialsTokens(f"{HOST}/oidc/v1/token", lambda: ClientCredentials("id", "hunter2")).token()
    return raised.value


@pytest.mark.parametrize("ask", [at_the_api, at_the_token_endpoint])
@pytest.mark.parametrize("where", ["account", "workspace"])
@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::7"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
@pytest.mark.parametrize("code", [403, "403", "PERMISSION_DENIED", "INVALID_STATE", "RESOURCE_DOES_NOT_EXIST", None])
def test_an_access_list_is_named_with_the_address_and_the_fix(
    web: responses.RequestsMock, ask: Any, where: str, address: str, status: int, code: Any
) -> None:
    said = BLOCKED.format(address, where)
    error = ask(web, status=status, json={"error_code": code, "message": said})
    assert type(error) is errors.NetworkRefused
    assert error.address == address
    assert error.status == status
    assert said in str(error)
    assert f"Fix: put {address} on the IP access list of the Databricks {where}" in str(error)
    assert "The credential is not at fault" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("ask", [at_the_api, at_the_token_endpoint])
@pytest.mark.parametrize(
    "body",
    [
        BLOCKED.format("198.51.100.7", "workspace"),
        f"<html><body><pre>{BLOCKED.format('198.51.100.7', 'workspace')}</pre></body></html>",
        json.dumps({"error": "access_denied", "error_description": BLOCKED.format("198.51.100.7", "workspace")}),
        json.dumps({"error": {"code": 403, "message": BLOCKED.format("198.51.100.7", "workspace")}}),
        json.dumps({"error_code": 403, "message": BLOCKED.format("198.51.100.7", "workspace"), "details": None}),
    ],
)
def test_an_access_list_in_every_shape_of_an_answer(web: responses.RequestsMock, ask: Any, body: str) -> None:
    error = ask(web, status=403, body=body)
    assert type(error) is errors.NetworkRefused
    assert error.address == "198.51.100.7"


def test_an_access_list_that_names_no_address(web: responses.RequestsMock) -> None:
    error = at_the_api(web, status=403, json={"message": NO_ADDRESS})
    assert type(error) is errors.NetworkRefused
    assert error.address == ""
    assert "the address from which rekey reaches Databricks" in str(error)


@pytest.mark.parametrize("ask", [at_the_api, at_the_token_endpoint])
@pytest.mark.parametrize("said", NOT_PRIVATE)
@pytest.mark.parametrize("form", ["json", "text", "header"])
def test_a_workspace_that_is_reached_privately_only(
    web: responses.RequestsMock, ask: Any, said: str, form: str
) -> None:
    answers: dict[str, dict[str, Any]] = {
        "json": {"json": {"error_code": "403", "message": said}},
        "text": {"body": said},
        "header": {"headers": {"X-Databricks-Reason-Phrase": said}},
    }
    error = ask(web, status=403, **answers[form])
    assert type(error) is errors.NetworkRefused
    assert said in str(error)
    assert "private access settings" in str(error)


@pytest.mark.parametrize(
    "said",
    ["the service principal is no account admin", "blocked", "IP access list quota exceeded", "network is unreachable"],
)
def test_any_other_403_is_the_credentials_and_repeats_what_was_said(web: responses.RequestsMock, said: str) -> None:
    error = at_the_api(web, status=403, json={"error_code": 403, "message": said})
    assert type(error) is errors.PermissionDenied
    assert said in str(error)
    assert error.code == ""
