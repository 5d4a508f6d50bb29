"""`rekey terraform`: a workspace's keys as they are now, for Terraform to import. Nothing is touched."""

from typing import Annotated

import typer

from cli import stack
from cli.options import grouped
from cli.output import say, told
from cli.plan import preflight_of
from local.cloud import CloudError
from rekey.model.request_fields import FIELDS
from rekey.model.terraform import render


@grouped
def terraform(
    workspace_id: Annotated[int, typer.Argument(metavar="WORKSPACE", help=FIELDS["workspace_id"].option)],
    where: stack.Where,
) -> None:
    """Print a workspace's keys as HCL, so that Terraform sees no drift."""
    with told(stack.StackError, CloudError, as_json=False):
        found = where.find()
        preflight = preflight_of(found, {"workspace_id": workspace_id, "dry_run": True})
        if not preflight["present_keys"]:  # Where the workspace was seen there is one row for each use case.
            raise stack.StackError("\n".join(preflight["findings"]))
    say(render(preflight["workspace"], preflight["present_keys"]).rstrip())
