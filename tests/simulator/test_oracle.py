"""The official SDK as oracle: for each endpoint that rekey's client uses, both are run against the simulator, and
what was sent and what was understood is compared. Where the two differ on purpose, the difference is asserted."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk import errors as sdk_errors
from databricks.sdk.core import Config
from databricks.sdk.service import compute, iam, provisioning, sql, workspace

from rekey import errors
from rekey.databricks import Account, KeyConfiguration, WorkspaceApi
from rekey.databricks.oauth import ClientCredentials, ClientCredentialsTokens
from rekey.databricks.transport import Transport
from rekey.databricks.workspace import Json
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


@pytest.fixture
def wire(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Wire:
    recorded = Wire()
    send = requests.adapters.HTTPAdapter.send

    def record(self: Any, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = urlsplit(request.url or "")
        if "/api/" in url.path:
            body = json.loads(request.body) if request.body else None
            paging = ("page_size", "page_token", "max_results", "limit")
            query = sorted((name, value) for name, value in parse_qsl(url.query) if name not in paging)
            recorded.sent.append(Sent(request.method or "", url.path, query, body))
        return send(self, request, *args, **kwargs)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", record)
    return recorded


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


@pytest.fixture
def pair(bench: Bench) -> Pair:
    settings = bench.settings
    seeded = bench.seed(clusters=4, pools=2, warehouses=4, notebooks=1)
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


def test_get_workspace(pair: Pair, wire: Wire) -> None:
    workspace_id = pair.seeded["workspace_id"]
    ours, theirs = same(
        wire, lambda: pair.account.get_workspace(workspace_id), lambda: pair.sdk_account.workspaces.get(workspace_id)
    )
    assert theirs.workspace_status is not None
    assert (ours.workspace_id, ours.name, ours.deployment_name, ours.region, ours.network_id, ours.status) == (
        theirs.workspace_id,
        theirs.workspace_name,
        theirs.deployment_name,
        theirs.aws_region,
        theirs.network_id,
        theirs.workspace_status.value,
    )
    assert (ours.managed_services_key_id, ours.storage_key_id, ours.credentials_id) == (
        theirs.managed_services_customer_managed_key_id,
        theirs.storage_customer_managed_key_id,
        theirs.credentials_id,
    )


def test_list_workspaces(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(wire, pair.account.list_workspaces, lambda: list(pair.sdk_account.workspaces.list()))
    assert [each.workspace_id for each in ours] == [each.workspace_id for each in theirs]


@pytest.mark.parametrize("use_cases", [["MANAGED_SERVICES"], ["MANAGED_SERVICES", "STORAGE"]])
def test_register_list_and_delete_configurations(pair: Pair, wire: Wire, bench: Bench, use_cases: list[Any]) -> None:
    key_arn = bench.key()
    reuse = True if "STORAGE" in use_cases else None
    ours, theirs = same(
        wire,
        lambda: pair.account.create_configuration(key_arn, use_cases, reuse_for_volumes=True),
        lambda: pair.sdk_account.encryption_keys.create(
            use_cases=[provisioning.KeyUseCase(each) for each in use_cases],
            aws_key_info=provisioning.CreateAwsKeyInfo(key_arn=key_arn, reuse_key_for_cluster_volumes=reuse),
        ),
    )
    assert (list(ours.use_cases), ours.key_arn) == ([each.value for each in theirs.use_cases], key_arn)
    assert ours.configuration_id != theirs.customer_managed_key_id
    listed, sdk_listed = same(
        wire, pair.account.list_configurations, lambda: list(pair.sdk_account.encryption_keys.list())
    )
    assert [each.configuration_id for each in listed] == [each.customer_managed_key_id for each in sdk_listed]
    we_sent, _ = wire.during(lambda: pair.account.delete_configuration(ours.configuration_id))
    they_sent, _ = wire.during(lambda: pair.sdk_account.encryption_keys.delete(theirs.customer_managed_key_id))
    assert [(each.method, each.path.rsplit("/", 1)[0]) for each in we_sent] == [
        (each.method, each.path.rsplit("/", 1)[0]) for each in they_sent
    ]
    assert pair.account.list_configurations() == []


def test_update_workspace_and_the_empty_answer_that_the_sdk_cannot_read(pair: Pair, wire: Wire, bench: Bench) -> None:
    bare = bench.seed()
    workspace_id = bare["workspace_id"]
    made = pair.account.create_configuration(bench.key(), ["MANAGED_SERVICES"], reuse_for_volumes=True)
    wish = provisioning.Workspace(managed_services_customer_managed_key_id=made.configuration_id)
    mask = "managed_services_customer_managed_key_id"

    def theirs() -> None:
        with pytest.raises(KeyError, match="workspace_id"):
            pair.sdk_account.workspaces.update(workspace_id, wish, update_mask=mask)

    they_sent, _ = wire.during(theirs)
    bench.clock.advance(120)
    we_sent, understood = wire.during(
        lambda: pair.account.update_workspace_keys(workspace_id, made.configuration_id, ["MANAGED_SERVICES"])
    )
    assert we_sent == they_sent
    assert understood is None


def test_cross_account_role(pair: Pair, wire: Wire) -> None:
    credentials_id = pair.seeded["credentials_id"]
    ours, theirs = same(
        wire,
        lambda: pair.account.cross_account_role(credentials_id),
        lambda: pair.sdk_account.credentials.get(credentials_id),
    )
    assert ours == theirs.aws_credentials.sts_role.role_arn == pair.seeded["role_arn"]


def test_list_clusters(pair: Pair, wire: Wire) -> None:
    wanted = ["PENDING", "RUNNING"]
    states = [compute.State(each) for each in wanted]
    ours, theirs = same(
        wire,
        lambda: pair.api.list_clusters(wanted),
        lambda: list(pair.sdk.clusters.list(filter_by=compute.ListClustersFilterBy(cluster_states=states))),
    )
    assert [(each["cluster_id"], each["state"]) for each in ours] == [(c.cluster_id, c.state.value) for c in theirs]
    assert len(ours) == 3


def test_lists_longer_than_a_page_are_read_to_their_end(wire: Wire, bench: Bench) -> None:
    many = bench.seed(clusters=140, warehouses=130)
    api = workspace_api(bench, many)
    sent, clusters = wire.during(lambda: api.list_clusters(["RUNNING", "TERMINATED"]))
    assert (len(clusters), len({each["cluster_id"] for each in clusters}), len(sent) > 1) == (140, 140, True)
    assert len({each["id"] for each in api.list_warehouses()}) == 130


def running(pair: Pair) -> list[str]:
    return [each["cluster_id"] for each in pair.api.list_clusters(["RUNNING"])]


def test_terminate_and_start_a_cluster(pair: Pair, wire: Wire, bench: Bench) -> None:
    (cluster_id, *_) = running(pair)
    same(wire, lambda: pair.api.terminate_cluster(cluster_id), lambda: pair.sdk.clusters.delete(cluster_id))
    bench.clock.advance(120)

    def again() -> None:
        with pytest.raises(sdk_errors.InvalidState):
            pair.sdk.clusters.start(cluster_id)

    we_sent, _ = wire.during(lambda: pair.api.start_cluster(cluster_id))
    they_sent, _ = wire.during(again)
    assert we_sent == they_sent
    with pytest.raises(errors.InvalidState):
        pair.api.start_cluster(cluster_id)


def test_list_and_edit_pools(pair: Pair, wire: Wire) -> None:
    ours, theirs = same(wire, pair.api.list_pools, lambda: list(pair.sdk.instance_pools.list()))
    assert [each["instance_pool_id"] for each in ours] == [each.instance_pool_id for each in theirs]
    pool = ours[0]
    assert pool["stats"].get("idle_count", 0) == (theirs[0].stats.idle_count or 0)
    wish = {
        "instance_pool_id": pool["instance_pool_id"],
        "instance_pool_name": pool["instance_pool_name"],
        "node_type_id": pool["node_type_id"],
        "min_idle_instances": 0,
        "max_capacity": pool["max_capacity"],
        "idle_instance_autotermination_minutes": 0,
        "custom_tags": pool["custom_tags"],
    }
    same(wire, lambda: pair.api.edit_pool(wish), lambda: pair.sdk.instance_pools.edit(**wish))


def test_list_stop_and_start_warehouses(pair: Pair, wire: Wire, bench: Bench) -> None:
    ours, theirs = same(wire, pair.api.list_warehouses, lambda: list(pair.sdk.warehouses.list()))
    assert [(each["id"], each["state"], each["enable_serverless_compute"]) for each in ours] == [
        (each.id, each.state.value, each.enable_serverless_compute) for each in theirs
    ]
    chosen = next(each.id for each in theirs if each.state == sql.State.RUNNING)
    same(wire, lambda: pair.api.stop_warehouse(chosen), lambda: pair.sdk.warehouses.stop(chosen))
    bench.clock.advance(60)
    same(wire, lambda: pair.api.start_warehouse(chosen), lambda: pair.sdk.warehouses.start(chosen))


def test_import_export_and_delete_a_notebook(pair: Pair, wire: Wire) -> None:
    path, source = "/Shared/proof", "print(1)\n"
    same(
        wire,
        lambda: pair.api.import_notebook(path, source),
        lambda: pair.sdk.workspace.import_(
            path,
            content=base64.b64encode(source.encode()).decode(),
            format=workspace.ImportFormat.SOURCE,
            language=workspace.Language.PYTHON,
            overwrite=True,
        ),
    )
    ours, theirs = same(
        wire,
        lambda: pair.api.export_notebook(path),
        lambda: pair.sdk.workspace.export(path, format=workspace.ExportFormat.SOURCE),
    )
    assert ours == base64.b64decode(theirs.content).decode()
    assert source in ours
    we_sent, _ = wire.during(lambda: pair.api.delete_notebook(path))
    pair.api.import_notebook(path, source)
    they_sent, _ = wire.during(lambda: pair.sdk.workspace.delete(path, recursive=False))
    assert we_sent == they_sent


def test_workspace_objects_and_their_permissions(pair: Pair, wire: Wire) -> None:
    (ours, theirs) = same(
        wire, lambda: pair.api.list_objects("/Shared"), lambda: list(pair.sdk.workspace.list("/Shared"))
    )
    assert [(each["path"], each["object_id"]) for each in ours] == [(each.path, each.object_id) for each in theirs]
    path = ours[0]["path"]
    found, status = same(wire, lambda: pair.api.get_object(path), lambda: pair.sdk.workspace.get_status(path))
    assert status.language is not None
    assert (found["object_id"], found["language"], found["modified_at"]) == (
        status.object_id,
        status.language.value,
        status.modified_at,
    )
    object_id = found["object_id"]
    same(
        wire,
        lambda: pair.api.set_permissions(
            "notebooks", object_id, [{"user_name": "a@example.com", "permission_level": "CAN_RUN"}]
        ),
        lambda: pair.sdk.permissions.set(
            "notebooks",
            str(object_id),
            access_control_list=[
                iam.AccessControlRequest(user_name="a@example.com", permission_level=iam.PermissionLevel.CAN_RUN)
            ],
        ),
    )
    ours, theirs = same(
        wire,
        lambda: pair.api.get_permissions("notebooks", object_id),
        lambda: pair.sdk.permissions.get("notebooks", str(object_id)),
    )
    assert ours == [each.as_dict() for each in theirs.access_control_list]


@pytest.mark.parametrize("form", ["JUPYTER", "SOURCE"])
def test_export_and_import_an_object_in_a_format(pair: Pair, wire: Wire, form: str) -> None:
    path = pair.api.list_objects("/Shared")[0]["path"]
    ours, theirs = same(
        wire,
        lambda: pair.api.export_object(path, form),
        lambda: pair.sdk.workspace.export(path, format=workspace.ExportFormat(form)),
    )
    assert ours == base64.b64decode(theirs.content)
    same(
        wire,
        lambda: pair.api.import_object(path, ours, form, language="PYTHON", overwrite=True),
        lambda: pair.sdk.workspace.import_(
            path,
            content=theirs.content,
            format=workspace.ImportFormat(form),
            language=workspace.Language.PYTHON,
            overwrite=True,
        ),
    )


ERRORS: dict[type[Exception], type[Exception] | tuple[type[Exception], ...]] = {
    errors.NotFound: sdk_errors.NotFound,
    errors.InvalidState: (sdk_errors.InvalidState, sdk_errors.ResourceConflict),
    errors.Unauthenticated: sdk_errors.Unauthenticated,
    errors.PermissionDenied: sdk_errors.PermissionDenied,
    errors.DatabricksError: sdk_errors.BadRequest,
}


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
