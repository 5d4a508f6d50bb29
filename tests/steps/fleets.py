"""Fleets by their Lambdas' handlers: planned, opened, rotated by hand, and reported."""

import json
from typing import Any

from rekey.model.fleet import FleetPlan, FleetReport, Member, plan_key, report_key
from tests.clients import client
from tests.names import BUCKET
from tests.steps.world import World

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:rekey-rotate-fleet:e1"


def plan(world: World, execution: str = EXECUTION, **request: Any) -> Any:
    for _ in range(20):
        answer = world.call("plan_fleet", execution_arn=execution, request=request)
        if answer["done"]:
            return answer
    raise AssertionError(answer)


def items(opened: Any) -> list[Any]:
    found: list[Any] = json.loads(read(opened["list"]))
    return found


def read(key: str) -> bytes:
    return bytes(client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read())


def planned_members(name: str) -> tuple[Member, ...]:
    return FleetPlan.model_validate_json(read(plan_key(name))).members


def reported(world: World, name: str, **more: Any) -> FleetReport:
    world.call("report_fleet", name=name, **more)
    return FleetReport.model_validate_json(read(report_key(name)))


def rotate(world: World, opened: Any) -> None:
    """What the wave's Map does."""
    for item in items(opened):
        for each in item["rotations"]:
            world.rotation_id = each["name"]
            if each["input"]["operation"] == "rotate_material":
                world.plan(**each["input"])
                world.loop("rotate_material")
                world.complete()
            else:
                world.rotate(**each["input"])
