"""What must hold after the demo, and what it says when it does not."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.follow import Execution
from demo.checks import Check, checks_of, objects_check, old_key_check, violations_check
from demo.estate import BARE, Estate, estate_check
from demo.kms_4 import kms_4_check
from demo.model import OldKey, Subject
from demo.outcome import Outcome
from demo.result import Result, nothing_came_of_it
from local.cloud import Scales
from rekey.model.entries import entry_hash
from rekey.model.inventory import WorkspaceKeys
from tests import estates
from tests.clients import client

OLD, NEW = "arn:aws:kms:us-east-1:1:key/old", "arn:aws:kms:us-east-1:1:key/new"
SCALES = Scales(minute=0.1, day=10 / 86_400)
WORKSPACE: dict[str, Any] = {
    "keys": {"MANAGED_SERVICES": OLD, "STORAGE": None},
    "sim": {
        "objects": [{"kind": "notebook", "name": "/a"}, {"kind": "secret", "name": "scope/b"}],
        "clusters": {"c1": {"name": "one", "state": "RUNNING"}, "c2": {"name": "two", "state": "TERMINATED"}},
        "pools": {
            "p1": {
                "name": "pool",
                "node_type_id": "i3.xlarge",
                "min_idle_instances": 2,
                "max_capacity": 10,
                "idle_instance_autotermination_minutes": 15,
                "custom_tags": {"team": "a"},
                "idle": 2,
            }
        },
        "warehouses": {"w1": {"name": "w", "state": "RUNNING", "serverless": False}},
    },
}


PAYMENTS = estates.workspace("payments", 1, estates.use("MANAGED_SERVICES", 0, "a-1"))
AGED = estates.workspace("payments", 1, estates.use("MANAGED_SERVICES", 400, "a-1"))
NO_KEY = estates.workspace(BARE, 2, estates.without("MANAGED_SERVICES"))
GIVEN = estates.workspace(BARE, 2, estates.use("MANAGED_SERVICES", 0, "b-2"))


def chain(length: int) -> dict[str, Any]:
    """An audit trail as the ledger writes it."""
    entries: list[dict[str, Any]] = []
    for seq in range(1, length + 1):
        entry = {"seq": seq, "action": f"action {seq}", "prev": entries[-1]["hash"] if entries else ""}
        entries.append({**entry, "hash": entry_hash(entry)})
    return {"entries": entries, "head": entries[-1]["hash"] if entries else ""}


def an_outcome(**changes: Any) -> Outcome:
    after = copy.deepcopy(WORKSPACE)
    after["keys"]["MANAGED_SERVICES"] = NEW
    subject = Subject("payments", 1, "rotate", ("MANAGED_SERVICES",), OLD, {}, WORKSPACE, 100.0)
    execution = Execution("arn", "SUCCEEDED", output={"status": "succeeded", "key_arn": NEW, "findings": []})
    evidence = {"audit": chain(3), "compute": {"interrupted": {"clusters": [{}], "pools": [{}], "warehouses": [{}]}}}
    return replace(Outcome(subject, execution, after, evidence, [Path("e.json")], 120.0), **changes)


def troubles(outcome: Outcome) -> list[str]:
    return [check.trouble for check in checks_of(outcome) if not check.held]


def with_after(path: list[str], value: Any) -> Outcome:
    after = copy.deepcopy(dict(an_outcome().after))
    place = after
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return an_outcome(after=after)


def test_a_good_rotation_holds() -> None:
    assert troubles(an_outcome()) == []


@pytest.mark.parametrize(
    ("path", "value", "trouble"),
    [
        (["sim", "clusters", "c1", "state"], "PENDING", "cluster c1: state was RUNNING, is PENDING"),
        (["sim", "clusters", "c2", "state"], "RUNNING", "cluster c2: state was TERMINATED, is RUNNING"),
        (["sim", "warehouses", "w1", "state"], "STOPPED", "warehouse w1: state was RUNNING, is STOPPED"),
        (["sim", "pools", "p1", "min_idle_instances"], 0, "pool p1: min_idle_instances was 2, is 0"),
        (["sim", "pools", "p1", "custom_tags"], {}, "pool p1: custom_tags was {'team': 'a'}, is {}"),
        (["sim", "pools"], {}, "pool p1 is gone"),
        (["sim", "clusters", "c3"], {"name": "x", "state": "RUNNING"}, "cluster c3 is new"),
        (["keys", "MANAGED_SERVICES"], OLD, f"MANAGED_SERVICES shows {OLD}"),
        (["keys", "STORAGE"], NEW, f"STORAGE shows {NEW}"),
    ],
)
def test_what_is_not_as_it_must_be_is_named(path: list[str], value: Any, trouble: str) -> None:
    assert troubles(with_after(path, value)) == [trouble]


def test_a_pools_instances_may_still_be_on_their_way() -> None:
    assert troubles(with_after(["sim", "pools", "p1", "idle"], 0)) == []


def test_a_downtime_below_the_lower_bound_is_no_good_news() -> None:
    assert troubles(an_outcome(downtime_seconds=99.0)) == ["1 min 39 s are less than 1 min 40 s"]


def test_a_rotation_that_stopped_nothing_proves_nothing() -> None:
    outcome = an_outcome(evidence={"audit": chain(1), "compute": {"interrupted": None}})
    assert troubles(outcome) == ["nothing was stopped"]


def test_a_failed_rotation_is_measured_against_nothing() -> None:
    outcome = an_outcome(execution=Execution("arn", "FAILED", error="PermissionDenied"), downtime_seconds=1.0)
    assert troubles(outcome) == ["it failed", "there is no new key"]


def test_findings_are_told() -> None:
    execution = replace(an_outcome().execution, output={"status": "succeeded", "key_arn": NEW, "findings": ["Odd."]})
    assert troubles(an_outcome(execution=execution)) == ["Odd."]


def test_a_spoiled_audit_trail_is_seen() -> None:
    outcome = an_outcome()
    outcome.evidence["audit"]["entries"].pop(1)
    assert any("entry 2 does not follow" in each for each in troubles(outcome))


@pytest.mark.parametrize(
    ("key", "trouble"),
    [
        (None, "it is not there"),
        (OldKey(OLD, "Enabled"), "it is Enabled"),
        (OldKey(OLD, "Disabled"), "it is Disabled, but the ledger does not know of it"),
        (OldKey(OLD, "Disabled", True, "", 100.0, 105.0), "it was disabled 12.0 h after the verified switch"),
        (OldKey(OLD, "Disabled", True, "", 100.0, 110.0), ""),
    ],
)
def test_the_old_key_must_go_by_the_sweep_and_not_early(key: OldKey | None, trouble: str) -> None:
    assert old_key_check([an_outcome().subject], key, SCALES).trouble == trouble


def test_every_object_must_be_there_and_readable() -> None:
    outcome = an_outcome()
    assert objects_check([outcome], []) == Check("all 2 objects are readable")
    unreadable = {"kind": "notebook", "name": "/a", "reason": "DisabledException"}
    assert "notebook /a: Disabled" in objects_check([outcome], [unreadable]).trouble


def test_rekeys_own_notebook_hides_no_lost_object() -> None:
    outcome = an_outcome()
    objects = outcome.after["sim"]["objects"]
    objects.append({"kind": "notebook", "name": "/Shared/rekey-canary-payments-rotate-before"})
    assert objects_check([outcome], []).held
    lost = objects.pop(0)
    assert objects_check([outcome], []).trouble == "notebook /a of payments is gone"
    objects += [lost, {"kind": "notebook", "name": "/c"}]
    assert objects_check([outcome], []).trouble == "notebook /c of payments is new"


@pytest.mark.parametrize(
    ("rows", "page", "trouble"),
    [
        ([PAYMENTS, NO_KEY], Path("p"), ""),
        ([PAYMENTS], Path("p"), "it sees payments"),
        ([PAYMENTS, NO_KEY], None, "there is no page"),
        ([PAYMENTS, GIVEN], Path("p"), f"it sees a key of {BARE}"),
        ([AGED, NO_KEY], Path("p"), "payments: its material is too old. Fix: rotate it"),
    ],
)
def test_the_inventory_must_see_every_workspace_and_the_one_without_a_key(
    rows: list[WorkspaceKeys], page: Path | None, trouble: str
) -> None:
    estate = Estate(estates.inventory(rows), page)
    assert estate_check(estate, ["payments"]).trouble == trouble


def test_a_key_that_does_not_rotate_by_itself_is_named(cloud: None) -> None:
    kms = client("kms")
    assert kms_4_check(kms).trouble == "no key was judged"
    rotating, still = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.enable_key_rotation(KeyId=rotating)
    assert kms_4_check(kms).trouble == f"{still} does not"
    kms.disable_key(KeyId=still)
    assert kms_4_check(kms).held


def test_what_complies_is_told_with_what_does_not() -> None:
    assert Estate(estates.inventory([PAYMENTS, NO_KEY]), None).told == "1 of 2 workspaces comply: 1 no key"
    assert Estate(estates.inventory([PAYMENTS, PAYMENTS]), None).told == "2 of 2 workspaces comply"


def test_the_last_line_says_failed_when_one_thing_did_not_hold() -> None:
    broken = [{"rule": "no_compute_in_blackout", "detail": "cluster c1"}]
    checks = [*checks_of(an_outcome()), violations_check(broken)]
    result = Result([an_outcome()], OldKey(OLD, "Disabled", True), 3, [], broken, checks, SCALES)
    said = result.as_json()
    assert said["status"] == "failed"
    assert said["violations"] == len(broken)
    assert said["rotations"] == [
        {
            "rotation_id": "payments-rotate",
            "operation": "rotate",
            "use_cases": ["MANAGED_SERVICES"],
            "status": "succeeded",
            "downtime_seconds": 120.0,
            "lower_bound_seconds": 100.0,
        }
    ]
    assert said.keys() == nothing_came_of_it().keys()
    assert replace(result, checks=checks_of(an_outcome())).as_json()["status"] == "succeeded"
