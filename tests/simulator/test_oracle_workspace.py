"""The SDK as oracle: a workspace's compute and notebooks (tests/simulator/oracle.py says how)."""

import base64

import pytest
from databricks.sdk import errors as sdk_errors
from databricks.sdk.service import compute, sql, workspace

from rekey.base import errors
from tests.simulator.bench import Bench
from tests.simulator.oracle import Pair, Wire, same, workspace_api


@pytest.mark.rule("clusters-paged")
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


@pytest.mark.rule("clusters-paged")
def test_lists_longer_than_a_page_are_read_to_their_end(wire: Wire, bench: Bench) -> None:
    many = bench.seed(clusters=140, warehouses=130)
    api = workspace_api(bench, many)
    sent, clusters = wire.during(lambda: api.list_clusters(["RUNNING", "TERMINATED"]))
    assert (len(clusters), len({each["cluster_id"] for each in clusters}), len(sent) > 1) == (140, 140, True)
    assert len({each["id"] for each in api.list_warehouses()}) == 130


def running(pair: Pair) -> list[str]:
    return [each["cluster_id"] for each in pair.api.list_clusters(["RUNNING"])]


@pytest.mark.rule("cluster-start")
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


@pytest.mark.rule("pool-edit")
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


def test_make_a_folder(pair: Pair, wire: Wire) -> None:
    same(wire, lambda: pair.api.make_folder("/Shared/a"), lambda: pair.sdk.workspace.mkdirs("/Shared/a"))
