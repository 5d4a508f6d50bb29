"""The SDK as oracle: errors and lost answers (tests/simulator/oracle.py says how)."""

import inspect
import json
import re
from contextlib import suppress
from typing import Any

import pytest
import requests
from databricks.sdk import _base_client
from databricks.sdk import errors as sdk_errors
from databricks.sdk.errors import platform
from databricks.sdk.errors.base import DatabricksError as SdkError
from databricks.sdk.errors.overrides import _ALL_OVERRIDES
from databricks.sdk.errors.parser import _Parser
from databricks.sdk.service import provisioning

from rekey.base import errors
from rekey.databricks import KeyConfiguration
from rekey.databricks.answers import Asked
from rekey.databricks.classify import refused
from tests.simulator.bench import Bench
from tests.simulator.oracle import Pair, Wire

ERRORS: dict[type[Exception], type[Exception] | tuple[type[Exception], ...]] = {
    errors.NotFound: sdk_errors.NotFound,
    errors.InvalidState: (sdk_errors.InvalidState, sdk_errors.ResourceConflict),
    errors.Unauthenticated: sdk_errors.Unauthenticated,
    errors.PermissionDenied: sdk_errors.PermissionDenied,
    errors.DatabricksError: sdk_errors.BadRequest,
}


@pytest.mark.rule("code-in-message")
@pytest.mark.parametrize(
    ("status", "body", "ours"),
    [
        (404, '{"message": "Invalid endpoint"}', errors.NotFound),
        (404, '{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "gone"}', errors.NotFound),
        (409, "", errors.InvalidState),
        (400, '{"error_code": "INVALID_STATE", "message": "not now"}', errors.InvalidState),
        (409, '{"message": "INVALID_STATE: Please terminate all pool"}', errors.InvalidState),
        (403, '{"error_code": "PERMISSION_DENIED", "message": "no"}', errors.PermissionDenied),
        (400, '{"message": "MALFORMED_REQUEST: what"}', errors.DatabricksError),
    ],
)
def test_errors_are_understood_as_the_sdk_understands_them(
    pair: Pair, bench: Bench, status: int, body: str, ours: type[Exception]
) -> None:
    fault = {"match": {"method": "GET", "path": "/workspaces/"}, "fault": "status", "status": status, "body": body}
    bench.side("POST", "/faults", {**fault, "times": 2})
    workspace_id = pair.seeded["workspace_id"]
    with pytest.raises(ours) as refusal:
        pair.account.get_workspace(workspace_id)
    assert type(refusal.value) is ours
    with pytest.raises(ERRORS[ours]):
        pair.sdk_account.workspaces.get(workspace_id)


def test_a_lost_answer_is_left_to_the_caller_where_the_sdk_repeats_a_post(pair: Pair, wire: Wire, bench: Bench) -> None:
    def ordered() -> None:
        match = {"method": "POST", "path": "/customer-managed-keys"}
        bench.side("POST", "/faults", {"match": match, "fault": "applied_then_lost", "times": 1})

    def ours() -> KeyConfiguration | None:
        with suppress(errors.OutcomeUnknown):
            return pair.account.create_configuration(bench.key(), ["MANAGED_SERVICES"], reuse_for_volumes=True)
        return None

    ordered()
    sent, got = wire.during(ours)
    assert (len(sent), got) == (1, None)
    assert len(pair.account.list_configurations()) == 1
    ordered()
    key = provisioning.CreateAwsKeyInfo(key_arn=bench.key())
    use_cases = [provisioning.KeyUseCase.MANAGED_SERVICES]
    sent, _ = wire.during(lambda: pair.sdk_account.encryption_keys.create(use_cases=use_cases, aws_key_info=key))
    assert len(sent) == 2
    assert len(pair.account.list_configurations()) == 3


# --- the whole table: each answer read by both ---

STATUSES = [400, 401, 403, 404, 409, 410, 418, 429, 499, 500, 501, 502, 503, 504, 509]
CODES = [
    *platform.ERROR_CODE_MAPPING,
    *("", "PERMISSION_DENIED", "UNAUTHENTICATED", "INTERNAL_ERROR", "BAD_REQUEST", "FEATURE_DISABLED", "SOMETHING_NEW"),
]

MEANT: dict[type[Exception], type[Exception]] = {
    sdk_errors.NotFound: errors.NotFound,
    sdk_errors.InvalidState: errors.InvalidState,
    sdk_errors.ResourceConflict: errors.InvalidState,
    sdk_errors.PermissionDenied: errors.PermissionDenied,
    sdk_errors.Unauthenticated: errors.Unauthenticated,
    sdk_errors.TooManyRequests: errors.DatabricksThrottled,
    sdk_errors.NotImplemented: errors.DatabricksError,
    sdk_errors.BadRequest: errors.DatabricksError,
    # Whatever went wrong inside, or while it was at work, may have been applied.
    sdk_errors.InternalError: errors.OutcomeUnknown,
    sdk_errors.DeadlineExceeded: errors.OutcomeUnknown,
    sdk_errors.Cancelled: errors.OutcomeUnknown,
    sdk_errors.TemporarilyUnavailable: errors.DatabricksUnavailable,
}
"""The SDK's name, most special first, and ours for a request that changes something."""


def answered(status: int, body: Any, method: str = "POST", path: str = "/api/2.0/x") -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = status, "Reason"
    response.url = f"https://adb.example.com{path}"
    response.request = requests.Request(method, response.url).prepare()
    response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response


def of_the_sdk(response: requests.Response) -> type[Exception]:
    """What the SDK's error means in our names: by what it repeats, then by its class."""
    error = _Parser().get_api_error(response)
    assert error is not None
    if error.retry_after_secs is not None:
        return errors.DatabricksThrottled if response.status_code == 429 else errors.DatabricksUnavailable
    meant = next((ours for theirs, ours in MEANT.items() if isinstance(error, theirs)), None)
    if meant:
        return meant
    # The SDK has no name for it.
    if response.status_code == 509:
        return errors.DatabricksUnavailable
    return errors.OutcomeUnknown if response.status_code >= 500 else errors.DatabricksError


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("code", CODES)
def test_the_code_comes_before_the_status_as_in_the_sdk(status: int, code: str) -> None:
    shapes: list[Any] = [{"error_code": code, "message": "why"}]
    if not code:
        shapes = [
            {"message": "why"},
            {"error_code": status, "message": "why"},
            b"",
            {"error": "why"},
            {"detail": "why"},
        ]
    for body in shapes:
        response = answered(status, body)
        ours = refused(response, Asked("POST", "/api/2.0/x"))
        assert type(ours) is of_the_sdk(response), body


def test_every_status_of_the_sdk_is_tried() -> None:
    """A newer SDK that knows more is noticed here; its codes are tried as they are."""
    assert set(platform.STATUS_CODE_MAPPING) <= set(STATUSES)


@pytest.mark.parametrize(
    ("status", "body", "ours", "theirs"),
    [
        # The account API says its code in front of the message, where the SDK looks for none.
        (400, {"message": "INVALID_STATE: Please"}, errors.InvalidState, sdk_errors.BadRequest),
        (400, {"error_code": "NOT_FOUND", "message": "x"}, errors.NotFound, sdk_errors.BadRequest),
        # That there is no such endpoint says nothing about the object.
        (404, {"error_code": "ENDPOINT_NOT_FOUND", "message": "x"}, errors.DatabricksError, sdk_errors.NotFound),
        # The SDK's base class is all it has for these.
        (509, {"message": "maintenance"}, errors.DatabricksUnavailable, SdkError),
        (408, {"message": "slow"}, errors.OutcomeUnknown, SdkError),
    ],
)
def test_where_rekey_decides_otherwise(status: int, body: Any, ours: type[Exception], theirs: type[Exception]) -> None:
    response = answered(status, body)
    assert type(refused(response, Asked("POST", "/api/2.0/x"))) is ours
    assert type(_Parser().get_api_error(response)) is theirs


def texts_of_the_sdk() -> list[str]:
    """The texts that the SDK repeats a request for; they are written inside the function that looks for them."""
    source = inspect.getsource(_base_client._BaseClient._is_retryable)
    found = re.search(r"transient_error_string_matches = \[(.*?)\]", source, re.DOTALL)
    assert found
    return re.findall(r'"([^"]+)"', found[1])


@pytest.mark.parametrize("text", texts_of_the_sdk())
@pytest.mark.parametrize("status", [400, 403, 404, 409])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_texts_that_the_sdk_repeats_a_request_for_are_transient(text: str, status: int, method: str) -> None:
    response = answered(status, {"error_code": "INVALID_PARAMETER_VALUE", "message": f"so: {text}!"}, method)
    error = _Parser().get_api_error(response)
    assert error is not None
    assert _base_client._BaseClient._is_retryable(error)
    assert isinstance(refused(response, Asked(method, "/api/2.0/x", changing=method == "POST")), errors.Transient)


GONE: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "Clusters": ("/api/2.1/clusters/get", {"cluster_id": "7"}, ["Cluster 7 does not exist"]),
    "Jobs": ("/api/2.2/jobs/get", {"job_id": 7}, ["Job 7 does not exist"]),
    "Job Runs": ("/api/2.2/jobs/runs/get", {"run_id": 7}, ["Run 7 does not exist", "Run: 7 in job: 8 doesn't exist"]),
}
"""By the beginning of the name of each of the SDK's overrides: path, query, and what is said."""


@pytest.mark.rule("missing-is-400")
@pytest.mark.parametrize("override", _ALL_OVERRIDES, ids=lambda each: each.debug_name)
def test_gone_as_the_sdk_understands_it(override: Any) -> None:
    path, query, texts = GONE[override.debug_name.partition(" Invalid")[0]]
    for text in texts:
        body = {"error_code": "INVALID_PARAMETER_VALUE", "message": text}
        response = answered(400, body, "GET", path)
        assert type(refused(response, Asked("GET", path, query, changing=False))) is errors.NotFound
        assert isinstance(_Parser().get_api_error(response), sdk_errors.NotFound)


def test_gone_where_the_sdk_does_not_look_which_one_it_is() -> None:
    path = "/api/2.1/clusters/get"
    response = answered(
        400, {"error_code": "INVALID_PARAMETER_VALUE", "message": "Cluster 8 does not exist"}, "GET", path
    )
    assert isinstance(_Parser().get_api_error(response), sdk_errors.NotFound)
    asked = Asked("GET", path, {"cluster_id": "7"}, changing=False)
    assert type(refused(response, asked)) is errors.DatabricksError


def test_private_link_as_the_sdk_understands_it() -> None:
    """The SDK follows the redirect and looks where it ended; rekey looks where it leads to."""
    place = "/login.html?error=private-link-validation-error:7474"
    followed = answered(200, b"<html>", "GET", place)
    assert isinstance(_Parser().get_api_error(followed), sdk_errors.PermissionDenied)
    redirect = answered(302, b"", "GET")
    redirect.headers["Location"] = place
    assert type(refused(redirect, Asked("GET", "/api/2.0/x", changing=False))) is errors.NetworkRefused
