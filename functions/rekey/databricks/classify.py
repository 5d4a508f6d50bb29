"""The only place where Databricks' refusals are given one of our names.

As in the official SDK the code comes before the status (databricks-sdk-py errors/mapper.py and errors/platform.py,
0.156.0), but for what the SDK repeats whatever the code: 429 and 503 (errors/customizer.py) and some texts
(_base_client.py). Rows marked "ours" are not in the SDK; tests/simulator/test_oracle_errors.py holds the two together.
"""

import re
from collections.abc import Mapping
from typing import Any

import requests

from rekey.base.errors import (
    DatabricksError,
    DatabricksThrottled,
    DatabricksUnavailable,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RekeyError,
    Transient,
    Unauthenticated,
)
from rekey.databricks.answers import Asked, Said, read_error
from rekey.databricks.gone import Object
from rekey.databricks.network import refused_on_the_way

Kind = type[DatabricksError] | type[Transient]
"""OutcomeUnknown stands for "may have been applied"; a request that changes nothing is DatabricksUnavailable then."""

_AT_THE_DOOR: Mapping[int, Kind] = {429: DatabricksThrottled, 503: DatabricksUnavailable}
"""Turned away before anybody looked at it, whatever the code."""

_BY_TEXT: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile("RPC token bucket limit has been exceeded"), DatabricksThrottled),
    (
        re.compile(
            "UnknownWorkerEnvironmentException|Unknown worker environment|There is no worker environment with id|"
            "does not have any associated worker environments|worker env .* not found|ClusterNotReadyException|"
            r"Unexpected error|Please try again later or try a faster operation\."
        ),
        DatabricksUnavailable,
    ),
    # databricks-sdk-go apierr/transient.go: it ran out of time, at work.
    (re.compile("Timed out after |deadline exceeded"), OutcomeUnknown),
)
"""Texts that pass although they come with a 4xx."""

_BY_CODE: Mapping[str, Kind] = {
    "INVALID_STATE": InvalidState,
    "INVALID_PARAMETER_VALUE": DatabricksError,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "ABORTED": InvalidState,
    "ALREADY_EXISTS": InvalidState,
    "RESOURCE_ALREADY_EXISTS": InvalidState,
    "RESOURCE_EXHAUSTED": DatabricksThrottled,
    "REQUEST_LIMIT_EXCEEDED": DatabricksThrottled,
    "UNKNOWN": OutcomeUnknown,
    "DATA_LOSS": OutcomeUnknown,
    # Ours: the account API says them in front of its message, where the SDK looks for no code.
    "NOT_FOUND": NotFound,
    "INVALID_STATE_TRANSITION": InvalidState,
    "RESOURCE_CONFLICT": InvalidState,
    "TEMPORARILY_UNAVAILABLE": DatabricksUnavailable,
    # Ours: the host or the path is wrong, which says nothing about the object.
    "ENDPOINT_NOT_FOUND": DatabricksError,
}

_BY_STATUS: Mapping[int, Kind] = {
    401: Unauthenticated,
    403: PermissionDenied,
    404: NotFound,
    408: OutcomeUnknown,  # Ours: it gave up while it waited.
    409: InvalidState,
    499: OutcomeUnknown,  # Ours: it was cut off at work.
    501: DatabricksError,
    509: DatabricksUnavailable,  # Ours: the maintenance window of PATCH (Account API description of 2022).
}
"""Any other status of 500 and more may have been applied; any other is final."""


def refused(response: requests.Response, asked: Asked) -> RekeyError:
    """The error for an answer that is no acceptance: anything but 2xx. It repeats what Databricks said."""
    said = read_error(response)
    location = response.headers.get("Location", "") if 300 <= said.status < 400 else ""
    if network := refused_on_the_way(asked, said, location):
        return network
    if 300 <= said.status < 400:
        text = (
            f"Databricks answered {asked.method} {asked.path} ({said.status}) with the way to another page "
            f"({location.partition('?')[0] or 'none given'}). Fix: check the host, and what is between it and rekey."
        )
        return DatabricksError(text, status=said.status, code=said.code)
    code = f" {said.code}" if said.code else ""
    text = f"Databricks refused {asked.method} {asked.path} ({said.status}{code}): {said.message}"
    facts: dict[str, Any] = {"status": said.status, "code": said.code}
    kind = _kind(said, asked)
    if kind is OutcomeUnknown:
        return asked.lost(text, **facts, retry_after=said.retry_after)
    if issubclass(kind, Transient):
        return kind(text, **facts, retry_after=said.retry_after)
    return kind(text, **facts)


def _kind(said: Said, asked: Asked) -> Kind:
    if door := _AT_THE_DOOR.get(said.status):
        return door
    wanted = Object.of(asked)
    if wanted and wanted.is_gone(said):
        return NotFound
    if by_text := next((kind for text, kind in _BY_TEXT if text.search(said.message)), None):
        # From 500 on nobody knows whether it was applied, whatever it says.
        return OutcomeUnknown if said.status >= 500 else by_text
    kind = _BY_CODE.get(said.code) or _BY_STATUS.get(said.status)
    if kind is NotFound and wanted:
        return DatabricksError  # It speaks of something else.
    return kind or (OutcomeUnknown if said.status >= 500 else DatabricksError)
