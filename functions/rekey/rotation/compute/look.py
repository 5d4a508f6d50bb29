"""What one call sees of a workspace: each list read once, side by side, whatever becomes of the others."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rekey.base.errors import NotFound, PermissionDenied, RekeyError
from rekey.databricks import WorkspaceApi
from rekey.rotation.compute import pace
from rekey.rotation.compute.classic import Use, pipelines_named, use_of_job, use_of_run
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.pace import OutOfTime

Json = dict[str, Any]

CLUSTERS_LISTED = ("PENDING", "RUNNING", "RESTARTING", "RESIZING", "TERMINATING", "UNKNOWN", "ERROR")
"""All but TERMINATED, of which there may be thousands."""

LISTS: Mapping[str, Callable[[WorkspaceApi], list[Json]]] = {
    "clusters": lambda api: api.list_clusters(CLUSTERS_LISTED),
    "pools": lambda api: api.list_pools(),
    "warehouses": lambda api: api.list_warehouses(),
    "pipelines": lambda api: api.list_pipelines(),
    "runs": lambda api: api.list_active_runs(),
    "jobs": lambda api: api.list_jobs(),
}


SPEC = ("serverless", "continuous")
"""What is asked of a pipeline's spec."""


class Look:
    """Answers what Databricks shows now, and (as classic.Around) what that says of the things that tasks name."""

    def __init__(self, crew: Crew, known: Mapping[str, Json] | None = None) -> None:
        """`known` are specs of pipelines that were read before."""
        self.crew = crew
        self._read: dict[str, list[Json] | RekeyError] = {}
        self._specs: dict[str, Json | RekeyError] = {each: {"spec": spec} for each, spec in (known or {}).items()}
        self._by_id: dict[str, dict[str, Json] | None] = {}
        self._admin: bool | None = None
        self.seconds = 0.0
        """What reading lists took."""

    def read(self, names: Iterable[str]) -> None:
        """Read lists side by side."""
        missing = [name for name in dict.fromkeys(names) if name not in self._read]
        began = pace.CLOCK.now()
        self._read |= self.crew.run({name: _reader(name) for name in missing})
        self.seconds += pace.CLOCK.now() - began

    def failed(self, names: Iterable[str]) -> dict[str, RekeyError]:
        """Which of them could not be read, and why."""
        wanted = list(names)
        self.read(wanted)
        found = {name: self._read[name] for name in wanted}
        return {name: error for name, error in found.items() if isinstance(error, RekeyError)}

    def listed(self, name: str) -> list[Json]:
        """Raises what kept it from being read."""
        self.read([name])
        found = self._read[name]
        if isinstance(found, RekeyError):
            raise found
        return found

    def is_admin(self) -> bool:
        """Whether lists and refusals can be believed; False also where that cannot be told."""
        if self._admin is None:
            self._admin = self.crew.run({"": lambda api: api.is_admin()})[""] is True
        return self._admin

    def believe(self) -> None:
        """Raises PermissionDenied where what was read may lack what only an admin of the workspace is shown."""
        if not self.is_admin():
            raise PermissionDenied(
                "The service principal is no admin of this workspace now, or nobody can tell: what it is shown may not "
                "be all there is. Fix: put it into the workspace's group admins."
            )

    def specs(self, pipeline_ids: Iterable[str]) -> None:
        """Read what the list of pipelines does not say, side by side."""
        missing = [each for each in dict.fromkeys(pipeline_ids) if each not in self._specs]
        self._specs |= self.crew.run({each: _spec_reader(each) for each in missing})

    def spec(self, pipeline_id: str) -> Json | None:
        """None where it could not be read. Raises NotFound when the pipeline is gone."""
        self.specs([pipeline_id])
        found = self._specs[pipeline_id]
        if isinstance(found, NotFound):
            raise found
        return None if isinstance(found, RekeyError) else _spec(found)

    def unread(self) -> int:
        """How many specs there was no time for: they are read in the next call."""
        return sum(isinstance(each, OutOfTime) for each in self._specs.values())

    def known(self) -> dict[str, Json]:
        """What of all specs is asked for."""
        read = {each: found for each, found in self._specs.items() if not isinstance(found, RekeyError)}
        return {each: {name: bool(_spec(found).get(name)) for name in SPEC} for each, found in read.items()}

    # --- what uses classic compute ---

    def uses_of_runs(self, runs: list[Json]) -> list[Use]:
        self._prepare(runs)
        return [use_of_run(each, self) for each in runs]

    def uses_of_jobs(self, jobs: list[Json]) -> list[Use]:
        self._prepare([each["settings"] for each in jobs])
        return [use_of_job({**each["settings"], "has_more": each.get("has_more")}, self) for each in jobs]

    def _prepare(self, work: list[Json]) -> None:
        self.specs(each for settings in work for each in sorted(pipelines_named(settings)))

    def warehouse_is_classic(self, warehouse_id: str) -> bool | None:
        found = (self._known("warehouses", "id") or {}).get(warehouse_id)
        return None if found is None else not found.get("enable_serverless_compute")

    def any_warehouse_is_classic(self) -> bool | None:
        warehouses = self._known("warehouses", "id")
        if warehouses is None:
            return None
        return any(not each.get("enable_serverless_compute") for each in warehouses.values())

    def pipeline_is_classic(self, pipeline_id: str) -> bool | None:
        try:
            spec = self.spec(pipeline_id)
        except NotFound:
            return False
        return None if spec is None else not spec.get("serverless")

    def job_settings(self, job_id: int) -> Json | None:
        found = (self._known("jobs", "job_id") or {}).get(str(job_id))
        return None if found is None else {**found["settings"], "has_more": found.get("has_more")}

    def _known(self, name: str, id_field: str) -> dict[str, Json] | None:
        """A list by id; None where it could not be read."""
        if name not in self._by_id:
            try:
                self._by_id[name] = {str(each[id_field]): each for each in self.listed(name)}
            except RekeyError:
                self._by_id[name] = None
        return self._by_id[name]


def _spec(pipeline: Json) -> Json:
    return dict(pipeline.get("spec") or {})


def _reader(name: str) -> Callable[[WorkspaceApi], list[Json]]:
    return LISTS[name]


def _spec_reader(pipeline_id: str) -> Callable[[WorkspaceApi], Json]:
    return lambda api: api.get_pipeline(pipeline_id)
