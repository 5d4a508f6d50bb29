"""The official SDK works against the simulator, with all the traps it has against Databricks itself."""

import base64

import pytest
from databricks.sdk import AccountClient, WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import InvalidState, NotFound, ResourceConflict, ResourceDoesNotExist
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service import compute, iam, jobs, provisioning, sql, workspace

from tests.simulator.bench import Bench, Json


def account_client(bench: Bench) -> AccountClient:
    settings = bench.settings
    return AccountClient(
        config=Config(
            host=bench.url,
            account_id=settings.account_id,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
        )
    )


def workspace_client(bench: Bench, seeded: Json) -> WorkspaceClient:
    host = f"{bench.url}/w/{seeded['deployment_name']}"
    return WorkspaceClient(
        config=Config(host=host, client_id=bench.settings.client_id, client_secret=bench.settings.client_secret)
    )


def test_configurations_and_workspaces(bench: Bench) -> None:
    account = account_client(bench)
    seeded = bench.seed()
    made = account.encryption_keys.create(
        use_cases=[provisioning.KeyUseCase.MANAGED_SERVICES],
        aws_key_info=provisioning.CreateAwsKeyInfo(key_arn=bench.key(), key_alias="alias/x"),
    )
    assert list(account.encryption_keys.list()) == [made]
    found = next(iter(account.workspaces.list()))
    assert found.workspace_status == provisioning.WorkspaceStatus.RUNNING
    wish = provisioning.Workspace(managed_services_customer_managed_key_id=made.customer_managed_key_id)
    with pytest.raises(KeyError, match="workspace_id"):
        account.workspaces.update(seeded["workspace_id"], wish)
    bench.clock.advance(120)
    shown = account.workspaces.get(seeded["workspace_id"])
    assert shown.managed_services_customer_managed_key_id == made.customer_managed_key_id
    bench.side("POST", "/switches", {"patch_response": "workspace"})
    again = account.workspaces.update(seeded["workspace_id"], wish, update_mask="*").result()
    assert again.workspace_id == seeded["workspace_id"]
    assert account.credentials.get(seeded["credentials_id"]).aws_credentials is not None


@pytest.mark.rule("code-in-message")
def test_account_errors_carry_no_code(bench: Bench) -> None:
    account = account_client(bench)
    seeded = bench.seed(clusters=1)
    managed = bench.register(bench.key(), "MANAGED_SERVICES")
    wish = provisioning.Workspace(managed_services_customer_managed_key_id=managed)
    with pytest.raises(ResourceConflict, match="INVALID_STATE: Please terminate all pool & cluster EC2") as refused:
        account.workspaces.update(seeded["workspace_id"], wish)
    assert refused.value.error_code is None
    with pytest.raises(NotFound):
        account.encryption_keys.get("nope")
    bench.side("POST", "/faults", {"match": {"method": "GET"}, "fault": "status", "status": 509, "body": ""})
    with pytest.raises(DatabricksError):
        account.workspaces.get(seeded["workspace_id"])


def test_compute(bench: Bench) -> None:
    seeded = bench.seed(clusters=25, pools=1, warehouses=3, runs=1, pipelines=1)
    client = workspace_client(bench, seeded)
    assert client.config.workspace_id == str(seeded["workspace_id"])
    assert len(list(client.clusters.list(page_size=10))) == 27
    pinned = compute.ListClustersFilterBy(is_pinned=True, cluster_states=[compute.State.RUNNING])
    chosen = list(client.clusters.list(filter_by=pinned))
    assert chosen
    assert all(cluster.state == compute.State.RUNNING for cluster in chosen)
    cluster_id = chosen[0].cluster_id or ""
    with pytest.raises(InvalidState, match="unexpected state Running"):
        client.clusters.start(cluster_id)
    client.clusters.delete(cluster_id)
    pool = next(iter(client.instance_pools.list()))
    assert pool.stats is not None
    client.instance_pools.edit(
        pool.instance_pool_id or "", pool.instance_pool_name or "", pool.node_type_id or "", min_idle_instances=0
    )
    edited = client.instance_pools.get(pool.instance_pool_id or "")
    assert (edited.min_idle_instances, edited.custom_tags) == (0, None)
    warehouse = next(iter(client.warehouses.list()))
    client.warehouses.stop(warehouse.id or "")
    assert client.warehouses.get(warehouse.id or "").state == sql.State.STOPPING
    run = next(iter(client.jobs.list_runs(active_only=True)))
    client.jobs.cancel_run(run.run_id or 0)
    pipeline = next(iter(client.pipelines.list_pipelines()))
    client.pipelines.stop(pipeline.pipeline_id or "")
    assert client.current_user.me().groups is not None


def test_a_host_without_a_path_and_the_workspace_in_a_header(bench: Bench) -> None:
    seeded = bench.seed(clusters=1)
    config = Config(
        host=bench.url,
        workspace_id=str(seeded["workspace_id"]),
        client_id=bench.settings.client_id,
        client_secret=bench.settings.client_secret,
    )
    client = WorkspaceClient(config=config)
    assert len(list(client.clusters.list())) == 1
    # The SDK knows this one by the path, and so only without a prefix to it.
    with pytest.raises(ResourceDoesNotExist):
        client.clusters.get("0000-000000-abc")


def test_contents(bench: Bench) -> None:
    client = workspace_client(bench, bench.seed(keys={"managed_services": bench.key()}))
    content = base64.b64encode(b"print(1)").decode()
    client.workspace.import_(
        "/Shared/n", content=content, format=workspace.ImportFormat.SOURCE, language=workspace.Language.PYTHON
    )
    assert [entry.path for entry in client.workspace.list("/Shared")] == ["/Shared/n"]
    assert client.workspace.export("/Shared/n").content == content
    client.secrets.create_scope("s")
    client.secrets.put_secret("s", "k", string_value="v")
    assert client.secrets.get_secret("s", "k").value == base64.b64encode(b"v").decode()
    client.dbfs.put("/f", contents=content)
    assert client.dbfs.read("/f").data == content


def test_jobs(bench: Bench) -> None:
    client = workspace_client(bench, bench.seed(jobs=30))
    found = list(client.jobs.list(limit=10, expand_tasks=True))
    assert len(found) == 30
    job = next(job for job in found if job.settings and job.settings.schedule)
    assert job.settings is not None
    assert job.settings.schedule is not None
    schedule = job.settings.schedule
    schedule.pause_status = jobs.PauseStatus.PAUSED
    client.jobs.update(job.job_id or 0, new_settings=jobs.JobSettings(schedule=schedule))
    again = client.jobs.get(job.job_id or 0).settings
    assert again is not None
    assert again.schedule == schedule
    assert again.tasks == job.settings.tasks
    run = client.jobs.run_now(job.job_id or 0)
    shown = client.jobs.get_run(run.run_id)
    assert shown.state is not None
    assert shown.state.life_cycle_state == jobs.RunLifeCycleState.PENDING
    assert [entry.run_id for entry in client.jobs.list_runs(job_id=job.job_id)] == [run.run_id]


def test_permissions(bench: Bench) -> None:
    client = workspace_client(bench, bench.seed(mixed_notebooks=1, other_objects=4))
    kinds = [entry.object_type for entry in client.workspace.list("/Shared")]
    assert kinds == [workspace.ObjectType.FILE, workspace.ObjectType.LIBRARY, workspace.ObjectType.DASHBOARD]
    folder = next(iter(client.workspace.list("/Users/user-0@example.com")))
    notebook = next(iter(client.workspace.list(folder.path or "")))
    given = client.permissions.get("notebooks", str(notebook.object_id)).access_control_list or []
    assert [entry.user_name for entry in given] == ["reader-0@example.com", None, None]
    wish = [iam.AccessControlRequest(group_name="g", permission_level=iam.PermissionLevel.CAN_RUN)]
    client.permissions.update("notebooks", str(notebook.object_id), access_control_list=wish)
    given = (
        client.permissions.set("notebooks", str(notebook.object_id), access_control_list=wish).access_control_list or []
    )
    assert [entry.group_name for entry in given] == ["g", "admins"]


def test_a_new_workspace(bench: Bench) -> None:
    account = account_client(bench)
    errors = [{"error_type": "subnet", "error_message": "none"}]
    network_id = bench.side("POST", "/networks", {"error_messages": errors})["network_id"]
    made = account.workspaces.create(
        workspace_name="new",
        aws_region="us-east-1",
        credentials_id=bench.side("POST", "/credentials", {})["credentials_id"],
        storage_configuration_id=bench.side("POST", "/storage_configurations", {})["storage_configuration_id"],
        network_id=network_id,
    )
    bench.clock.advance(300)
    shown = account.workspaces.get(made.workspace_id)
    assert shown.workspace_status == provisioning.WorkspaceStatus.FAILED
    network = account.networks.get(network_id)
    assert network.vpc_status == provisioning.VpcStatus.BROKEN
    assert network.error_messages == [
        provisioning.NetworkHealth(error_message="none", error_type=provisioning.ErrorType.SUBNET)
    ]
    assert [entry.network_id for entry in account.networks.list()] == [network_id]
    assert len(list(account.storage.list())) == 1
    assert account.workspaces.delete(made.workspace_id).workspace_id == made.workspace_id
