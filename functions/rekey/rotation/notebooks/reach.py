"""What keeps a path from leading anywhere: gone, not to be reached, or not now."""

from rekey.base.errors import (
    DatabricksThrottled,
    DatabricksUnavailable,
    NetworkRefused,
    NotFound,
    RekeyError,
    Transient,
    Unauthenticated,
)
from rekey.databricks import WorkspaceApi
from rekey.rotation.notebooks.store import Outcome, failed, skipped

NOT_NOW = (Transient, NetworkRefused, Unauthenticated)
"""Errors that are no folder's and no notebook's fault: the same may work later."""

GONE = skipped("it is gone")

UNREACHABLE = failed(
    'unreachable: Databricks lists it, and no path leads to it, as with a "/" in its name; it is as it was. '
    "Fix: rename it in the workspace, and renew it then"
)
"""terraform-provider-databricks#3081, #4527: the workspace let people give such names, and every call takes a path."""

_OWN_TROUBLE = (500, 502)
"""Statuses with which Databricks may fail over one object alone, time and again."""


def is_everybodys(error: Exception) -> bool:
    """Whether an error of NOT_NOW would meet any other object too: a rate limit, an outage, a way that is shut."""
    if isinstance(error, DatabricksUnavailable):
        return error.status not in _OWN_TROUBLE
    return isinstance(error, (DatabricksThrottled, NetworkRefused, Unauthenticated))


def is_below(folder: str, path: str) -> bool:
    """Whether a path that is listed in a folder leads to it: a name with "/" makes it another one's."""
    above = folder.rstrip("/") + "/"
    return not path.startswith(above) or "/" not in path.removeprefix(above)


def without_a_way(api: WorkspaceApi, path: str) -> Outcome:
    """The outcome for a path of which Databricks says that nothing is there: gone only where no folder lists it.

    Raises what the listing raises.
    """
    above = path
    while above not in ("", "/"):
        above = above.rpartition("/")[0] or "/"
        try:
            listed = api.list_objects(above)
        except NotFound:
            continue  # What looks like a folder may be the first half of a name.
        return UNREACHABLE if any(each["path"] == path for each in listed) else GONE
    return GONE


def found_missing(api: WorkspaceApi, path: str) -> Outcome:
    """As `without_a_way`, where a listing that is refused for good is an outcome too. Raises NOT_NOW alone."""
    try:
        return without_a_way(api, path)
    except NOT_NOW:
        raise
    except RekeyError as refusal:
        return failed(f"Databricks does not find it, and does not list what is beside it: {refusal}")
