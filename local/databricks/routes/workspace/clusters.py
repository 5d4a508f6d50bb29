"""Clusters API 2.1."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from local.databricks.errors import invalid_parameter, invalid_state
from local.databricks.http import Body, InWorkspace, WorkspaceCall, reply
from local.databricks.routes.workspace.paging import page
from local.databricks.rules import clusters as rules
from local.databricks.rules import workloads
from local.databricks.state.compute import CLUSTER_OFF, Cluster

router = APIRouter(prefix="/api/2.1/clusters")

LISTED_AFTER_TERMINATION = 30 * 86400
"""Terminated clusters are listed for 30 days, pinned ones for good."""

MADE_BY_ITS_WORK = frozenset({"JOB", "PIPELINE", "PIPELINE_MAINTENANCE"})
"""DOC clusters/start: what was launched to run a job cannot be started."""

_STATE_MESSAGES = {"PENDING": "Starting Spark", "RUNNING": "", "TERMINATING": "Terminating the cluster"}


@router.get("/list")
async def list_all(call: InWorkspace) -> JSONResponse:
    """Pinned, active, and lately terminated clusters. Empty string as token means the end."""
    found = [cluster for cluster in call.workspace.clusters.values() if _listed(call, cluster)]
    descending = call.query("sort_by.direction", "DESC").upper() == "DESC"
    found.sort(key=lambda cluster: cluster.created_at, reverse=descending)
    shown, token = page(call, found, "page_size", default=20, most=100)
    answer: dict[str, Any] = {"next_page_token": token, "prev_page_token": ""}
    if shown:
        answer["clusters"] = [render(call, cluster) for cluster in shown]
    return reply(answer)


@router.get("/get")
async def get(call: InWorkspace) -> JSONResponse:
    cluster = _find(call, call.required_query("cluster_id"))
    return reply({**render(call, cluster), "spec": cluster.spec})


@router.post("/create")
async def create(call: InWorkspace) -> JSONResponse:
    """Makes a cluster and starts it."""
    spec = {name: value for name, value in call.body.items() if name != "apply_policy_default_values"}
    call.body.text("spark_version")
    cluster = rules.launch(call.world, call.workspace, "API", spec)
    return reply({"cluster_id": cluster.cluster_id})


@router.post("/start")
async def start(call: InWorkspace) -> JSONResponse:
    """400 INVALID_STATE unless TERMINATED, whatever the docs say (databricks/cli#1372)."""
    cluster = _named(call, call.body)
    state = cluster.life.state(call.now)
    if state not in CLUSTER_OFF:
        raise invalid_state(f"Cluster {cluster.cluster_id} is in unexpected state {state.title()}.")
    if cluster.source in MADE_BY_ITS_WORK or (
        cluster.source not in ("UI", "API") and call.world.switches.clusters_of_other_sources == "refuse"
    ):
        raise invalid_parameter(f"Cluster {cluster.cluster_id} was launched to run a job and cannot be started.")
    if cluster.pool_id and cluster.pool_id not in call.workspace.pools:
        # GAP the text: it is about something else than the cluster.
        raise invalid_parameter(f"Instance pool {cluster.pool_id} does not exist")
    rules.start(call.world, call.workspace, cluster)
    return reply({})


@router.post("/delete")
async def terminate(call: InWorkspace) -> JSONResponse:
    """Terminates; asynchronous, and harmless when repeated."""
    cluster = _named(call, call.body)
    if rules.terminate(call.world, call.workspace, cluster):
        workloads.cluster_was_terminated(call.world, call.workspace, cluster)
    return reply({})


@router.post("/permanent-delete")
async def permanent_delete(call: InWorkspace) -> JSONResponse:
    """Destroys the cluster's configuration: never part of a rotation, so it is recorded as a violation. A pinned one
    is refused (ISSUE terraform-provider-databricks#113; CODE its resource_cluster.go; GAP the code)."""
    cluster = _named(call, call.body)
    if cluster.pinned:
        raise invalid_state(
            f"Cannot delete pinned cluster {cluster.cluster_id}. Please ask an admin to unpin the cluster first."
        )
    detail = f"cluster {cluster.cluster_id}"
    call.world.violations.record("cluster_permanently_deleted", call.now, call.workspace.workspace_id, detail)
    if rules.terminate(call.world, call.workspace, cluster):
        workloads.cluster_was_terminated(call.world, call.workspace, cluster)
    del call.workspace.clusters[cluster.cluster_id]
    return reply({})


def render(call: WorkspaceCall, cluster: Cluster) -> dict[str, Any]:
    """ClusterDetails as list returns it, without `spec`."""
    phase = cluster.life.at(call.now)
    shown: dict[str, Any] = {
        **cluster.spec,
        "cluster_id": cluster.cluster_id,
        "cluster_source": cluster.source,
        "creator_user_name": "someone@example.com",
        "state": phase.state,
        "state_message": _STATE_MESSAGES.get(phase.state, ""),
        "start_time": int((cluster.started_at or cluster.created_at) * 1000),
        "default_tags": {
            "Vendor": "Databricks",
            "Creator": "someone@example.com",
            "ClusterName": cluster.spec.get("cluster_name", ""),
            "ClusterId": cluster.cluster_id,
        },
    }
    if cluster.pinned:
        shown["pinned_by_user_name"] = "someone@example.com"
    if phase.state in ("TERMINATING", "TERMINATED") and cluster.termination_reason is not None:
        reason = asdict(cluster.termination_reason)
        shown |= {"termination_reason": reason, "state_message": "; ".join(reason["parameters"].values())}
    if phase.state == "TERMINATED":
        shown["terminated_time"] = int(phase.since * 1000)
    return shown


def _listed(call: WorkspaceCall, cluster: Cluster) -> bool:
    phase = cluster.life.at(call.now)
    recent = phase.state not in CLUSTER_OFF or call.now - phase.since <= LISTED_AFTER_TERMINATION
    if not (cluster.pinned or recent):
        return False
    query = call.request.query_params
    states = query.getlist("filter_by.cluster_states")
    sources = query.getlist("filter_by.cluster_sources")
    # The SDK writes nested booleans with a capital letter.
    pinned = query.get("filter_by.is_pinned", "").lower()
    policy_id = query.get("filter_by.policy_id")
    return (
        (not states or phase.state in states)
        and (not sources or cluster.source in sources)
        and (not pinned or cluster.pinned == (pinned == "true"))
        and (not policy_id or cluster.spec.get("policy_id") == policy_id)
    )


def _named(call: WorkspaceCall, body: Body) -> Cluster:
    return _find(call, body.text("cluster_id"))


def _find(call: WorkspaceCall, cluster_id: str) -> Cluster:
    found = call.workspace.clusters.get(cluster_id)
    if cluster_id in call.workspace.expired_clusters:
        # CODE terraform-provider-databricks clusters_api_test.go; ISSUE #1177.
        days = LISTED_AFTER_TERMINATION // 86400
        raise invalid_state(
            f"Cannot access cluster {cluster_id} that was terminated or unpinned more than {days} days ago."
        )
    if found is None:
        raise invalid_parameter(f"Cluster {cluster_id} does not exist")
    return found
