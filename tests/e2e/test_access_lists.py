"""IP access lists of account, workspace and token endpoints: each with its own fix, and waited for in the middle."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.common import whole
from tests.e2e.driver import Driver, until

ADDRESS = "198.51.100.7"
DOORS = {
    "account, API": ({"at": ["account"]}, "Databricks account, API", "account"),
    "account, token endpoint": ({"at": ["token"]}, "Databricks account, token endpoint", "account"),
    "workspace, API": ({"at": ["workspace"]}, "Workspace {name}, API", "workspace"),
    "workspace, token endpoint": ({"at": ["token"]}, "Workspace {name}, token endpoint", "workspace"),
}
"""What is shut, where the plan sees it, and whose list is to be changed."""


@contextmanager
def kept_out(driver: Driver, **shut: Any) -> Iterator[None]:
    driver.post("access-lists", **shut)
    try:
        yield
    finally:
        driver.delete("access-lists")


@pytest.mark.parametrize("which", DOORS)
def test_the_plan_tells_which_list_it_is_and_what_to_put_on_it(driver: Driver, which: str) -> None:
    shut, place, whose = DOORS[which]
    workspace_id = driver.workspace()
    name = driver.shown(workspace_id)["workspace_name"]
    only = {"workspace_id": workspace_id} if whose == "workspace" else {}
    # A container that has a token asks for none.
    driver.renew("plan_rotation")
    with kept_out(driver, **shut, **only):
        planned = driver.rotate(workspace_id=workspace_id, dry_run=True)
    assert planned.status == "SUCCEEDED", planned
    assert planned.output["preflight"]["possible"] is False
    [told] = planned.output["preflight"]["findings"]
    assert told.startswith(place.format(name=name))
    assert f"Fix: put {ADDRESS} on the IP access list of the Databricks {whose}" in told


def test_lists_that_come_in_the_middle_are_waited_for_and_compute_comes_back(driver: Driver) -> None:
    workspace_id = driver.workspace(keys={"managed_services": driver.make_key()})
    before = driver.compute(workspace_id)
    for function in ("patch_workspace", "verify", "restart_compute"):
        driver.renew(function)
    name = driver.start(workspace_id=workspace_id)
    driver.wait_for_state(name, "Wait for compute to stop")
    asked = len(driver.get("requests"))
    with kept_out(driver, at=["account", "workspace", "token"]):
        until("rekey to be kept out, again and again", lambda: refused(driver, asked), lambda times: times > 5)
        assert driver.compute(workspace_id) != before
    ended = driver.wait(name)
    assert ended.status == "SUCCEEDED", ended
    whole(driver, workspace_id, before)


def refused(driver: Driver, since: int) -> int:
    return len([each for each in driver.get("requests")[since:] if each["status"] == 403])
