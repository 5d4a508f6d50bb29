"""The SDK as oracle: workspace objects in a format, permissions, files of DBFS (tests/simulator/oracle.py says how)."""

import base64
from typing import Any

import pytest
from databricks.sdk.service import files, iam, workspace

from tests.simulator.oracle import Pair, Wire, same


def test_workspace_objects_and_their_permissions(pair: Pair, wire: Wire) -> None:
    (ours, theirs) = same(
        wire, lambda: pair.api.list_objects("/Shared"), lambda: list(pair.sdk.workspace.list("/Shared"))
    )
    assert [(each["path"], each["object_id"]) for each in ours] == [(each.path, each.object_id) for each in theirs]
    path = ours[0]["path"]
    found, status = same(wire, lambda: pair.api.get_object(path), lambda: pair.sdk.workspace.get_status(path))
    assert status.language is not None
    assert (found["object_id"], found["language"], found["modified_at"]) == (
        status.object_id,
        status.language.value,
        status.modified_at,
    )
    object_id = found["object_id"]
    same(
        wire,
        lambda: pair.api.set_permissions(
            "notebooks", object_id, [{"user_name": "a@example.com", "permission_level": "CAN_RUN"}]
        ),
        lambda: pair.sdk.permissions.set(
            "notebooks",
            str(object_id),
            access_control_list=[
                iam.AccessControlRequest(user_name="a@example.com", permission_level=iam.PermissionLevel.CAN_RUN)
            ],
        ),
    )
    ours, theirs = same(
        wire,
        lambda: pair.api.get_permissions("notebooks", object_id),
        lambda: pair.sdk.permissions.get("notebooks", str(object_id)),
    )
    assert ours == [each.as_dict() for each in theirs.access_control_list]


@pytest.mark.rule("notebook-format")
@pytest.mark.parametrize("form", ["JUPYTER", "SOURCE"])
def test_export_and_import_an_object_in_a_format(pair: Pair, wire: Wire, form: str) -> None:
    path = pair.api.list_objects("/Shared")[0]["path"]
    ours, theirs = same(
        wire,
        lambda: pair.api.export_object(path, form),
        lambda: pair.sdk.workspace.export(path, format=workspace.ExportFormat(form)),
    )
    assert ours == base64.b64decode(theirs.content)
    same(
        wire,
        lambda: pair.api.import_object(path, ours, form, language="PYTHON", overwrite=True),
        lambda: pair.sdk.workspace.import_(
            path,
            content=theirs.content,
            format=workspace.ImportFormat(form),
            language=workspace.Language.PYTHON,
            overwrite=True,
        ),
    )


def test_a_small_file_of_the_workspaces_own_bucket(pair: Pair, wire: Wire) -> None:
    # Not WorkspaceClient.dbfs, whose delete goes by the kind of its path.
    sdk: Any = files.DbfsAPI(pair.sdk.api_client)  # type: ignore[no-untyped-call]
    path = "/tmp/rekey-canary/r1-before"  # noqa: S108, DBFS' own
    content = base64.b64encode(b"what was written").decode()
    same(
        wire,
        lambda: pair.api.put_file(path, "what was written"),
        lambda: sdk.put(path, contents=content, overwrite=True),
    )
    ours, theirs = same(wire, lambda: pair.api.read_file(path), lambda: sdk.read(path))
    assert ours.encode() == base64.b64decode(theirs.data)
    found, status = same(wire, lambda: pair.api.get_file(path), lambda: sdk.get_status(path))
    assert found == status.as_dict()
    same(wire, lambda: pair.api.delete_file(path), lambda: sdk.delete(path, recursive=False))
