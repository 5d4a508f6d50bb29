"""What the workspace shows at a rotation's end, for the evidence. What cannot be read must not cost the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.observability import logger
from rekey.databricks import Estate, Workspace, WorkspaceApi
from rekey.model import terraform
from rekey.model.use_cases import USE_CASES
from rekey.planning.preflight import present_keys
from rekey.rotation.compute.crew import Crew
from rekey.rotation.compute.kind import AnyKind
from rekey.rotation.compute.kinds import KINDS
from rekey.rotation.compute.look import Look
from rekey.rotation.compute.notes import Notes
from rekey.rotation.compute.snapshot import Snapshot
from rekey.rotation.step import Step

Read = TypeVar("Read")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Present:
    """The keys, the compute and the HCL as they are now; None for what could not be read."""

    looked_at: str
    key_arns: Mapping[str, str] | None = None
    """ARN by configuration id, of every configuration of the account."""
    fields: Mapping[str, str | None] | None = None
    """Key configuration of each use case, as the workspace shows it."""
    compute: list[Row] | None = None
    """{"kind", "id", "name", "before", "after", "back", "note"}; `back` is None where nothing is to come back."""
    terraform: str | None = None


@dataclass(frozen=True, slots=True)
class _Keys:
    workspace: Workspace
    estate: Estate


def look(step: Step, was: Snapshot | None, notes: Notes) -> Present:
    """Look once. Never raises for what Databricks or AWS answer."""
    looked_at = clock.stamp()
    if step.rotation.workspace_id is None:
        return Present(looked_at)  # A workspace that was to be made and was not.
    keys = _tried("keys", lambda: _keys(step))
    rows = _tried("compute", lambda: compare(step.workspace, was, notes, step.time_left())) if was else None
    if keys is None:
        return Present(looked_at, compute=rows)
    return Present(
        looked_at,
        key_arns={each.configuration_id: each.key_arn for each in keys.estate.configurations},
        fields={use_case: keys.workspace.configuration_id(use_case) for use_case in USE_CASES},
        compute=rows,
        terraform=_hcl(step, keys),
    )


def compare(api: WorkspaceApi, was: Snapshot, notes: Notes, seconds: float) -> list[Row]:
    """Every piece and every trigger that was written down, before and now. Raises what kept a list from being read."""
    rows, seen = [], Look(Crew(api, seconds))
    seen.read(kind.listing for kind in KINDS if was.of_kind(kind))
    seen.believe()
    for kind in KINDS:
        pieces = was.of_kind(kind)
        shown = kind.shown(seen) if pieces else {}
        rows += [_row(kind, each, shown.get(kind.id_of(each)), notes) for each in pieces]
    return rows


def _row(kind: AnyKind, was: Any, now: dict[str, Any] | None, notes: Notes) -> Row:
    """`back` is None where nothing is to come back."""
    back = None if kind.stays_away(was) else kind.is_back(was, now)
    tried = notes.starts.get(kind.name_of(was))
    words = tried.said if tried and back is False else ""
    return {
        "kind": kind.noun,
        "id": kind.id_of(was),
        "name": kind.title(was),
        "before": kind.before(was),
        "after": kind.after(was, now),
        "back": back,
        "note": words or kind.note(was, now),
    }


def _keys(step: Step) -> _Keys:
    return _Keys(step.account.get_workspace(step.workspace_id), Estate.read(step.account))


def _hcl(step: Step, keys: _Keys) -> str:
    workspace = {
        "account_id": step.settings.databricks_account_id,
        "workspace_id": step.workspace_id,
        "name": keys.workspace.name,
    }
    return terraform.render(workspace, present_keys(keys.estate, keys.workspace))


def _tried(what: str, read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except (RekeyError, ClientError, BotoCoreError) as error:
        logger.warning(f"The evidence goes without the {what} as they are now: {error}")
        return None
