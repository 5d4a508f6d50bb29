"""`python -m cli.picture docs/images/rotate.svg`: the live view of a recorded rotation as an SVG picture.

The recording lies beside the picture: a rotation's history as Step Functions gave it, cut to what the view reads,
with `at` in seconds since its start, and the steps to which its waits belong.
"""

import io
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.follow import Execution
from cli.follow.definition import Definition
from cli.progress import View
from cli.wording import duration
from rekey.base.clock import moment

TITLE = "rekey rotate 1234567890123456"
WIDTH = 96

_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def recorded(recording: Path) -> View:
    """The view at the moment that the recording names. Raises OSError or ValueError."""
    told = json.loads(recording.read_text(encoding="utf-8"))
    start = moment(
        next(each["answer"]["plan"]["start_at"] for each in told["events"] if "plan" in each.get("answer", {}))
    )
    events = [_event(number, each, start) for number, each in enumerate(told["events"], start=1)]
    now = (start + timedelta(seconds=told["at"])).astimezone(UTC).timestamp()
    return View(told["rotation_id"], Execution("recorded", definition=Definition(told["steps"])).after(events), now)


def draw(view: View) -> str:
    """SVG. It fetches nothing: without the web font a viewer takes its own monospace."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, no_color=False, color_system="truecolor"
    )
    console.print(view)
    return _WEB_FONT.sub("", console.export_svg(title=TITLE, unique_id="rekey"))


def main(arguments: list[str]) -> None:
    """Draw the recording beside each SVG file that is named."""
    for name in arguments:
        picture = Path(name)
        view = recorded(picture.with_suffix(".json"))
        picture.write_text(draw(view), encoding="utf-8")
        sys.stderr.write(f"{picture}: {duration(view.execution.elapsed(view.now))} into the rotation\n")


def _event(number: int, told: dict[str, Any], start: datetime) -> dict[str, Any]:
    """The event as GetExecutionHistory gives it."""
    event: dict[str, Any] = {
        "id": number,
        "type": told["type"],
        "timestamp": start + timedelta(seconds=told["at"]),
    }
    if "state" in told:
        event["stateEnteredEventDetails"] = {"name": told["state"]}
    if "answer" in told:
        event["stateExitedEventDetails"] = {"output": json.dumps(told["answer"])}
    return event


if __name__ == "__main__":
    main(sys.argv[1:])
