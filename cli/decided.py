"""A plan as an approver reads it: who asks for what, why it is so, what it stops and for how long."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.follow import Execution
from cli.follow.execution import read_object
from cli.progress import View
from cli.wording import counted, roughly
from rekey.model.inbox import unwrapped

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


def describe(client: "SFNClient", execution: Execution) -> Iterator[str]:
    """Lines for a person. The plan is the one that was decided, not one made anew."""
    view = View(execution.rotation_id, execution, 0.0)
    yield from view.heading()
    request = unwrapped(read_object(client.describe_execution(executionArn=execution.arn).get("input")))
    for name in ("requested_by", "reason", "ticket", "request_id", "not_before", "not_after"):
        if request.get(name):
            yield f"  {name.replace('_', ' ')}: {_shown(request[name])}"
    if view.plan is None:
        return
    yield from (f"  - {why}" for why in view.plan.why)
    stops = [counted(count, kind.removesuffix("s")) for kind, count in view.plan.would_stop.items() if count]
    yield f"  - stops {', '.join(stops)}" if stops else "  - stops no compute"
    yield from (f"  {each.name}: {view.expectation(each.name)}; {each.why}" for each in view.phases.values())
    expected = sum(each.expected_seconds for each in view.phases.values())
    down = sum(each.expected_seconds for each in view.phases.values() if each.downtime)
    yield f"About {roughly(expected)}, {f'downtime about {roughly(down)}' if down else 'no downtime'}."


def _shown(value: object) -> str:
    return " ".join(map(str, value.values())) if isinstance(value, dict) else str(value)
