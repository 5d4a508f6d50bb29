"""Fleets on the deployed stack: started, waited for, and looked at."""

import json
from typing import Any

from tests.e2e.driver import Driver, until

NOTHING = {"clusters": 0, "pools": 0, "warehouses": 0, "secrets": 0, "files": 0, "notebooks": 1}
"""Of most workspaces: what is told here is told by the fleet, and rotations have tests of their own."""


def arn_of(driver: Driver, name: str) -> str:
    machine = driver.cloud.state_machine_arn.replace("-rotate-key", "-rotate-fleet")
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def start(driver: Driver, name: str, **request: Any) -> str:
    machine = driver.cloud.state_machine_arn.replace("-rotate-key", "-rotate-fleet")
    driver.aws("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=json.dumps(request))
    return arn_of(driver, name)


def end_of(driver: Driver, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = until(
        f"{arn} to end",
        lambda: driver.aws("stepfunctions").describe_execution(executionArn=arn),
        lambda answer: bool(answer["status"] != "RUNNING"),
    )
    return found


def report(driver: Driver, name: str) -> dict[str, Any]:
    driver.invoke("report_fleet", name=name)
    body = driver.aws("s3").get_object(Bucket=driver.cloud.evidence_bucket, Key=f"fleets/{name}/fleet.json")["Body"]
    found: dict[str, Any] = json.loads(body.read())
    return found


def executions_of(driver: Driver, fleet: str) -> list[str]:
    pages = (
        driver.aws("stepfunctions")
        .get_paginator("list_executions")
        .paginate(stateMachineArn=driver.cloud.state_machine_arn)
    )
    return sorted(each["name"] for page in pages for each in page["executions"] if each["name"].startswith(fleet))


def workspaces(driver: Driver, prefix: str, number: int, **seed: Any) -> list[int]:
    return [
        driver.workspace(
            **NOTHING,
            workspace_name=f"{prefix}-{n}",
            keys={"managed_services": driver.make_key()},
            **seed,
        )
        for n in range(number)
    ]
