"""A fleet on the deployed stack: the emulator runs rotate_fleet's own definition, a distributed Map and all."""

import uuid

from tests.e2e.driver import Driver, until
from tests.e2e.fleets import end_of, executions_of, report, start, workspaces


def test_six_workspaces_of_which_one_fails_and_one_is_forbidden(driver: Driver) -> None:
    name = f"fleet-{uuid.uuid4().hex[:8]}"
    going = workspaces(driver, name, 5)
    forbidden = workspaces(driver, f"{name}-x", 1, workspace_admin=False)
    refused = {"status": 400, "error_code": "BAD_REQUEST", "message": "No.", "times": None}
    driver.post("faults", match={"method": "PATCH", "path": f"/{going[3]}"}, fault="status", **refused)
    before = {each: driver.fields(each) for each in going}
    fleet = {"name": name, "named": f"{name}-*", "waves": [1, 2, 9], "concurrency": 2, "max_failed_percent": 50}
    ended = end_of(driver, start(driver, name, fleet=fleet, requested_by="ada"))
    assert (ended["status"], ended.get("error")) == ("FAILED", "FleetIncomplete"), ended
    found = report(driver, name)
    assert (found["status"], found["outcomes"]) == ("incomplete", {"succeeded": 4, "failed": 1, "forbidden": 1})
    assert {each["workspace_id"]: each["outcome"] for each in found["rotations"]} == {
        **dict.fromkeys(going, "succeeded"),
        going[3]: "failed",
        forbidden[0]: "forbidden",
    }
    assert [each["outcomes"] for each in found["waves"]] == [
        {"succeeded": 1},
        {"succeeded": 2},
        {"failed": 1, "succeeded": 1},
    ]
    ends = {each["wave"]: each["ended_at"] for each in found["rotations"] if each["wave"]}
    opened = {
        wave: min(
            driver.aws("stepfunctions").describe_execution(
                executionArn=f"{driver.cloud.state_machine_arn.replace(':stateMachine:', ':execution:')}:{each}"
            )["startDate"]
            for each in (one["rotation_id"] for one in found["rotations"] if one["wave"] == wave)
        )
        for wave in (2, 3)
    }
    assert ends[1] < opened[2].isoformat()
    assert ends[2] < opened[3].isoformat()
    assert [each for each in going if driver.fields(each) == before[each]] == [going[3]]
    assert all(driver.unreadable(each) == [] and driver.violations(each) == [] for each in going)
    page = driver.aws("s3").get_object(Bucket=driver.cloud.evidence_bucket, Key=f"fleets/{name}/fleet.html")
    assert b"4 of 5 rotations succeeded" in page["Body"].read()


def test_a_fleet_that_is_aborted_goes_on_when_it_is_asked_for_again(driver: Driver) -> None:
    name = f"fleet-{uuid.uuid4().hex[:8]}"
    going = workspaces(driver, name, 5)
    keys = driver.keys()
    request = {"fleet": {"name": name, "named": f"{name}-*", "waves": [1, 9], "concurrency": 1}}
    first = start(driver, f"{name}-1", **request)
    until("the second wave to begin", lambda: executions_of(driver, name), lambda found: len(found) >= 2)
    driver.aws("stepfunctions").stop_execution(executionArn=first, cause="a mistake")
    begun = executions_of(driver, name)
    for each in begun:
        assert driver.wait(each).status == "SUCCEEDED", "what has begun goes on to its end"
    assert executions_of(driver, name) == begun, "and nothing else begins"
    stopped = report(driver, name)
    assert stopped["outcomes"] == {"succeeded": len(begun), "waiting": 5 - len(begun)}
    assert "ABORTED" in stopped["said"]
    ended = end_of(driver, start(driver, f"{name}-2", **request))
    assert ended["status"] == "SUCCEEDED", ended
    assert report(driver, name)["outcomes"] == {"succeeded": 5}
    assert executions_of(driver, name) == [f"{name}-{each}" for each in sorted(map(str, going))]
    assert len(driver.keys()) == len(keys) + 5
