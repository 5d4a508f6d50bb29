"""The policy on the deployed stack: its own schedule proposes what is due, a person approves, the fleet rotates."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.cloud import cloud
from rekey.model.fleet import FLEET_ENDS
from tests.e2e.conftest import SCALES
from tests.e2e.driver import Driver, LambdaFailed, until
from tests.e2e.fleets import NOTHING, report, workspaces

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """A cloud of its own, whose window is open, and whose keys are due for years."""
    opened = datetime.now(UTC) - timedelta(hours=2)
    settings = {
        "fleet_window": f"{opened:%H}:00-{opened + timedelta(hours=12):%H}:00 UTC",
        "fleet_due_within_days": 3650,
        "fleet_add": True,
    }
    with cloud(SCALES, tmp_path_factory.mktemp("policy") / "local.json", settings=settings) as running:
        yield Driver(running)


def schedule_now(driver: Driver) -> str:
    """The deployed schedule, once more in a moment; the name of the fleet that it proposes."""
    scheduler = driver.aws("scheduler")
    found = scheduler.get_schedule(Name="rekey-propose-fleet")
    assert (found["ScheduleExpression"][:7], found["ScheduleExpressionTimezone"]) == ("cron(0 ", "UTC")
    kept = {name: found[name] for name in ("Name", "FlexibleTimeWindow", "Target", "ScheduleExpressionTimezone")}
    moment = datetime.now(UTC) + timedelta(seconds=1)
    scheduler.update_schedule(**kept, ScheduleExpression=f"at({moment:%Y-%m-%dT%H:%M:%S})")
    return f"policy-{moment:%Y-%m-%dT%H-%M-%SZ}"


def so_far(driver: Driver, name: str) -> dict[str, Any]:
    """Its report, once there is something to report."""
    try:
        return report(driver, name)
    except LambdaFailed as failed:
        return {"said": str(failed)}


def executions(driver: Driver) -> list[Any]:
    machine = driver.cloud.state_machine_arn.replace("-rotate-key", "-rotate-fleet")
    found: list[Any] = driver.aws("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    return sorted(found, key=lambda each: each["startDate"])


def test_what_is_due_is_proposed_approved_and_rotated(driver: Driver) -> None:
    [old] = workspaces(driver, "prod", 1)
    bare = driver.workspace(**NOTHING, workspace_name="bare")
    before = {each: driver.fields(each) for each in (old, bare)}
    driver.invoke("inventory")
    name = schedule_now(driver)
    asked = until(
        "the proposal to wait for a person",
        lambda: so_far(driver, name),
        lambda found: "Waits for a person" in found["said"],
    )
    # prod gets a new MANAGED_SERVICES key, and one for STORAGE.
    assert (asked["requested_by"], asked["outcomes"]) == ("policy", {"waiting": 3})
    assert {each: driver.fields(each) for each in (old, bare)} == before
    driver.invoke("steer_fleet", name=name, wish="approve", by="bea")
    ended = until(
        "the fleet to end",
        lambda: {each: report(driver, name)[each] for each in ("status", "said", "outcomes", "rotations")},
        lambda found: found["status"] in FLEET_ENDS,
    )
    assert (ended["status"], ended["outcomes"]) == ("succeeded", {"succeeded": 3})
    assert len(executions(driver)) == 1
    for each in (old, bare):
        assert driver.fields(each) != before[each]
        assert driver.unreadable(each) == []
        assert driver.violations(each) == []
