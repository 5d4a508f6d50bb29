"""null, absent and empty are the same, and an odd object never costs its neighbours."""

import base64
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from rekey.base import errors
from rekey.databricks import Account, WorkspaceApi
from rekey.databricks.transport import Transport

HOST = "https://adb.example.com"
ANYTHING = re.compile(".*")
NULLISH = [b"{}", b"null", b"[]"]


class Tokens:
    def token(self) -> str:
        return "token"

    def forget(self) -> None:
        pass


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


API = WorkspaceApi(Transport(HOST, Tokens()))
ACCOUNT = Account(Transport(HOST, Tokens()), "a1")

Lister = Callable[[], list[dict[str, Any]]]

LISTS: dict[str, tuple[Lister, str, dict[str, Any]]] = {
    "clusters": (lambda: API.list_clusters(["RUNNING"]), "cluster_id", {"state": "UNKNOWN"}),
    "instance_pools": (API.list_pools, "instance_pool_id", {}),
    "warehouses": (API.list_warehouses, "id", {"state": "UNKNOWN"}),
    "jobs": (API.list_jobs, "job_id", {"settings": {}}),
    "runs": (API.list_active_runs, "run_id", {"state": {}}),
    "statuses": (API.list_pipelines, "pipeline_id", {"state": "UNKNOWN"}),
    "objects": (lambda: API.list_objects("/Shared"), "path", {"object_type": "UNKNOWN"}),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("form", ["null", "empty", "absent", "whole answer null", "token null"])
def test_a_list_that_holds_nothing(web: responses.RequestsMock, name: str, form: str) -> None:
    answers: dict[str, Any] = {
        "null": {name: None},
        "empty": {name: []},
        "absent": {},
        "whole answer null": None,
        "token null": {name: None, "next_page_token": None, "has_more": None},
    }
    web.get(ANYTHING, body=json.dumps(answers[form]))
    assert LISTS[name][0]() == []


@pytest.mark.parametrize("name", LISTS)
def test_an_object_without_its_id_costs_no_neighbour(
    web: responses.RequestsMock, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    ask, id_field, defaults = LISTS[name]
    odd = [{}, {id_field: None, "state": None}, {"name": "no id"}, {id_field: ""}, None, "text", 17, []]
    first, second = {id_field: "1", "a": None}, {id_field: "2"}
    pages = [{name: [*odd, first], "next_page_token": "more"}, {name: [second, *odd], "next_page_token": ""}]
    for page in pages:
        web.get(ANYTHING, json=page)
    with caplog.at_level(logging.WARNING):
        assert ask() == [{**defaults, id_field: "1"}, {**defaults, id_field: "2"}]
    assert f"8 of 10 {name} that Databricks listed have no {id_field}: passed over" in caplog.text.replace("\n", " ")
    assert f"{name} that Databricks listed are no objects: passed over" in caplog.text


@pytest.mark.parametrize("name", LISTS)
def test_what_rekey_does_not_know_is_passed_on(web: responses.RequestsMock, name: str) -> None:
    ask, id_field, _ = LISTS[name]
    new = {id_field: "1", "state": "HIBERNATING", "object_type": "GENIE_SPACE", "settings": {"new": 1}, "later": True}
    web.get(ANYTHING, json={name: [new]})
    assert ask() == [new]


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("answer", [{"x": 1}, "text", 17, [1]])
def test_what_is_no_list_is_an_error_and_not_an_empty_one(web: responses.RequestsMock, name: str, answer: Any) -> None:
    web.get(ANYTHING, json={name: answer} if answer != [1] else answer)
    with pytest.raises(errors.DatabricksError, match="was expected"):
        LISTS[name][0]()


@pytest.mark.parametrize("name", [each for each in LISTS if each not in ("instance_pools", "objects")])
def test_a_list_that_never_ends_is_an_error(web: responses.RequestsMock, name: str) -> None:
    web.get(ANYTHING, json={name: [{LISTS[name][1]: "1"}], "next_page_token": "again"})
    with pytest.raises(errors.DatabricksError, match="again and again"):
        LISTS[name][0]()


@pytest.mark.parametrize("nulls", [None, []])
def test_more_tasks_of_a_job_that_come_as_null(web: responses.RequestsMock, nulls: Any) -> None:
    listed = {"job_id": 5, "has_more": True, "settings": {"name": "etl", "tasks": [{"task_key": "a"}]}}
    web.get(re.compile(".*/jobs/list"), json={"jobs": [{"job_id": 4, "settings": None, "has_more": True}, listed]})
    pages: list[dict[str, Any]] = [{"settings": None}, {"settings": {"tasks": nulls}}]
    whole = [*pages, {"settings": {"tasks": [{"task_key": "a"}, {"task_key": "b"}]}}]
    for number, page in enumerate(whole):
        token = f"t{number}" if number + 1 < len(whole) else None
        web.get(re.compile(r".*/jobs/get\?job_id=5"), json={**page, "next_page_token": token})
    web.get(re.compile(r".*/jobs/get\?job_id=4"), json={})
    four, five = API.list_jobs()
    assert four["settings"] == {"tasks": []}
    assert five["settings"] == {"name": "etl", "tasks": [{"task_key": "a"}, {"task_key": "b"}]}


def test_the_tasks_that_were_listed_stay_when_a_job_goes_meanwhile(web: responses.RequestsMock) -> None:
    gone = {"error_code": "INVALID_PARAMETER_VALUE", "message": "Job 5 does not exist."}
    tasks = [{"task_key": "a", "job_cluster_key": "c"}]
    job = {"job_id": 5, "has_more": True, "settings": {"tasks": tasks}}
    web.get(re.compile(".*/jobs/list"), json={"jobs": [job]})
    web.get(re.compile(".*/jobs/get"), json=gone, status=400)
    assert API.list_jobs()[0]["settings"]["tasks"] == tasks
    gone["message"] = "Run: 6 in job: 5 doesn't exist"
    web.get(re.compile(".*/runs/list"), json={"runs": [{"run_id": 6, "has_more": True, "tasks": tasks}]})
    web.get(re.compile(".*/runs/get"), json=gone, status=400)
    assert API.list_active_runs()[0]["tasks"] == tasks


@pytest.mark.parametrize("body", NULLISH)
def test_objects_that_come_with_nothing_in_them(web: responses.RequestsMock, body: bytes) -> None:
    web.get(ANYTHING, body=body)
    assert API.get_cluster("c1") == {"cluster_id": "c1", "state": "UNKNOWN"}
    assert API.get_pipeline("p1") == {"pipeline_id": "p1", "spec": {}}
    assert API.get_object("/a") == {"path": "/a", "object_type": "UNKNOWN"}
    assert API.get_permissions("notebooks", 7) == []
    assert not API.is_admin()
    assert ACCOUNT.get_workspace(7).workspace_id == 7
    assert ACCOUNT.get_network("n1").network_id == "n1"
    with pytest.raises(errors.DatabricksError, match="lacks aws_credentials"):
        ACCOUNT.cross_account_role("c1")
    with pytest.raises(errors.DatabricksError, match="lacks root_bucket_info"):
        ACCOUNT.root_bucket("s1")
    assert ACCOUNT.list_workspaces() == []
    assert ACCOUNT.list_configurations() == []


@pytest.mark.parametrize("answer", [{"aws_credentials": None}, {"aws_credentials": {"sts_role": "x"}}])
def test_a_role_that_is_not_there_is_named_by_its_field(web: responses.RequestsMock, answer: Any) -> None:
    web.get(ANYTHING, json=answer)
    with pytest.raises(errors.DatabricksError, match=r"lacks aws_credentials\.sts_role\.role_arn"):
        ACCOUNT.cross_account_role("c1")


def test_groups_that_are_null_or_odd(web: responses.RequestsMock) -> None:
    web.get(ANYTHING, json={"groups": None})
    web.get(ANYTHING, json={"groups": [None, {"display": None}, {"display": "admins"}]})
    assert not API.is_admin()
    assert API.is_admin()


def test_workspaces_without_an_id_still_count_as_users_of_their_keys(
    web: responses.RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    shown = [
        None,
        {"workspace_id": None, "workspace_name": "lost"},
        {"workspace_name": "keyed", "storage_customer_managed_key_id": "cmk1"},
        {"workspace_id": "12", "workspace_status": None, "aws_region": None, "compute_mode": None},
        {"workspace_id": 13, "workspace_status": "DREAMING", "managed_services_customer_managed_key_id": None},
    ]
    web.get(ANYTHING, json=shown)
    found = ACCOUNT.list_workspaces()
    assert [(each.workspace_id, each.status) for each in found] == [(0, "UNKNOWN"), (12, "UNKNOWN"), (13, "DREAMING")]
    assert found[0].refers_to("cmk1")
    assert (found[1].region, found[2].managed_services_key_id) == ("", None)
    assert "'lost' is listed without workspace_id" in caplog.text
    assert "'keyed' is listed without workspace_id" in caplog.text


def test_configurations_with_gaps(web: responses.RequestsMock) -> None:
    shown = [
        {"use_cases": ["STORAGE"]},
        {"customer_managed_key_id": "a", "use_cases": None, "aws_key_info": None},
        {"customer_managed_key_id": "b", "aws_key_info": {"key_arn": None, "reuse_key_for_cluster_volumes": None}},
        {"customer_managed_key_id": "c", "use_cases": ["STORAGE", "DREAMS"], "aws_key_info": {"key_arn": "arn:c"}},
    ]
    web.get(ANYTHING, json=shown)
    a, b, c = ACCOUNT.list_configurations()
    assert (a.use_cases, a.key_arn, a.reuse_key_for_cluster_volumes) == ((), "", True)
    assert (b.use_cases, b.key_arn, b.reuse_key_for_cluster_volumes) == ((), "", True)
    assert (c.use_cases, c.key_arn) == (("STORAGE", "DREAMS"), "arn:c")


def test_a_network_with_gaps(web: responses.RequestsMock) -> None:
    troubles = [None, {"error_type": None, "error_message": "no route"}, "text"]
    web.get(ANYTHING, json={"vpc_status": None, "workspace_id": "12", "error_messages": troubles})
    network = ACCOUNT.get_network("n1")
    assert (network.status, network.workspace_id, network.errors) == ("", 12, ("error: no route",))


@pytest.mark.parametrize("body", [*NULLISH, b"", b'{"workspace_id": null, "customer_managed_key_id": null}'])
def test_something_new_without_an_id_is_to_be_looked_for(web: responses.RequestsMock, body: bytes) -> None:
    web.post(ANYTHING, body=body, status=201)
    with pytest.raises(errors.OutcomeUnknown, match="without saying workspace_id"):
        ACCOUNT.create_workspace({"workspace_name": "x"}, "cmk1", ["STORAGE"])
    with pytest.raises(errors.OutcomeUnknown, match="without saying customer_managed_key_id"):
        ACCOUNT.create_configuration("arn:x", ["STORAGE"], reuse_for_volumes=True)


@pytest.mark.parametrize(
    "answer", [{}, {"content": None}, {"content": ""}, {"content": "%%%"}, {"content": "QQ"}, None]
)
def test_an_export_without_content_is_never_taken_for_an_empty_notebook(
    web: responses.RequestsMock, answer: Any
) -> None:
    web.get(ANYTHING, body=json.dumps(answer))
    for export in (lambda: API.export_object("/a", "JUPYTER"), lambda: API.export_notebook("/a")):
        with pytest.raises(errors.DatabricksError, match="exported /a without content"):
            export()


def test_content_in_lines_and_content_that_is_no_text(web: responses.RequestsMock) -> None:
    web.get(ANYTHING, json={"content": base64.encodebytes(b"x" * 200).decode()})
    web.get(ANYTHING, json={"content": base64.b64encode(b"ok \xff").decode()})
    assert API.export_object("/a", "JUPYTER") == b"x" * 200
    assert API.export_notebook("/a") == "ok \ufffd"
