"""What the tests of the finisher share: executions that die, and what must be so afterwards, without a person."""

import os
from collections.abc import Sequence
from typing import Any

import requests

from rekey.model.findings import FindingCode
from rekey.model.rotation import Rotation
from tests.clients import client
from tests.steps.looks import kms_keys, settled
from tests.steps.walker import Walk
from tests.steps.world import World

DAYS_OF_SWEEPS = 3

EVERY_CASE = bool(os.environ.get("REKEY_EVERY_CASE"))
"""`make finisher` runs each; `make test` a sample, for the time that it may take."""


def sample(cases: Sequence[Any], every: int) -> Sequence[Any]:
    """One of so many, the first among them."""
    return cases if EVERY_CASE else cases[::every]


def away(world: World, path: str = "*") -> None:
    """Databricks answers 503 until `back`."""
    world.post("faults", match={"path": path}, fault="status", status=503, times=None)


def back(world: World) -> None:
    requests.delete(f"{world.url}/_sim/faults", timeout=10).raise_for_status()


def dies(
    world: World, before: str, request: dict[str, Any], *, breaks: str | None = None, how: str = "ABORTED"
) -> None:
    """An execution gets to a state, and ends there by itself or by a person."""
    assert Walk(world, stop_before=before, breaks=breaks, wait_at_least=60).run(**request) == before
    world.executions.end(world.rotation_id, how)


def keys_in_use(world: World) -> set[str]:
    """ARNs that a workspace's configuration names."""
    state = world.get("state")
    arns = {each["customer_managed_key_id"]: each["aws_key_info"]["key_arn"] for each in state["configurations"]}
    fields = ("managed_services_customer_managed_key_id", "storage_customer_managed_key_id")
    named = {each.get(field) for each in state["workspaces"] for field in fields}
    return {arns[each] for each in named if each in arns}


def check(world: World, workspace_id: int | None, before: dict[str, Any] | None) -> Rotation:
    """All that must hold once the finisher is done. Gives the rotation."""
    rotation = world.rotation(world.rotation_id)
    assert rotation.is_closed
    assert world.get("violations") == []
    assert world.get("health")["unreadable"] == []
    if workspace_id is not None and before is not None:
        assert settled(world.compute(workspace_id)) == settled(before)
    evidence = world.evidence()
    assert evidence["status"] == rotation.status
    check_sentences(world, rotation, workspace_id)
    for _ in range(DAYS_OF_SWEEPS):
        assert world.sweep(86_400 + 600)["failed"] == {}
    check_keys(world, rotation)
    return rotation


def check_sentences(world: World, rotation: Rotation, workspace_id: int | None) -> None:
    """What evidence says of the keys is what the workspace shows."""
    if workspace_id is None:
        return
    shown = dict(zip(("MANAGED_SERVICES", "STORAGE"), world.fields(workspace_id), strict=True))
    after = world.evidence()["keys"]["after"]
    if after is None:  # It could not be read at the end, and evidence says so.
        return
    assert {name: each and each["configuration_id"] for name, each in after.items()} == shown
    if rotation.status == "succeeded" or rotation.has_found(FindingCode.NEW_KEY_KEPT):
        assert all(shown[each] == rotation.configuration_id for each in rotation.plan.use_cases)
    else:
        assert shown == rotation.plan.before


def check_keys(world: World, rotation: Rotation) -> None:
    """None is enabled that nobody needs, none disabled that somebody does; the ledger knows each that rekey made."""
    used = keys_in_use(world)
    for key_id in kms_keys():
        key = client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
        known = world.ledger.keys.find(key["Arn"])
        if key["Arn"] in used:
            assert key["KeyState"] == "Enabled"
            assert known is None or known.state in ("current", "retained")
        else:
            assert known is not None, f"{key['Arn']} is nobody's"
            assert key["KeyState"] == "Disabled", f"{key['Arn']} is {known.state}: {known.why}"
        assert known is None or rotation.rotation_id not in known.wanted_by
