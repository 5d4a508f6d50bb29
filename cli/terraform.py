"""`rekey terraform`: a workspace's keys as they are now, for Terraform to import. Nothing is touched."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from cli import stack
from cli.options import grouped
from cli.output import say, told
from cli.plan import preflight_of
from local.cloud import CloudError
from rekey.model.request_fields import FIELDS
from rekey.model.terraform import quote, render, render_removed


@grouped
def terraform(
    workspace_id: Annotated[int, typer.Argument(metavar="WORKSPACE", help=FIELDS["workspace_id"].option)],
    where: stack.Where,
) -> None:
    """Print a workspace's keys as HCL, so that Terraform sees no drift.

    For the keys that it had before, and rekey has let go, `removed` blocks are printed (Terraform 1.7 or newer).
    """
    with told(stack.StackError, CloudError, as_json=False):
        found = where.find()
        preflight = preflight_of(found, {"workspace_id": workspace_id, "dry_run": True})
        if not preflight["present_keys"]:  # Where the workspace was seen there is one row for each use case.
            raise stack.StackError("\n".join(preflight["findings"]))
        removed = _removed(found, preflight["workspace"])
    say("\n\n".join(filter(None, [render(preflight["workspace"], preflight["present_keys"]).rstrip(), removed])))


def _removed(found: stack.Stack, workspace: Mapping[str, Any]) -> str:
    try:
        return render_removed(workspace, found.invoke("list_keys", {})["keys"]).rstrip()
    except (stack.StackError, ClientError) as error:
        # What the workspace has now is worth printing all the same, as long as nobody takes it for all.
        return f"# Which old keys rekey has let go could not be asked: {quote(str(error))}"
