"""Renews one notebook: export, import over it, export again, compare. It never loses one.

From the first import until the comparison holds, the export is in this call's memory alone, so here, and only here,
a call is repeated at once instead of being handed back to the state machine.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from rekey.base.errors import (
    DatabricksError,
    DatabricksThrottled,
    DatabricksUnavailable,
    NetworkRefused,
    NotFound,
    Transient,
    Unauthenticated,
)
from rekey.databricks import WorkspaceApi
from rekey.rotation.notebooks.content import digest
from rekey.rotation.notebooks.reach import NOT_NOW, found_missing, is_everybodys
from rekey.rotation.notebooks.store import RENEWED, Begun, Outcome, failed, skipped

PAUSES = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each try."""

FORMAT = "JUPYTER"
"""The one format that keeps outputs and may be imported over a notebook: SOURCE drops them, DBC cannot overwrite."""

_TOO_LARGE = "MAX_NOTEBOOK_SIZE_EXCEEDED"
_TURNED_AWAY = (DatabricksThrottled, DatabricksUnavailable, NetworkRefused, Unauthenticated)
"""Nothing of such a request was applied."""

_Answer = TypeVar("_Answer")


class NotNow(Exception):
    """The notebook is put off. `touched` says whether an import may have been applied, `waits` whether it is not this
    notebook's trouble, which is waited for and counts as no try."""

    def __init__(self, why: str, *, touched: bool, waits: bool = False) -> None:
        super().__init__(why)
        self.touched = touched
        self.waits = waits

    @classmethod
    def after(cls, error: Exception, *, touched: bool) -> "NotNow":
        return cls(str(error), touched=touched, waits=is_everybodys(error))


def renew(api: WorkspaceApi, path: str, begun: Begun | None, write_down: Callable[[Begun], None]) -> Outcome:
    """Gives the outcome. `begun` is what an earlier call wrote down with `write_down` and did not finish.

    Raises NotNow where the same may work later.
    """
    try:
        try:
            renewal = _prepare(api, path, begun, write_down)
        except NotFound:
            return found_missing(api, path)
    except NOT_NOW as error:
        raise NotNow.after(error, touched=begun is not None) from error
    except DatabricksError as refusal:
        return _refused(refusal)
    return renewal if isinstance(renewal, Outcome) else renewal.run()


def _prepare(
    api: WorkspaceApi, path: str, begun: Begun | None, write_down: Callable[[Begun], None]
) -> "Outcome | _Renewal":
    """All that comes before the import; or the outcome, where there is none."""
    before = api.get_object(path)
    if before["object_type"] != "NOTEBOOK":
        return skipped(f"it is a {before['object_type']} now")
    original = api.export_object(path, FORMAT)
    now = Begun(digest=digest(original), permissions=_own_permissions(api, before["object_id"]))
    if begun and begun.digest != now.digest:
        return failed(
            "rekey was interrupted while it renewed it, and it reads differently since: edited by somebody, or "
            "changed by the import; see its revision history"
        )
    write_down(begun or now)
    # Who edits it meanwhile must not lose what they wrote: what follows is an import and nothing else.
    if api.get_object(path).get("modified_at") != before.get("modified_at"):
        raise NotNow("somebody is editing it", touched=begun is not None)
    return _Renewal(api, path, before.get("language"), original, begun or now)


class _Renewal:
    """The import and its proof, with the original in memory."""

    def __init__(self, api: WorkspaceApi, path: str, language: str | None, original: bytes, wanted: Begun) -> None:
        self._api = api
        self._path = path
        self._language = language
        self._original = original
        self._wanted = wanted

    def run(self) -> Outcome:
        touched, differed = False, 0
        trouble: Exception = DatabricksUnavailable()
        for pause in PAUSES:
            time.sleep(pause)
            try:
                self._import()
            except _TURNED_AWAY as error:
                trouble = error
                continue
            except Transient as error:
                touched, trouble = True, error  # It may have been written: once more does no harm.
                continue
            except DatabricksError as refusal:
                if not touched:
                    return _refused(refusal)
                trouble = refusal
                continue
            touched = True
            try:
                after = _persistently(lambda: self._api.get_object(self._path))
                if self._reads_back(after):
                    return self._put_permissions_back(after["object_id"])
                now = _persistently(lambda: self._api.get_object(self._path))
                if now.get("modified_at") != after.get("modified_at"):
                    return failed("somebody edited it before it could be compared; it was left as it is")
            except NOT_NOW as error:
                raise NotNow.after(error, touched=True) from error
            except DatabricksError as error:
                trouble = error
                continue
            differed += 1
            if differed > 1:
                return failed("it reads back differently, also after its original was written a second time")
        raise NotNow.after(trouble, touched=touched)

    def _import(self) -> None:
        self._api.import_object(self._path, self._original, FORMAT, language=self._language, overwrite=True)

    def _reads_back(self, after: dict[str, Any]) -> bool:
        back = _persistently(lambda: self._api.export_object(self._path, FORMAT))
        return digest(back) == self._wanted.digest and after.get("language") == self._language

    def _put_permissions_back(self, object_id: int) -> Outcome:
        """An import may make a new object with permissions of its own (not documented)."""
        wanted = self._wanted.permissions
        try:
            if _persistently(lambda: _own_permissions(self._api, object_id)) != wanted:
                _persistently(lambda: self._api.set_permissions("notebooks", object_id, wanted))
                if _persistently(lambda: _own_permissions(self._api, object_id)) != wanted:
                    return failed("renewed, but its permissions are not the ones it had")
        except NOT_NOW as error:
            raise NotNow.after(error, touched=True) from error
        except DatabricksError as error:
            return failed(f"renewed, but its permissions could not be put back: {error}")
        return RENEWED


def _own_permissions(api: WorkspaceApi, object_id: int) -> list[dict[str, Any]]:
    """What is given on the notebook itself, in the form that a PUT takes; inherited permissions stay where they are."""
    found = [
        {**_principal(entry), "permission_level": each["permission_level"]}
        for entry in api.get_permissions("notebooks", object_id)
        for each in entry.get("all_permissions", [])
        if not each.get("inherited")
    ]
    return sorted(found, key=lambda entry: sorted(entry.items()))


def _principal(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in ("user_name", "group_name", "service_principal_name") if entry.get(name)}


def _persistently(call: Callable[[], _Answer]) -> _Answer:
    """The call's answer, asked for again while the error is one that passes."""
    for pause in PAUSES[1:]:
        try:
            return call()
        except Transient:
            time.sleep(pause)
    return call()


def _refused(refusal: DatabricksError) -> Outcome:
    if refusal.code == _TOO_LARGE:
        return skipped("larger than the 10 MB that Databricks exports and imports", too_large=True)
    return failed(f"left as it was: {refusal}")
