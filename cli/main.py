"""The `rekey` console script."""

import typer

from cli import keys, local_cloud
from cli.evidence import evidence
from cli.plan import plan
from cli.terraform import terraform

app = typer.Typer(
    name="rekey",
    help="Customer-managed key rotation for Databricks workspaces on AWS.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(local_cloud.app, name="local")
app.add_typer(keys.app, name="keys")
app.command()(plan)
app.command()(terraform)
app.command()(evidence)


@app.callback()
def main() -> None:
    """Customer-managed key rotation for Databricks workspaces on AWS."""
