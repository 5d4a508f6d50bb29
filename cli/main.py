"""The `rekey` console script."""

from typing import Annotated, ClassVar

import typer

from cli.exits import EXIT_CODES
from cli.lazy import Command, LazyGroup

HELP = "Customer-managed key rotation for Databricks workspaces on AWS."

COMMANDS = {
    "plan": Command("cli.plan:plan", "Say what a rotation would do, how long it would take, and why."),
    "rotate": Command("cli.rotate:rotate", "Give a workspace a new key, and disable the old one a day later."),
    "add": Command("cli.rotate:add", "Give a workspace the keys that it does not have yet."),
    "create-workspace": Command("cli.rotate:create_workspace", "Make a new workspace that has its keys at once."),
    "revoke": Command(
        "cli.access:revoke", "Take Databricks' access to a workspace's keys away at once, and prove that reads fail."
    ),
    "restore": Command(
        "cli.access:restore", "Give Databricks its access back, exactly as it was, and prove that data reads."
    ),
    "status": Command("cli.status:status", "Show the last rotations; or one, live, and how it ended."),
    "approve": Command("cli.control:approve", "Let a rotation that waits for approval go on, or decline it."),
    "cancel": Command("cli.control:cancel", "End a rotation, safely at any moment."),
    "finish": Command("cli.finish:finish", "Finish a rotation whose execution has ended before it."),
    "evidence": Command("cli.evidence:evidence", "Show, draw or verify a rotation's evidence."),
    "keys": Command("cli.keys:app", "List every key; `keys adopt` puts one under rekey's care."),
    "workspaces": Command(
        "cli.workspaces:workspaces",
        "List every workspace with its keys: how old they are, when they are due, and why one does not comply.",
    ),
    "fleet": Command("cli.fleet:app", "Rotate many workspaces in waves; see where a fleet is, and steer it."),
    "doctor": Command("cli.doctor:doctor", "Check a deployed stack, and say of all that is wrong how to fix it."),
    "terraform": Command(
        "cli.terraform:terraform", "Print a workspace's keys as HCL, so that Terraform sees no drift."
    ),
    "local": Command("cli.local_cloud:app", "Start, stop and look at a cloud on this machine, with the stack."),
}


class Commands(LazyGroup):
    lazy: ClassVar = COMMANDS


app = typer.Typer(
    cls=Commands,
    name="rekey",
    help=HELP,
    epilog="Exit status:\n\n" + "\n\n".join(f"{code}  {meaning}" for code, meaning in EXIT_CODES.items()),
    no_args_is_help=True,
    rich_markup_mode=None,  # Rich alone takes as long as all the rest of --help.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"rekey {version('rekey')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Customer-managed key rotation for Databricks workspaces on AWS."""
