"""The `rekey` console script."""

from importlib.metadata import version
from typing import Annotated

import typer

from cli import keys, local_cloud
from cli.control import approve, cancel
from cli.evidence import evidence
from cli.finish import finish
from cli.output import EXIT_CODES, say
from cli.plan import plan
from cli.rotate import add, create_workspace, rotate
from cli.status import status
from cli.terraform import terraform

HELP = "Customer-managed key rotation for Databricks workspaces on AWS."

app = typer.Typer(
    name="rekey",
    help=HELP,
    epilog="Exit status:\n\n" + "\n\n".join(f"{code}  {meaning}" for code, meaning in EXIT_CODES.items()),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(plan)
app.command()(rotate)
app.command()(add)
app.command()(create_workspace)
app.command()(status)
app.command()(approve)
app.command()(cancel)
app.command()(finish)
app.command()(terraform)
app.command()(evidence)
app.add_typer(keys.app, name="keys")
app.add_typer(local_cloud.app, name="local")


def _show_version(asked: bool) -> None:
    if asked:
        say(f"rekey {version('rekey')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Customer-managed key rotation for Databricks workspaces on AWS."""
