"""`rekey revoke` and `rekey restore`: take Databricks' access to a workspace's keys away, and give it back."""

from typing import Annotated

import typer

from cli.options import grouped
from cli.request import AskedAccess
from cli.rotate import How, run
from cli.stack import Where
from rekey.model.request_fields import FIELDS

WorkspaceId = Annotated[int, typer.Argument(metavar="WORKSPACE", help=FIELDS["workspace_id"].option)]


@grouped
def revoke(workspace_id: WorkspaceId, asked: AskedAccess, how: How, where: Where) -> None:
    """Take Databricks' access to a workspace's keys away at once, and prove that reads fail.

    A second person approves (rekey approve). See docs/emergency.md.
    """
    run({"operation": "revoke", "workspace_id": workspace_id, **asked.fields()}, how, where)


@grouped
def restore(workspace_id: WorkspaceId, asked: AskedAccess, how: How, where: Where) -> None:
    """Give Databricks its access back, exactly as it was, and prove that data reads.

    A second person approves (rekey approve). See docs/emergency.md.
    """
    run({"operation": "restore", "workspace_id": workspace_id, **asked.fields()}, how, where)
