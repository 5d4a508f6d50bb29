"""The sweep's decision: a key is disabled only when every condition holds, and each refusal has its reason."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from rekey import clock, keys
from rekey.databricks import KeyConfiguration, Workspace
from rekey.ledger import Ledger
from rekey.request import UseCase
from rekey.retirement import Decision, decide, retiring_keys, sweep, waiting_key
from tests.unit.rotations import OLD_ARN, a_plan, a_rotation
from tests.unit.test_plan import BARE

NOW = clock.now()
DAY = 86_400


def configuration(name: str, *use_cases: UseCase, key_arn: str = OLD_ARN) -> KeyConfiguration:
    return KeyConfiguration(name, use_cases or ("MANAGED_SERVICES",), key_arn, True)


def decision(
    *,
    age: float = DAY + 1,
    workspaces: Sequence[Workspace] = (),
    configurations: Sequence[KeyConfiguration] = (configuration("old"),),
    ours: bool = True,
) -> Decision:
    item = waiting_key(a_rotation(), OLD_ARN, NOW - timedelta(seconds=age), DAY)
    return decide(item, now=NOW, grace_seconds=DAY, workspaces=workspaces, configurations=configurations, ours=ours)


@pytest.mark.rule("rule-7")
def test_a_key_that_nothing_needs_is_disabled_after_its_day() -> None:
    assert decision().state == "disabled"


@pytest.mark.rule("old-key-a-day")
def test_a_day_that_is_not_over_is_checked_whatever_the_index_says() -> None:
    assert decision(age=DAY - 1).state == "due"


@pytest.mark.rule("keys-shared", "rule-7")
@pytest.mark.parametrize("field", ["managed_services_key_id", "storage_key_id"])
@pytest.mark.parametrize("name", ["old", "another-configuration-of-the-same-key"])
def test_a_key_that_any_workspace_refers_to_is_kept(field: str, name: str) -> None:
    fields: dict[str, Any] = {field: name}
    user = replace(BARE, workspace_id=7, **fields)
    made = decision(workspaces=[BARE, user], configurations=[configuration("old"), configuration(name)])
    assert made == Decision("due", "still in use by workspace 7")


def test_a_workspace_on_another_key_does_not_keep_it() -> None:
    other = replace(BARE, managed_services_key_id="new")
    assert decision(workspaces=[other], configurations=[configuration("new", key_arn="arn:new")]).state == "disabled"


@pytest.mark.rule("storage-key-forever")
def test_a_key_that_is_registered_for_storage_is_retained_for_good() -> None:
    assert decision(configurations=[configuration("old"), configuration("s", "STORAGE")]).state == "retained"


@pytest.mark.rule("rule-7")
def test_a_key_of_somebody_else_is_retained_for_good() -> None:
    assert decision(ours=False).state == "retained"


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": a_plan(old_key=None), "switch_verified_at": clock.text(NOW)},
        {"switch_verified_at": None},
    ],
)
def test_nothing_waits_to_go_without_an_old_key_and_a_verified_switch(changes: dict[str, Any]) -> None:
    assert retiring_keys(a_rotation().model_copy(update=changes), DAY) == []


class NoAccount:
    """An account in which no workspace and no configuration is left."""

    def list_workspaces(self) -> list[Workspace]:
        return []

    def list_configurations(self) -> list[KeyConfiguration]:
        return []


def test_one_keys_trouble_is_never_anothers(ledger: Ledger) -> None:
    gone = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    made = boto3.client("kms").create_key(Tags=[{"TagKey": keys.MANAGED, "TagValue": "true"}])["KeyMetadata"]["Arn"]
    for key_arn in (gone, made):
        ledger.add_key(waiting_key(a_rotation(), key_arn, NOW - timedelta(seconds=DAY + 60), DAY))
    account: Any = NoAccount()
    swept = sweep(ledger, account, grace_seconds=DAY, now=NOW)
    assert (swept["looked_at"], swept["disabled"], list(swept["failed"])) == (2, [made], [gone])
    again = sweep(ledger, account, grace_seconds=DAY, now=NOW)
    assert (again["looked_at"], again["disabled"], list(again["failed"])) == (1, [], [gone])


def test_nothing_is_asked_of_databricks_while_nothing_is_due(ledger: Ledger) -> None:
    unreachable: Any = None
    assert sweep(ledger, unreachable, grace_seconds=DAY, now=NOW)["looked_at"] == 0
