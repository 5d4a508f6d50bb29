"""What the tests of drift change behind rekey's back, and how each run that finds it is held."""

import json
from collections.abc import Callable
from typing import Any

from rekey.databricks.connect import connect_account
from rekey.model.chain import verify_trail
from rekey.model.drift import Drift, What
from rekey.model.inventory import Inventory
from rekey.model.use_cases import USE_CASES
from tests.clients import client
from tests.names import BUCKET
from tests.steps.own_keys import policy_of
from tests.steps.world import World

LATER = 3_600
"""From one run to the next."""


def run(world: World, *, seconds: float = 120.0) -> Any:
    """The scheduled run, an hour after the last one."""
    world.clock.advance(LATER)
    found = world.call("find_drift", seconds=seconds)
    assert found["open"] == len(world.ledger.drifts.open())
    return found


def quiet(world: World, runs: int = 1) -> None:
    for _ in range(runs):
        found = run(world)
        assert (found["told"], found["closed"], found["unknown"]) == ([], [], {})


def given(world: World, name: str = "prod", **seed: Any) -> tuple[int, str]:
    """A workspace to which rekey gave one key for both use cases."""
    workspace_id = world.quiet_workspace(workspace_name=name, **seed)["workspace_id"]
    key_arn = world.rotate(workspace_id=workspace_id, operation="add")["key_arn"]
    world.next_rotation()
    return int(workspace_id), key_arn


def configuration(world: World, key_arn: str, *use_cases: Any) -> str:
    account = connect_account(world.settings)
    return account.create_configuration(key_arn, use_cases or USE_CASES, reuse_for_volumes=False).configuration_id


def patched(world: World, workspace_id: int, configuration_id: str) -> None:
    """What an apply of an old project does."""
    connect_account(world.settings).update_workspace_keys(workspace_id, configuration_id, ["MANAGED_SERVICES"])
    world.clock.advance(600)
    assert world.fields(workspace_id)[0] == configuration_id


def edited(key_arn: str, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> dict[str, Any]:
    """The policy with its statements edited. Gives the one before."""
    before = policy_of(key_arn)
    put(key_arn, {**before, "Statement": edit(json.loads(json.dumps(before["Statement"])))})
    return before


def put(key_arn: str, document: dict[str, Any]) -> None:
    kms = client("kms", region_name=key_arn.split(":")[3])
    kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(document))


def key_id(key_arn: str) -> str:
    return key_arn.rpartition("/")[2]


def only(world: World, subject: object, what: What) -> Drift:
    [drift] = world.ledger.drifts.open()
    assert (drift.subject, drift.what) == (str(subject), what)
    chain = {"audit": {"entries": world.ledger.drifts.trail(drift.subject, what), "head": drift.audit_head}}
    assert verify_trail(chain).problems == ()
    return drift


def drifted(world: World) -> dict[str, list[str]]:
    """{workspace: use cases that the inventory calls drifted}."""
    world.call("inventory")
    body = client("s3").get_object(Bucket=BUCKET, Key="inventory/latest.json")["Body"].read()
    rows: dict[str, list[str]] = {
        row.name: [str(use.use_case) for use in row.keys if any(why.reason == "drifted" for why in use.whys)]
        for row in Inventory.model_validate_json(body).workspaces
    }
    return {name: uses for name, uses in rows.items() if uses}


def told_once_and_closed(world: World, subject: object, what: What, mend: Callable[[], object]) -> Drift:
    """One run finds it, the next is silent, and after it is mended it is over."""
    assert run(world)["told"] == [f"{what} of {subject}"]
    drift = only(world, subject, what)
    quiet(world, 2)
    assert drifted(world)
    mend()
    found = run(world)
    assert (found["told"], found["closed"], found["open"]) == ([], [f"{what} of {subject}"], 0)
    quiet(world)
    assert drifted(world) == {}
    assert [each["action"] for each in world.ledger.drifts.trail(str(subject), what)][-2:] == [
        "drift found",
        "drift closed",
    ]
    return drift
