"""Instance pools: edits overwrite, idle instances come and go, clusters borrow and give back."""

import pytest

from tests.simulator.bench import Bench, Json


def pool_of(bench: Bench, workspace: Json) -> Json:
    found: Json = bench.workspace(workspace, "GET", "/api/2.0/instance-pools/list").json()["instance_pools"][0]
    return found


def edit(bench: Bench, workspace: Json, pool: Json, **changes: object) -> int:
    body = {**pool, **changes}
    return bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", body).status_code


@pytest.mark.rule("pool-edit")
def test_pool_edit_overwrites(bench: Bench) -> None:
    workspace = bench.seed(pools=1)
    pool = pool_of(bench, workspace)
    only_required = {name: pool[name] for name in ("instance_pool_id", "instance_pool_name", "node_type_id")}
    bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", only_required)
    emptied = pool_of(bench, workspace)
    assert emptied["min_idle_instances"] == 0
    assert emptied["idle_instance_autotermination_minutes"] == 60
    assert "custom_tags" not in emptied
    assert "max_capacity" not in emptied
    assert emptied["preloaded_spark_versions"] == pool["preloaded_spark_versions"]
    assert edit(bench, workspace, pool) == 200
    restored = pool_of(bench, workspace)
    bench.clock.advance(120)
    assert {**pool_of(bench, workspace)} == pool
    assert restored["min_idle_instances"] == pool["min_idle_instances"]


@pytest.mark.parametrize(
    "changes",
    [
        {"node_type_id": "m5.large"},
        {"min_idle_instances": 1000},
        {"idle_instance_autotermination_minutes": 10_001},
        {"instance_pool_name": ""},
    ],
)
def test_bad_pool_edits(bench: Bench, changes: Json) -> None:
    workspace = bench.seed(pools=1)
    assert edit(bench, workspace, pool_of(bench, workspace), **changes) == 400


def test_a_pool_without_hurry_keeps_its_instances(bench: Bench) -> None:
    workspace = bench.seed(pools=1)
    edit(bench, workspace, pool_of(bench, workspace), min_idle_instances=0, idle_instance_autotermination_minutes=30)
    bench.clock.advance(30 * 60)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 1}
    bench.clock.advance(60)
    assert pool_of(bench, workspace)["stats"] == {}


def test_instances_of_a_cluster_go_back_to_its_pool(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, pooled_clusters=1, pools=1)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 1, "used_count": 2}
    edit(bench, workspace, pool_of(bench, workspace), min_idle_instances=0, idle_instance_autotermination_minutes=0)
    bench.clock.advance(60)
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    bench.terminate(workspace, cluster_id)
    bench.clock.advance(60)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 2}
    assert bench.sim(workspace)["ec2"] == [f"pool {pool_of(bench, workspace)['instance_pool_id']}"]
    bench.clock.advance(60)
    assert pool_of(bench, workspace)["stats"] == {}
    bench.clock.advance(45)
    assert bench.sim(workspace)["ec2"] == []


def test_a_cluster_takes_idle_instances_and_the_pool_fills_up_again(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, pooled_clusters=1, pools=2)
    cluster_id = bench.clusters(workspace)[0]["cluster_id"]
    bench.terminate(workspace, cluster_id)
    bench.clock.advance(60)
    bench.start(workspace, cluster_id)
    assert pool_of(bench, workspace)["stats"]["used_count"] == 2
    bench.clock.advance(120)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 1, "used_count": 2}


def test_capacity_bounds_idle_instances_and_zero_is_no_bound(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, pooled_clusters=1, pools=1)
    edit(bench, workspace, pool_of(bench, workspace), min_idle_instances=4, max_capacity=5)
    bench.clock.advance(120)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 3, "used_count": 2}
    edit(bench, workspace, pool_of(bench, workspace), min_idle_instances=9, max_capacity=0)
    bench.clock.advance(120)
    assert pool_of(bench, workspace)["stats"] == {"idle_count": 9, "used_count": 2}


def test_the_lower_bound_knows_that_pooled_instances_drain_twice(bench: Bench) -> None:
    workspace = bench.seed(clusters=1, pooled_clusters=1, pools=1)
    path = f"/lower_bound?workspace_id={workspace['workspace_id']}&operation=rotate"
    bound = bench.side("GET", path)["terms"]
    assert (bound["terminate"], bound["ec2_outlives_terminated"], bound["start"]) == (60 + 60, 45, 240)
    edit(bench, workspace, pool_of(bench, workspace), min_idle_instances=0, idle_instance_autotermination_minutes=0)
    bench.terminate(workspace, bench.clusters(workspace)[0]["cluster_id"])
    bench.clock.advance(60 + 60 + 44)
    assert bench.sim(workspace)["ec2"] != []
    bench.clock.advance(1)
    assert bench.sim(workspace)["ec2"] == []


@pytest.mark.parametrize(("reading", "minutes"), [("default", 60), ("zero", 0)])
def test_what_an_omitted_timeout_means_is_a_switch(bench: Bench, reading: str, minutes: int) -> None:
    bench.side("POST", "/switches", {"omitted_pool_timeout": reading})
    workspace = bench.seed(pools=1)
    pool = pool_of(bench, workspace)
    body = {name: pool[name] for name in ("instance_pool_id", "instance_pool_name", "node_type_id")}
    assert bench.workspace(workspace, "POST", "/api/2.0/instance-pools/edit", body).status_code == 200
    assert pool_of(bench, workspace)["idle_instance_autotermination_minutes"] == minutes


@pytest.mark.parametrize("zeros", [True, False])
def test_whether_zeros_show_is_a_switch(bench: Bench, zeros: bool) -> None:
    bench.side("POST", "/switches", {"pools_show_zeros": zeros})
    wish = {"min_idle_instances": 0, "idle_instance_autotermination_minutes": 0}
    pool = pool_of(bench, bench.seed(pools=[wish]))
    assert {name: pool[name] for name in wish if name in pool} == (wish if zeros else {})
    assert (pool["enable_elastic_disk"], pool["max_capacity"]) == (True, 10)
