"""One workspace's own API: compute and notebooks."""

import base64
import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, Self

from rekey.base.errors import DatabricksError, RekeyError
from rekey.databricks.answers import UNKNOWN, Json, identified, record, records
from rekey.databricks.transport import Transport

_PAGE = 100
_RUNS_PAGE = 25
"""The most that the runs list gives at once."""


_logger = logging.getLogger(__name__)


class Call(Protocol):
    """Sends one request and gives back what it answers, as Transport.call does."""

    def __call__(self, method: str, path: str, *, query: Json | None = None, body: Any = None) -> Any: ...


class WorkspaceApi:
    """API of one workspace. Answers are Databricks' own objects; methods raise the classes of rekey.errors.

    Objects come without nulls, and lists without what has no id. What Databricks leaves out of every object that is
    asked for its state or type is UNKNOWN; states and types that rekey does not know are passed on as they are.
    """

    def __init__(self, transport: Transport) -> None:
        self.host = transport.host
        """Base URL, which is what Databricks' limits are for."""
        self._call: Call = transport.call

    def through(self, around: Callable[[Call], Call]) -> Self:
        """The same workspace, each request sent through what `around` makes of a call."""
        other = copy.copy(self)
        other._call = around(self._call)
        return other

    # --- clusters (API 2.1) ---

    def list_clusters(self, states: Sequence[str]) -> list[Json]:
        """All clusters in any of the states."""
        query = {"page_size": _PAGE, "filter_by.cluster_states": list(states)}
        return self._list("/api/2.1/clusters/list", "clusters", "cluster_id", query, state=UNKNOWN)

    def get_cluster(self, cluster_id: str) -> Json:
        """Raises NotFound when that cluster is gone for good, also when Databricks says so as a 400."""
        answer = record(self._call("GET", "/api/2.1/clusters/get", query={"cluster_id": cluster_id}))
        return {"cluster_id": cluster_id, "state": UNKNOWN, **answer}

    def terminate_cluster(self, cluster_id: str) -> None:
        """Databricks calls it "delete"; the configuration stays. Harmless on a cluster that is terminated."""
        self._call("POST", "/api/2.1/clusters/delete", body={"cluster_id": cluster_id})

    def start_cluster(self, cluster_id: str) -> None:
        """Raises InvalidState when the cluster is not TERMINATED (databricks/cli#1372)."""
        self._call("POST", "/api/2.1/clusters/start", body={"cluster_id": cluster_id})

    # --- instance pools (API 2.0) ---

    def list_pools(self) -> list[Json]:
        return self._list("/api/2.0/instance-pools/list", "instance_pools", "instance_pool_id", {})

    def edit_pool(self, settings: Json) -> None:
        """Overwrites every editable setting: what is left out is reset, so always send them all."""
        self._call("POST", "/api/2.0/instance-pools/edit", body=settings)

    # --- SQL warehouses (API 2.0) ---

    def list_warehouses(self) -> list[Json]:
        return self._list("/api/2.0/sql/warehouses", "warehouses", "id", {"page_size": _PAGE}, state=UNKNOWN)

    def stop_warehouse(self, warehouse_id: str) -> None:
        self._call("POST", f"/api/2.0/sql/warehouses/{warehouse_id}/stop", body={})

    def start_warehouse(self, warehouse_id: str) -> None:
        self._call("POST", f"/api/2.0/sql/warehouses/{warehouse_id}/start", body={})

    # --- jobs and their runs (API 2.2) ---

    def list_jobs(self) -> list[Json]:
        """All jobs with their triggers and tasks. `has_more` stays true where not all tasks of one could be read."""
        query = {"expand_tasks": "true", "limit": _PAGE}
        found = self._list("/api/2.2/jobs/list", "jobs", "job_id", query, settings={})
        for job in found:
            if job.get("has_more"):
                asked = ("/api/2.2/jobs/get", {"job_id": job["job_id"]})
                settings = record(job["settings"])
                tasks = self._all_tasks(*asked, lambda answer: record(answer.get("settings")))
                if tasks is not None:
                    job.update(settings={**settings, "tasks": tasks}, has_more=False)
        return found

    def update_job(self, job_id: int, new_settings: Json) -> None:
        """Replaces whole top-level settings: a trigger has to come with all its fields, even to be paused."""
        self._call("POST", "/api/2.2/jobs/update", body={"job_id": job_id, "new_settings": new_settings})

    def list_active_runs(self) -> list[Json]:
        """Runs that are queued, pending, running or about to be repeated, with their tasks; `has_more` as for jobs."""
        query = {"active_only": "true", "expand_tasks": "true", "limit": _RUNS_PAGE}
        found = self._list("/api/2.2/jobs/runs/list", "runs", "run_id", query, state={})
        for run in found:
            if run.get("has_more"):
                tasks = self._all_tasks("/api/2.2/jobs/runs/get", {"run_id": run["run_id"]}, record)
                if tasks is not None:
                    run.update(tasks=tasks, has_more=False)
        return found

    def cancel_run(self, run_id: int) -> None:
        """Asynchronous; harmless for a run that is over. Unlike a terminated cluster it lets no retry begin."""
        self._call("POST", "/api/2.2/jobs/runs/cancel", body={"run_id": run_id})

    # --- pipelines (API 2.0) ---

    def list_pipelines(self) -> list[Json]:
        return self._list("/api/2.0/pipelines", "statuses", "pipeline_id", {"max_results": _PAGE}, state=UNKNOWN)

    def get_pipeline(self, pipeline_id: str) -> Json:
        """With `spec`, which says whether it is continuous, and whether it is serverless."""
        answer = record(self._call("GET", f"/api/2.0/pipelines/{pipeline_id}"))
        return {"pipeline_id": pipeline_id, "spec": {}, **answer}

    def stop_pipeline(self, pipeline_id: str) -> None:
        """Ends at IDLE; harmless without an active update. A continuous pipeline stays stopped."""
        self._call("POST", f"/api/2.0/pipelines/{pipeline_id}/stop")

    def start_pipeline(self, pipeline_id: str) -> None:
        """Start an update. Raises InvalidState while one is active."""
        self._call("POST", f"/api/2.0/pipelines/{pipeline_id}/updates", body={})

    # --- who calls ---

    def is_admin(self) -> bool:
        """Whether the service principal is in the workspace's group of admins (SCIM, "Get current user")."""
        me = self._call("GET", "/api/2.0/preview/scim/v2/Me")
        return any(each.get("display") == "admins" for each in records(me, "groups"))

    # --- notebooks (API 2.0) ---

    def make_folder(self, path: str) -> None:
        """With all missing parents; harmless when it is there."""
        self._call("POST", "/api/2.0/workspace/mkdirs", body={"path": path})

    def import_notebook(self, path: str, source: str) -> None:
        """Write a Python notebook, over what is there."""
        content = base64.b64encode(source.encode()).decode()
        body = {"path": path, "format": "SOURCE", "language": "PYTHON", "content": content, "overwrite": True}
        self._call("POST", "/api/2.0/workspace/import", body=body)

    def export_notebook(self, path: str) -> str:
        return self.export_object(path, "SOURCE").decode(errors="replace")

    def delete_notebook(self, path: str) -> None:
        self._call("POST", "/api/2.0/workspace/delete", body={"path": path, "recursive": False})

    # --- files in the workspace's own bucket (DBFS API 2.0) ---

    def put_file(self, path: str, text: str) -> None:
        """Write a small file, at most 1 MB, over what is there."""
        content = base64.b64encode(text.encode()).decode()
        self._call("POST", "/api/2.0/dbfs/put", body={"path": path, "contents": content, "overwrite": True})

    def read_file(self, path: str) -> str:
        """The first half MB of a file, which is what is read by default."""
        answer = record(self._call("GET", "/api/2.0/dbfs/read", query={"path": path}))
        return base64.b64decode(str(answer.get("data", ""))).decode(errors="replace")

    def get_file(self, path: str) -> Json:
        """Size and time of a file. Raises NotFound."""
        return record(self._call("GET", "/api/2.0/dbfs/get-status", query={"path": path}))

    def delete_file(self, path: str) -> None:
        self._call("POST", "/api/2.0/dbfs/delete", body={"path": path, "recursive": False})

    # --- workspace objects and their permissions (API 2.0) ---

    def get_object(self, path: str) -> Json:
        """Type, id, language and time of the last change of what is at a path. Raises NotFound."""
        answer = record(self._call("GET", "/api/2.0/workspace/get-status", query={"path": path}))
        return {"path": path, "object_type": UNKNOWN, **answer}

    def list_objects(self, path: str) -> list[Json]:
        """What is directly in a folder; Databricks leaves the key out for an empty one."""
        return self._list("/api/2.0/workspace/list", "objects", "path", {"path": path}, object_type=UNKNOWN)

    def export_object(self, path: str, form: str) -> bytes:
        """A notebook in a format (SOURCE, JUPYTER, …). More than 10 MB: code MAX_NOTEBOOK_SIZE_EXCEEDED.

        Raises DatabricksError where the answer holds no content: an empty notebook has some in every format, and
        who took nothing for a notebook could write nothing over it.
        """
        answer = record(self._call("GET", "/api/2.0/workspace/export", query={"path": path, "format": form}))
        try:
            # A base64 text may be broken into lines (RFC 2045).
            content = base64.b64decode("".join(str(answer.get("content", "")).split()), validate=True)
        except ValueError:
            content = b""
        if not content:
            raise DatabricksError(f"Databricks exported {path} without content that can be read.")
        return content

    def import_object(self, path: str, content: bytes, form: str, *, language: str | None, overwrite: bool) -> None:
        """Write a notebook. Databricks needs the language with SOURCE; other formats carry it."""
        body = {"path": path, "format": form, "content": base64.b64encode(content).decode(), "overwrite": overwrite}
        self._call("POST", "/api/2.0/workspace/import", body={**body, "language": language} if language else body)

    def get_permissions(self, family: str, object_id: int) -> list[Json]:
        """Each principal with `all_permissions`, inherited ones too. `family` is "notebooks", "directories", …."""
        return records(self._call("GET", f"/api/2.0/permissions/{family}/{object_id}"), "access_control_list")

    def set_permissions(self, family: str, object_id: int, permissions: Sequence[Json]) -> None:
        """Replaces what is given on the object itself; what it inherits stays."""
        body = {"access_control_list": list(permissions)}
        self._call("PUT", f"/api/2.0/permissions/{family}/{object_id}", body=body)

    def _list(self, path: str, name: str, id_field: str, query: Json, **left_out: Any) -> list[Json]:
        """Every object of a list, over all its pages. `left_out` is what a field holds that Databricks left out."""
        found = [each for answer in self._answers(path, query) for each in records(answer, name)]
        return [{**left_out, **each} for each in identified(found, id_field, name)]

    def _all_tasks(self, path: str, query: Json, of: Callable[[Json], Json]) -> list[Json] | None:
        """All tasks of one job or run: more than 100 come in several pages. None where they cannot be read, as when it
        is gone meanwhile: the list of all others is good without."""
        try:
            return [task for answer in self._answers(path, query) for task in records(of(answer), "tasks")]
        except RekeyError as error:
            _logger.warning(f"not all tasks of {query} could be read: {error}")
            return None

    def _answers(self, path: str, query: Json) -> Iterator[Json]:
        """Every page of a paged answer. An empty token ends it, and so does one that is left out."""
        token, seen = "", set[str]()
        while True:
            answer = record(self._call("GET", path, query={**query, "page_token": token} if token else query))
            yield answer
            token = answer.get("next_page_token", "")
            if not token:
                return
            if token in seen:
                raise DatabricksError(f"Databricks gives the same page of {path} again and again.")
            seen.add(token)
