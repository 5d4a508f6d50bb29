"""Security Hub hears of the inventory: what does not comply, what complies again, what is gone; and its failures."""

import json
from typing import Any

import pytest

from infra.permissions import On
from rekey.aws import clients
from rekey.base import clock
from rekey.base.errors import AwsError, AwsUnavailable
from rekey.inventory import report as reporting
from rekey.model.inventory import LATEST, Inventory, Reason, Why
from rekey.runtime import current_settings
from tests import estates, security_hub
from tests.clients import client
from tests.names import BUCKET
from tests.roles import place
from tests.security_hub import Hub
from tests.steps.world import World

DAY, HOUR = 86_400, 3_600
KEY_ID = "8d2f0a3e-3c5e-4f0c-9a59-9d5d0f0f1c11"
OLD = "rekey/rekey/0d26daa6-5e44-4c97-a497-ef015f91254a/1/MANAGED_SERVICES/too_old"


@pytest.fixture
def hub(world: World, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setenv("SECURITY_HUB_PRODUCT_ARN", place(On.SECURITY_HUB))
    monkeypatch.setattr(reporting, "PAUSES", (0.0,) * len(reporting.PAUSES))
    current_settings.cache_clear()
    clients.forget_clients()
    return security_hub.play(monkeypatch)


def write(world: World, *rows: Any) -> Inventory:
    """The inventory of now."""
    found = estates.inventory(rows).model_copy(update={"taken_at": clock.stamp()})
    client("s3").put_object(Bucket=BUCKET, Key=LATEST, Body=found.model_dump_json().encode())
    world.clock.advance(HOUR)
    return found


def state() -> Any:
    return json.loads(client("s3").get_object(Bucket=BUCKET, Key="inventory/security-hub.json")["Body"].read())


def old(number: int = 1, age: int = 400) -> Any:
    return estates.workspace(f"risk-{number}", number, estates.use("MANAGED_SERVICES", age, KEY_ID))


def young(number: int = 1) -> Any:
    return old(number, age=3)


def unreadable(number: int = 1) -> Any:
    use = estates.use("MANAGED_SERVICES", None, KEY_ID, Reason.UNREADABLE)
    return estates.workspace(f"risk-{number}", number, use)


def test_what_does_not_comply_is_a_finding_of_its_workspace_and_its_key(world: World, hub: Hub) -> None:
    """From the estate as it is to Security Hub, by the two Lambdas."""
    bare = world.quiet_workspace(workspace_name="bare")["workspace_id"]
    own = world.make_key()
    world.quiet_workspace(workspace_name="own", keys={"managed_services": own})
    world.call("inventory")
    answer = world.call("report_findings")
    assert answer["sent"] == answer["open"] == len(hub.active())
    [first, *_] = [each for each in hub.findings.values() if each["GeneratorId"] == "rekey/no_key"]
    assert first["Id"].startswith(f"rekey/rekey/{world.settings.databricks_account_id}/{bare}/")
    assert first["Title"].startswith("bare: no key (")
    assert first["Remediation"]["Recommendation"]["Text"] == f"rekey add {bare}"
    assert first["FindingProviderFields"]["Severity"]["Label"] == "HIGH"
    assert first["Compliance"]["Status"] == "FAILED"
    assert [each["Type"] for each in first["Resources"]] == ["Other"]
    [unknown] = [each for each in hub.findings.values() if each["GeneratorId"] == "rekey/unknown_to_rekey"]
    assert [(each["Type"], each["Id"]) for each in unknown["Resources"]][1:] == [("AwsKmsKey", own)]


def test_every_reason_has_a_finding_that_security_hub_takes(world: World, hub: Hub) -> None:
    long = "x" * 5_000
    whys = tuple(Why(reason=each, text=f"it is {each}: {long}") for each in Reason)
    use = estates.use("STORAGE", 3, KEY_ID).model_copy(update={"whys": whys})
    write(world, estates.workspace("w" * 300, 7, use).model_copy(update={"region": ""}))
    world.call("report_findings")
    assert {each["GeneratorId"] for each in hub.active().values()} == {f"rekey/{each}" for each in Reason}
    assert {len(each["Description"]) for each in hub.findings.values()} == {1024}


def test_a_large_estate_is_told_a_hundred_at_a_time(world: World, hub: Hub) -> None:
    write(world, *(old(number + 1) for number in range(230)))
    assert world.call("report_findings")["sent"] == 230
    assert hub.calls == [100, 100, 30]


def test_an_inventory_is_told_once_and_the_next_one_anew_since_the_same_day(world: World, hub: Hub) -> None:
    first = write(world, old())
    world.call("report_findings")
    assert world.call("report_findings") == {"told": first.taken_at, "open": 1, "sent": 0, "archived": 0}
    assert len(hub.calls) == 1
    second = write(world, old(age=401))
    world.call("report_findings")
    [known] = hub.active().values()
    assert (known["CreatedAt"], known["UpdatedAt"]) == (first.taken_at, second.taken_at)


def test_who_complies_again_has_passed_and_is_archived_and_the_next_time_is_news(world: World, hub: Hub) -> None:
    write(world, old())
    world.call("report_findings")
    hub.findings[OLD]["Workflow"] = {"Status": "RESOLVED"}
    write(world, young())
    assert world.call("report_findings")["archived"] == 1
    assert (hub.findings[OLD]["RecordState"], hub.findings[OLD]["Compliance"]["Status"]) == ("ARCHIVED", "PASSED")
    assert hub.findings[OLD]["Workflow"] == {"Status": "RESOLVED"}
    assert state()["open"] == []
    third = write(world, old())
    world.call("report_findings")
    assert hub.active()[OLD]["CreatedAt"] == third.taken_at
    assert hub.findings[OLD]["Workflow"] == {"Status": "NEW"}


def test_what_never_failed_is_not_told(world: World, hub: Hub) -> None:
    write(world, young())
    world.call("report_findings")
    assert (hub.findings, hub.calls) == ({}, [])


def test_the_finding_of_a_workspace_that_is_gone_is_archived_and_has_not_passed(world: World, hub: Hub) -> None:
    write(world, old(), old(2))
    world.call("report_findings")
    write(world, old(2))
    world.call("report_findings")
    assert (hub.findings[OLD]["RecordState"], hub.findings[OLD]["Compliance"]["Status"]) == (
        "ARCHIVED",
        "NOT_AVAILABLE",
    )
    assert len(hub.active()) == 1


def test_a_key_that_cannot_be_read_any_more_has_not_passed(world: World, hub: Hub) -> None:
    write(world, old())
    world.call("report_findings")
    write(world, unreadable())
    assert world.call("report_findings")["archived"] == 0
    assert hub.findings[OLD]["Compliance"]["Status"] == "FAILED"
    assert len(hub.active()) == 2
    write(world, young())
    assert world.call("report_findings")["archived"] == 2
    assert hub.active() == {}


def test_before_the_first_inventory_there_is_nothing_to_tell(world: World, hub: Hub) -> None:
    assert world.call("report_findings") == {"told": "", "open": 0, "sent": 0, "archived": 0}
    assert hub.calls == []


def test_who_asks_too_often_is_taken_later(world: World, hub: Hub) -> None:
    write(world, old())
    hub.throttles = len(reporting.PAUSES)
    assert world.call("report_findings")["sent"] == 1
    write(world, old())
    hub.throttles = len(reporting.PAUSES) + 1
    with pytest.raises(AwsUnavailable):
        world.call("report_findings")


@pytest.mark.parametrize("then", [old, young])
def test_what_is_refused_is_said_and_told_again(world: World, hub: Hub, then: Any) -> None:
    write(world, old(), old(2))
    world.call("report_findings")
    last = write(world, then(), young(2))
    hub.refuses = "/1/"
    with pytest.raises(AwsError, match=r"did not take 1 finding. .*/1/MANAGED_SERVICES/too_old: InternalError"):
        world.call("report_findings")
    assert [each["workspace_id"] for each in state()["open"]] == [1]
    hub.refuses = ""
    assert world.call("report_findings")["told"] == last.taken_at
    assert list(hub.active()) == ([OLD] if then is old else [])


def test_an_answer_that_is_lost_makes_no_second_finding(world: World, hub: Hub) -> None:
    first = write(world, old())
    hub.loses = len(reporting.PAUSES) + 1
    with pytest.raises(AwsUnavailable):
        world.call("report_findings")
    # Nobody knows that it has it: it is told as over, all the same.
    assert list(hub.active()) == [OLD]
    write(world, young())
    world.call("report_findings")
    assert hub.active() == {}
    assert hub.findings[OLD]["CreatedAt"] == first.taken_at


@pytest.mark.parametrize("how", ["the whole call", "each finding"])
def test_security_hub_that_is_not_enabled_says_how_to_fix_it(
    world: World, hub: Hub, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(world, old())
    hub.enabled = False
    if how == "each finding":
        refused = {"Id": OLD, "ErrorCode": "InvalidAccess", "ErrorMessage": "Invalid access"}
        monkeypatch.setattr(hub, "take", lambda *_: (1, 0, [refused]))
    with pytest.raises(AwsError, match=r"not enabled in the account 123456789012, region us-east-1. Fix: enable"):
        world.call("report_findings")


def test_an_older_inventory_changes_nothing(world: World, hub: Hub) -> None:
    earlier = write(world, young())
    write(world, old())
    world.call("report_findings")
    client("s3").put_object(Bucket=BUCKET, Key=LATEST, Body=earlier.model_dump_json().encode())
    assert world.call("report_findings")["sent"] == 0
    assert list(hub.active()) == [OLD]
