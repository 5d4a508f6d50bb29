"""`python -m cli.picture docs/images/rotation.svg`: the live view of a recorded rotation as an SVG that moves.

The recording lies beside the picture (`make recording`): a rotation's history as Step Functions gave it, cut to what
the view reads, with `at` in seconds since its start.
"""

import io
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console

from cli.follow import Execution
from cli.progress import View
from rekey.base.clock import moment

WIDTH = 88
FRAMES = 14
FRAME_SECONDS = 1.1
LAST_HOLDS = 4
"""Frames for which the end is shown."""

_WEB_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_INSIDE = re.compile(r"(<defs>.*)</svg>", re.DOTALL)
_SIZE = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


def recorded(recording: Path, at: float | None = None) -> View:
    """The view `at` seconds into a recording, or at the moment that it names. Raises OSError or ValueError."""
    told = json.loads(recording.read_text(encoding="utf-8"))
    start = moment(
        next(each["answer"]["plan"]["start_at"] for each in told["events"] if "plan" in each.get("answer", {}))
    )
    until = told["at"] if at is None else at
    events = [_event(number, each, start) for number, each in enumerate(told["events"], start=1) if each["at"] <= until]
    now = (start + timedelta(seconds=until)).astimezone(UTC).timestamp()
    execution = Execution("recorded").after(events)
    if events and events[-1]["type"] == "ExecutionSucceeded":
        execution = Execution("recorded", "SUCCEEDED").after(events)
    return View(told["rotation_id"], execution, now, zone=UTC)


def draw(view: View, title: str, name: str = "rekey") -> str:
    """One picture as SVG. It fetches nothing: without the web font a viewer takes its own monospace."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, no_color=False, color_system="truecolor"
    )
    console.print(view)
    return _WEB_FONT.sub("", console.export_svg(title=title, unique_id=name))


def animate(recording: Path) -> str:
    """The recording in a few seconds. Who wants no motion sees its end."""
    told = json.loads(recording.read_text(encoding="utf-8"))
    title = told["command"]
    last = told["events"][-1]["at"]
    moments = [last * number / (FRAMES - 1) for number in range(FRAMES)]
    return _joined([draw(recorded(recording, at), title, f"f{n}") for n, at in enumerate(moments)])


def _joined(frames: Sequence[str]) -> str:
    """The frames over one another, each visible for its time; the tallest gives the size."""
    sizes = [tuple(map(float, found.groups())) for each in frames if (found := _SIZE.search(each))]
    width, height = max(size[0] for size in sizes), max(size[1] for size in sizes)
    shown = len(frames) - 1 + LAST_HOLDS
    styles = [found[1] for each in frames if (found := _STYLE.search(each))]
    groups = [
        f'<g class="{"frame last" if n == len(frames) - 1 else "frame"}" '
        f'style="animation-delay: {n * FRAME_SECONDS:.1f}s">{found[1]}</g>'
        for n, each in enumerate(frames)
        if (found := _INSIDE.search(each))
    ]
    motion = f"""
    .frame {{ visibility: hidden; animation: frame {shown * FRAME_SECONDS:.1f}s step-end infinite; }}
    .last {{ animation-name: last; }}
    @keyframes frame {{ 0% {{ visibility: visible; }} {100 / shown:.3f}% {{ visibility: hidden; }} }}
    @keyframes last {{ 0% {{ visibility: visible; }} {100 * LAST_HOLDS / shown:.3f}% {{ visibility: hidden; }} }}
    @media (prefers-reduced-motion: reduce) {{ .frame {{ animation: none; }} .last {{ visibility: visible; }} }}
    """
    head = f'<svg viewBox="0 0 {width:g} {height:g}" xmlns="http://www.w3.org/2000/svg" role="img">'
    name = "<title>A rotation, followed in a terminal</title>"
    return "\n".join([head, name, f"<style>{motion}{''.join(styles)}</style>", *groups, "</svg>"]) + "\n"


def main(arguments: list[str]) -> None:
    """Draw the recording beside each SVG file that is named."""
    for name in arguments:
        picture = Path(name)
        picture.write_text(animate(picture.with_suffix(".json")), encoding="utf-8")
        sys.stderr.write(f"{picture}: {FRAMES} frames\n")


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
