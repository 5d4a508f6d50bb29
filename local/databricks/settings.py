"""What the simulator can be told: its account, its latencies, and which reading of an uncertain fact holds.

Each is marked with how well it is known: DOC an official page, CODE public source, ISSUE a public
issue, INFER an inference that no source states, GAP looked for and not found.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

Shard = Literal["commercial", "govcloud", "govcloud-dod"]

# CODE terraform-provider-databricks aws/constants.go: the account whose principals use customers' keys.
DATABRICKS_PRINCIPALS: dict[str, str] = {
    "commercial": "arn:aws:iam::414351767826:root",
    "govcloud": "arn:aws-us-gov:iam::044793339203:root",
    "govcloud-dod": "arn:aws-us-gov:iam::170661010020:root",
}

REGIONS_WITHOUT_CMK = frozenset({"us-west-1"})


@dataclass
class Latencies:
    """Simulated seconds. All shrink with the minute scale, the last one with the day scale."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    request: float = 0
    """From a request to its answer, whatever it asks; requests that are under way at the same time take it together."""
    cluster_terminate: float = 60
    cluster_start: float = 240
    ec2_outlives_terminated: float = 45
    """INFER: the PATCH gate looks at EC2, which ends later than the API says."""
    pool_drain: float = 60
    pool_instance_start: float = 120
    warehouse_stop: float = 30
    warehouse_start: float = 180
    run_cancel: float = 20
    run_retry: float = 30
    continuous_restart: float = 30
    """DOC run jobs continuously: from the end of one run to the next it is less than 60 seconds."""
    pipeline_stop: float = 30
    pipeline_restart: float = 30
    field_lag: float = 120
    """DOC-OLD, customer-managed network: the key id "might take a few minutes to update"."""
    managed_network_provisioning: float = 600
    """DOC-OLD, Databricks-managed network: PROVISIONING "typically < 20 min"."""
    workspace_provisioning: float = 300
    """GAP: from the POST of a workspace, or the fix of a failed one, to RUNNING or FAILED."""
    settle: float = 1200
    """DOC-OLD: no cluster and no DBFS call for 20 minutes after a change of the storage key."""
    old_key_needed: float = 86400
    """DOC: "keep the old key available for 24 hours". Day scale."""


Family = Literal[
    "token",
    "account",
    "clusters",
    "pools",
    "warehouses",
    "runs",
    "jobs",
    "pipelines",
    "notebooks",
    "other",
    "all",
]
ALL_FAMILIES: Family = "all"
"""One bucket for all endpoints of a host, beside those of their families."""


@dataclass(frozen=True)
class RateLimit:
    """So many accepted requests a simulated second, and at most `burst` at once after a pause."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    per_second: Annotated[float, Field(gt=0)]
    burst: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Limits:
    """Rate limits by family of endpoints, each for the account's host and for each workspace's apart; none is on unless
    it is named. See limits.py."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    families: dict[Family, RateLimit] = field(default_factory=dict)
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    error_code: Literal["REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED", ""] = "REQUEST_LIMIT_EXCEEDED"


@dataclass
class Switches:
    """Uncertain behaviour of Databricks, each with both readings."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    patch_response: Literal["empty", "braces", "workspace"] = "empty"
    """CODE: today's description returns the Workspace; older servers and all fixtures an empty 200."""
    ec2_refusal_status: Literal[400, 409] = 409
    """GAP: the text of INVALID_STATE is known, its HTTP status is not."""
    delete_in_use: Literal["message", "empty"] = "message"
    """ISSUE databricks-sdk-go#777: a 409 without a body was seen in the same family; the text is a guess."""
    delete_response: Literal["object", "empty"] = "object"
    """DOC: returns the deleted configuration now; it used to be empty."""
    unusable_key: Literal["revert", "apply"] = "revert"
    """INFER: a switch to a key Databricks can't use either fails and reverts silently, or holds and
    breaks what is written from then on."""
    create_workspace_status: Literal[200, 201] = 201
    """GAP: SDKs take any 2xx; the docstring says 200."""
    unusable_key_at_creation: Literal["fail", "refuse", "apply"] = "fail"
    """GAP: a new workspace with a key Databricks can't use ends FAILED, is refused, or runs and can't write."""
    deployment_name_prefix: str = ""
    """DOC: the account's prefix, put before a deployment name that is asked for, with a hyphen."""
    key_removal: Literal["ignore", "refuse"] = "ignore"
    """GAP: what an empty or null key id does."""
    duplicate_configurations: Literal["allow", "refuse"] = "allow"
    """INFER: registering one ARN twice makes two configurations."""
    registration_checks_key: bool = False
    """GAP: whether registering looks at the key's policy."""
    pro_warehouses_run_on_ec2: bool = True
    """INFER: a pro warehouse without serverless runs in the customer's VPC."""
    clusters_of_other_sources: Literal["start", "refuse"] = "start"
    """GAP: whether a cluster that neither a person nor the API nor a job or pipeline made (MODELS, SQL, a source not
    known yet) can be started again."""
    missing_job: Literal[400, 403, 404] = 400
    """CODE terraform-provider-databricks#2225: 400 INVALID_PARAMETER_VALUE; ISSUE databricks/cli#1680, #3931: 403, as
    the permissions of deleted jobs are kept; CODE databricks/cli, its test server: 404."""
    job_updates_check_clusters: bool = True
    """GAP: whether an update of a job is refused when its existing cluster is gone. The words are then about that
    cluster, not about the job."""
    deleted_warehouses: Literal["gone", "shown"] = "gone"
    """GAP: whether a warehouse that was deleted still shows, as DELETED."""
    run_now_of_busy_continuous: Literal["conflict", "restart", "restart_without_id"] = "conflict"
    """CODE terraform-provider-databricks#3585: 409 while a run is on; CODE databricks/cli#1849: it takes the run's
    place; ISSUE databricks-sdk-py#389: and the answer has no run_id."""
    omitted_pool_timeout: Literal["default", "zero"] = "default"
    """DOC instance-pools: without idle_instance_autotermination_minutes it is "a default timeout" (GAP: 60 here); CODE
    databricks/cli, its test server: 0, as all that an edit leaves out."""
    pools_show_zeros: bool = True
    """INFER: an answer may leave out a pool's numbers that are 0."""
    import_renews_ids: Literal["new", "minus_one", "kept"] = "new"
    """Seen in published notebooks: an import of .ipynb gives the ids inside it anew. INFER: another number for each, so
    that every import shows; or -1 for a commandId, as in notebooks that were imported and exported; or none changes."""
    dbc_with_overwrite: Literal["refuse", "ignore"] = "refuse"
    """DOC: overwriting is not supported for the format DBC; GAP: what an import that asks for it answers."""
    early_compute: Literal["fail", "run"] = "fail"
    """DOC-OLD: clusters started in the blackout "do not launch successfully, fail, or could cause other
    unexpected behavior". "run" is the last: nothing shows but the recorded violation."""
    old_key_needed_after_switch: bool = True
    """DOC, observable effect a guess (G): what was written before the switch needs the old key for 24 hours."""
    continuous_pipelines_restart: bool = True
    """A continuous pipeline whose cluster was terminated, but which was not stopped, starts again."""
    runs_retry: bool = True
    """INFER: a run whose task has max_retries starts compute again when its cluster was terminated under it
    or did not come up."""
    cancelled_run_stops_pipeline: bool = True
    """INFER: cancelling a run also cancels the update that its pipeline_task started."""
    cancelled_run_cancels_started_runs: bool = True
    """INFER: cancelling a run also cancels those that its run_job_task started."""
    unknown_tasks: Literal["classic", "serverless"] = "classic"
    """GAP: what a task of a type that nobody here knows runs on: a job's cluster, or nothing of the customer's."""
    overwrite_keeps_permissions: bool = True
    """INFER: an import that overwrites keeps the object id and the permissions; else they are as for a new one."""
    import_into_repos: Literal["refuse", "allow"] = "refuse"
    """GAP: whether the workspace API may write into a Git folder."""
    access_list_code: Literal["number", "text"] = "number"
    """ISSUE omnigent-ai/omnigent#4463: the number 403 stands where a code is expected; INFER: PERMISSION_DENIED."""
    account_admin: bool = True
    """DOC: without it, the account API answers 403."""
    without_workspace_admin: Literal["filter", "refuse"] = "filter"
    """INFER: lists are permission-filtered. Seen by a principal that is not an admin they are empty, or 403."""
    dek_cache_seconds: float = 0
    """GAP: data keys are cached for an unpublished interval. Simulated seconds; 0 is no cache.
    Health checks never use the cache."""


@dataclass(frozen=True)
class Settings:
    """One simulator. The client id and secret are those of its only service principal, an account admin."""

    account_id: str = "a7c1d0f2-5b7e-4f0e-9a55-3d1f0c9e2b64"
    client_id: str = "3c5f3f1e-9d0b-4c43-8a55-6f2b7c1d9e10"
    client_secret: str = field(default="simulated-secret", repr=False)
    minute_scale: float = 1.0
    day_scale: float = 1.0
    shard: Shard = "commercial"
    customer_account: str = "000000000000"
    """The AWS account in which seeded cross-account roles live."""
    aws_endpoint_url: str | None = None
    """Where KMS is; left out, botocore decides (AWS_ENDPOINT_URL, or moto in tests)."""
    token_seconds: float = 3600
    """Life of an access token, in real seconds: clients reckon with real time, whatever the scale."""
    latencies: Latencies = field(default_factory=Latencies)
    switches: Switches = field(default_factory=Switches)
    limits: Limits = field(default_factory=Limits)
