"""When an answer says that the very object that was asked for is gone, and when it speaks of another one.

Databricks says "gone" in many ways, and the same words of what an object needs: a cluster's policy, a job's cluster.
Sources: databricks-sdk-py errors/overrides.py (clusters, jobs and runs are 400 INVALID_PARAMETER_VALUE);
terraform-provider-databricks#1177 (cluster, INVALID_STATE) and its pools/resource_instance_pool.go;
databrickslabs/ucx#1467 ("The warehouse … was not found."). A missing job was seen as 400, 403 and 404.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from rekey.databricks.answers import Asked, Said

MISSING_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_STATUSES = (400, 403, 404)
_ABSENT = (
    r"(?:does not exist|doesn't exist|no longer exists|"
    r"(?:was |is |could |can)?not (?:be )?found|(?:was|is|has been) deleted)"
)
_ID = r"(?<![\w-])['\"(\[]?{id}['\")\]]?(?![\w-])"


@dataclass(frozen=True, slots=True)
class Family:
    """Calls that ask for one object, and how Databricks speaks of it."""

    noun: str
    path: str
    field: str
    """The field of query or body with the object's id; the path's group "id" where it has one."""
    wordings: Sequence[str] = ()
    """Further ways to say that it is gone; {id} is its id."""


FAMILIES = (
    Family(
        noun="cluster",
        path=r"/api/2\.\d/clusters/(get|start|delete)",
        field="cluster_id",
        wordings=(rf"Cannot access cluster {_ID} that was terminated or unpinned more than",),
    ),
    Family(
        noun="run",
        path=r"/api/2\.\d/jobs/runs/(get|cancel)",
        field="run_id",
        wordings=(rf"Run:? {_ID} (?:in|of) job:? \S+ {_ABSENT}",),
    ),
    Family(noun="job", path=r"/api/2\.\d/jobs/(get|update)", field="job_id"),
    Family(
        noun="(?:instance )?pool",
        path=r"/api/2\.0/instance-pools/(get|edit)",
        field="instance_pool_id",
        wordings=(rf"Can't find an instance pool with id:? {_ID}",),
    ),
    Family(noun="(?:sql )?(?:warehouse|endpoint)", path=r"/api/2\.0/sql/warehouses/(?P<id>[^/]+)(/\w+)?", field="id"),
    Family(noun="pipeline", path=r"/api/2\.0/pipelines/(?P<id>[^/]+)(/\w+)?", field="pipeline_id"),
)
"""Calls of no family, the account API's among them, are classified as the SDK does it: by code, then by status."""

_PERHAPS = re.compile("permission|authori[sz]ed", re.IGNORECASE)
"""It may only be hidden from rekey."""

_OTHER_THINGS = re.compile(
    r"\b(?:cluster|pool|warehouse|job|run|pipeline|workspace|account|endpoint|polic(?:y|ie)|node type|credential|"
    r"network|key|storage|user|group|principal|profile|role|notebook|directory|folder|path|catalog|schema|scope|"
    r"librar(?:y|ie))s?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Object:
    """The one object that a request asks for."""

    family: Family
    object_id: str

    @classmethod
    def of(cls, asked: Asked) -> Self | None:
        """None where the request asks for no single object, or for one of no family."""
        for family in FAMILIES:
            if match := re.fullmatch(family.path, asked.path):
                given: dict[str, Any] = {**(asked.query or {}), **(asked.body if isinstance(asked.body, dict) else {})}
                found = match.groupdict().get("id") or given.get(family.field)
                return cls(family, str(found)) if found else None
        return None

    def is_gone(self, said: Said) -> bool:
        """Whether the answer says so of this object, and not of another one, of a page or of the endpoint."""
        if said.page or said.status not in _STATUSES or _PERHAPS.search(said.message):
            return False
        named = rf"\b{self.family.noun}:?\s+(?:with\s+)?(?:id:?\s+)?{_ID} {_ABSENT}"
        if any(self._find(wording, said.message) for wording in (named, *self.family.wordings)):
            return True
        missing = said.code in MISSING_CODES or (said.status == 404 and not said.code)
        return missing and not self._speaks_of_another(said.message)

    def _speaks_of_another(self, message: str) -> bool:
        rest = re.sub(rf"\b{self.family.noun}s?\b", " ", message.replace(self.object_id, " "), flags=re.IGNORECASE)
        return _OTHER_THINGS.search(rest) is not None

    def _find(self, wording: str, message: str) -> re.Match[str] | None:
        return re.search(wording.replace("{id}", re.escape(self.object_id)), message, re.IGNORECASE)
