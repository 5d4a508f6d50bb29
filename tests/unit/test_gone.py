"""Gone for good, told from "not now" and from another thing that is gone: by kind of object and by what is said."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from rekey.base import errors
from rekey.databricks import WorkspaceApi
from rekey.databricks.transport import Transport

HOST = "https://adb.example.com"
CLUSTER, POOL, WAREHOUSE, PIPELINE = "0412-101112-abc1de23", "0101-120000-pool-1", "1c419929a853c89b", "a1b2-c3d4"
INVALID = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"

Call = Callable[[WorkspaceApi], Any]

CALLS: dict[str, list[Call]] = {
    "cluster": [
        lambda api: api.get_cluster(CLUSTER),
        lambda api: api.start_cluster(CLUSTER),
        lambda api: api.terminate_cluster(CLUSTER),
    ],
    "run": [lambda api: api.cancel_run(5)],
    "job": [lambda api: api.update_job(5, {})],
    "pool": [lambda api: api.edit_pool({"instance_pool_id": POOL})],
    "warehouse": [lambda api: api.start_warehouse(WAREHOUSE), lambda api: api.stop_warehouse(WAREHOUSE)],
    "pipeline": [
        lambda api: api.get_pipeline(PIPELINE),
        lambda api: api.start_pipeline(PIPELINE),
        lambda api: api.stop_pipeline(PIPELINE),
    ],
}

GONE = [
    ("cluster", 400, INVALID, f"Cluster {CLUSTER} does not exist"),
    ("cluster", 400, INVALID, f"Cluster '{CLUSTER}' does not exist."),
    ("cluster", 400, "", f"Cluster {CLUSTER} does not exist"),
    ("cluster", 404, MISSING, f"Cluster {CLUSTER} does not exist"),
    (
        "cluster",
        400,
        "INVALID_STATE",
        f"Cannot access cluster {CLUSTER} that was terminated or unpinned more than 30 days ago.",
    ),
    ("run", 400, INVALID, "Run 5 does not exist."),
    ("run", 400, INVALID, "Run: 5 in job: 77 doesn't exist"),
    ("run", 404, "", "Not Found"),
    ("job", 400, INVALID, "Job 5 does not exist."),
    ("job", 403, "PERMISSION_DENIED", "Job 5 does not exist."),
    ("job", 404, MISSING, "Job 5 does not exist."),
    ("pool", 404, MISSING, f"Can't find an instance pool with id: {POOL}"),
    ("pool", 400, INVALID, f"Instance pool with id {POOL} does not exist"),
    ("warehouse", 404, MISSING, f"The warehouse {WAREHOUSE} was not found."),
    ("warehouse", 404, MISSING, f"SQL warehouse {WAREHOUSE} does not exist"),
    ("warehouse", 404, "NOT_FOUND", "Item not found"),
    ("pipeline", 404, MISSING, f"The specified pipeline {PIPELINE} was not found."),
    ("pipeline", 404, "", ""),
    ("pipeline", 404, MISSING, f"Pipeline {PIPELINE} not found in workspace 7474"),
]

NOT_GONE = [
    # What the object needs is gone, in the same words.
    ("cluster", 400, INVALID, "Cluster policy 0001 does not exist"),
    ("cluster", 400, INVALID, "Instance pool 0101-pool-9 does not exist"),
    ("cluster", 404, MISSING, "Can't find an instance pool with id: 0101-pool-9"),
    ("cluster", 404, MISSING, "Workspace 7474 does not exist"),
    ("job", 400, INVALID, "Cluster 0101-000000-other1 does not exist"),
    ("job", 404, MISSING, "Cluster 0101-000000-other1 does not exist"),
    ("job", 404, MISSING, "Job 5: cluster 0101-000000-other1 does not exist"),
    ("run", 400, INVALID, "Job 77 does not exist."),
    ("pool", 404, MISSING, "Node type i3.xlarge not found"),
    ("pipeline", 404, MISSING, "The cluster policy ABC was not found."),
    # Another object of the kind.
    ("cluster", 400, INVALID, "Cluster 0101-000000-other1 does not exist"),
    ("cluster", 400, INVALID, f"Cluster {CLUSTER}4 does not exist"),
    ("run", 400, INVALID, "Run 55 does not exist."),
    ("job", 400, INVALID, "Job 15 does not exist."),
    (
        "cluster",
        400,
        "INVALID_STATE",
        "Cannot access cluster 0101-000000-other1 that was terminated or unpinned more than 30 days ago.",
    ),
    # Not now.
    ("cluster", 400, "INVALID_STATE", f"Cluster {CLUSTER} is in unexpected state Running."),
    ("warehouse", 400, "INVALID_STATE", f"Warehouse {WAREHOUSE} is being deleted"),
    # Perhaps only hidden.
    ("job", 403, "PERMISSION_DENIED", "User sp does not have Manage permissions on job 5"),
    ("job", 403, "PERMISSION_DENIED", "You have no permission, or Job 5 does not exist."),
    # The endpoint, not the object.
    ("warehouse", 404, "ENDPOINT_NOT_FOUND", "No API found for 'POST /sql/warehouses/start'"),
    ("cluster", 404, "", "Invalid endpoint"),
    # It is only spoken of.
    ("cluster", 500, "INTERNAL_ERROR", f"Cluster {CLUSTER} does not exist"),
    ("cluster", 429, MISSING, f"Cluster {CLUSTER} does not exist"),
]


def raised(web: responses.RequestsMock, call: Call, status: int, body: str) -> Exception:
    for method in ("GET", "POST"):
        web.add(method, re.compile(".*"), status=status, body=body)
    with pytest.raises(errors.RekeyError) as error:
        call(WorkspaceApi(Transport(HOST, Tokens())))
    return error.value


class Tokens:
    def token(self) -> str:
        return "token"

    def forget(self) -> None:
        pass


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def bodies(code: str, message: str) -> list[str]:
    """As the workspace API words it, and with the code in front of the message."""
    if not code:
        return [json.dumps({"message": message}), message]
    return [json.dumps({"error_code": code, "message": message}), json.dumps({"message": f"{code}: {message}"})]


@pytest.mark.rule("missing-is-400")
@pytest.mark.parametrize(("kind", "status", "code", "message"), GONE)
def test_gone(web: responses.RequestsMock, kind: str, status: int, code: str, message: str) -> None:
    for body in bodies(code, message):
        for call in CALLS[kind]:
            web.reset()
            assert type(raised(web, call, status, body)) is errors.NotFound, body


@pytest.mark.parametrize(("kind", "status", "code", "message"), NOT_GONE)
def test_not_gone(web: responses.RequestsMock, kind: str, status: int, code: str, message: str) -> None:
    for body in bodies(code, message):
        for call in CALLS[kind]:
            web.reset()
            error = raised(web, call, status, body)
            assert not isinstance(error, errors.NotFound), body
            assert message in str(error)


@pytest.mark.parametrize("kind", CALLS)
def test_a_page_says_nothing_about_an_object(web: responses.RequestsMock, kind: str) -> None:
    page = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
    for call in CALLS[kind]:
        web.reset()
        error = raised(web, call, 404, page)
        assert type(error) is errors.DatabricksError
        assert "404 Not Found: nginx" in str(error)
