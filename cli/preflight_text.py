"""The preflight as text, for a person. Plain functions, apart so that the command line stays light."""

from collections.abc import Sequence
from typing import Any

from rekey.base.durations import about


def as_text(preflight: dict[str, Any]) -> str:
    """The preflight for a terminal."""
    workspace = preflight["workspace"]
    lines = [
        f"Workspace {workspace['name']} ({workspace['workspace_id'] or 'new'}), {workspace['region']}, "
        f"{workspace['tier'] or 'tier of the account'}, "
        f"{workspace['status']}, {workspace['network']}-managed network",
        *(f"  {each['use_case']}: {each['key_arn'] or 'no key'}{_sharing(each)}" for each in preflight["present_keys"]),
        *_section("Would stop", preflight["would_stop"]),
        *_section("Job runs that would be cut short", preflight["would_cut_short"]),
        *_section("Why", preflight["why"]),
        *_section("Phases", [_phase(each) for each in preflight["phases"]]),
    ]
    if preflight["possible"]:
        lines.append(
            f"About {about(preflight['expected_seconds'])}, "
            f"{about(preflight['expected_downtime_seconds'])} of it without classic compute."
        )
    return "\n".join([*lines, *_section("Look at" if preflight["possible"] else "Forbidden", preflight["findings"])])


def _sharing(key: dict[str, Any]) -> str:
    return f", shared with workspace {', '.join(key['shared_with'])}" if key["shared_with"] else ""


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  - {line}" for line in lines)] if lines else []


def _phase(phase: dict[str, Any]) -> str:
    return (
        f"{phase['name']}: about {about(phase['expected_seconds'])}, "
        f"given up after {about(phase['budget_seconds'])}; {phase['why']}"
    )
