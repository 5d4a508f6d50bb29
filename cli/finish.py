"""`rekey finish`: what a rotation left undone whose execution has ended, tried again now, or let be."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import typer

from cli.control import Reason, RotationId, Yes, can_ask, invoke
from cli.exits import DONE, GOES_ON
from cli.options import grouped
from cli.output import ask, give, say, told
from cli.stack import StackError, Where
from local.cloud import CloudError

What = Literal["compute", "keys", "all"]

_LETS_BE: Mapping[What, str] = {
    "compute": "What is missing of its compute stays away.",
    "keys": "Its keys, configurations and policies stay as they are.",
    "all": "Its compute, keys, configurations and policies stay as they are.",
}


@grouped
def finish(
    rotation_id: RotationId,
    where: Where,
    let_be: Annotated[
        What | None, typer.Option(metavar="WHAT", help="Leave it undone for good: compute, keys or all.")
    ] = None,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text; needs --yes.")
    ] = False,
) -> None:
    """Finish a rotation whose execution has ended before it.

    Shows what is undone, and has the finisher try it now. It tries by itself too, for as long as it takes.
    """
    can_ask(yes=yes, as_json=as_json)
    with told(StackError, CloudError, as_json=as_json):
        stack = where.find()
        seen = invoke(stack, "carry_on", rotation_id, None, look=True)
        if seen["running"] and not as_json:
            say(f"{rotation_id}: its execution is at work on it. To see it: rekey status {rotation_id}{where.typed}")
            raise typer.Exit(GOES_ON)
        if seen["undone"] and not seen["running"]:
            if not yes:
                _describe(seen)
                if let_be:
                    say(f"{_LETS_BE[let_be]} That is written into its evidence, in your name.")
                ask("Let it be?" if let_be else "Try it now?")
            seen = invoke(stack, "carry_on", rotation_id, reason, **({"let_be": let_be} if let_be else {}))
        if as_json:
            give(seen)
        else:
            _describe(seen)
    raise typer.Exit(GOES_ON if seen["undone"] else DONE)


def _describe(seen: Mapping[str, Any]) -> None:
    named = seen["rotation_id"]
    if not seen["undone"]:
        say(f"{named} is {seen['status']}, and nothing is undone.")
        return
    say(f"{named} is {seen['status']}, and not at its end:")
    for each in seen["undone"]:
        say(f"  {each}")
    if seen["said"]:
        say(f"What keeps it: {seen['said']}")
    if seen["next_at"]:
        say(f"The finisher tries it again by itself at {seen['next_at']}.")
