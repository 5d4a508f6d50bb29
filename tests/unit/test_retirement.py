"""The sweep's decision: a key is disabled only when every condition holds, and each refusal has its reason."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast, get_args

import pytest
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend

from rekey.aws.kms_key import LastUse
from rekey.aws.tags import MANAGED, USE_CASES
from rekey.base import clock
from rekey.base.errors import RekeyError
from rekey.base.settings import Settings
from rekey.databricks import Estate, KeyConfiguration, Workspace
from rekey.ledger import Ledger
from rekey.model.actions import KeyAction
from rekey.model.key import TRANSITIONS, Key, State, meet
from rekey.retirement.care import care
from rekey.retirement.conditions import Case, Decision, Facts, KmsFacts, decide
from rekey.retirement.signs import Signs, told_late
from rekey.retirement.sweep import is_overdue, sweep
from tests.builders import BARE, OLD_ARN, a_configuration
from tests.clients import client
from tests.faults.table import Table

NOW = clock.now()
DAY = 86_400
LONG_AGO = timedelta(days=2)


def ago(seconds: float) -> str:
    return clock.text(NOW - timedelta(seconds=seconds))


def waiting(key_arn: str = OLD_ARN, **changes: Any) -> Key:
    """A key in grace that nothing needs any more."""
    key = meet(key_arn, "grace", "waits", NOW - LONG_AGO, goes_at=ago(DAY), unreferenced_since=ago(2 * DAY))
    return key.model_copy(update=changes)


NEVER_USED = LastUse(known=True, at=NOW - LONG_AGO, said="none since it was made")


def decision(
    *,
    key: Key | None = None,
    workspaces: Sequence[Workspace] = (),
    configurations: Sequence[KeyConfiguration] = (a_configuration("old"),),
    tags: dict[str, str] | None = None,
    last_use: LastUse = NEVER_USED,
) -> Decision:
    kms = KmsFacts(state="Enabled", tags={MANAGED: "rekey"} if tags is None else tags, last_use=last_use)
    facts = Facts(NOW, DAY, Estate(workspaces, configurations), "rekey")
    return decide(Case(key or waiting(), kms, facts))


@pytest.mark.rule("rule-7")
def test_a_key_that_nothing_needs_is_disabled_after_its_day() -> None:
    assert decision().verdict == "disable"


@pytest.mark.rule("old-key-a-day")
@pytest.mark.parametrize("age", [0, DAY - 1, DAY, DAY + 299])
def test_a_day_that_is_not_over_by_every_clock_keeps_the_key(age: float) -> None:
    assert decision(key=waiting(since=ago(age))).verdict == "wait"
    assert decision(key=waiting(unreferenced_since=ago(age))).verdict == "wait"
    assert decision(last_use=LastUse(known=True, at=clock.moment(ago(age)), said="Decrypt")).verdict == "wait"


@pytest.mark.rule("rule-7")
def test_a_key_of_which_kms_tells_no_use_goes_by_the_other_conditions_and_says_so() -> None:
    made = decision(last_use=LastUse(known=False, said="this region has no GetKeyLastUsage"))
    assert made.verdict == "disable"
    assert "KMS says nothing of its use (this region has no GetKeyLastUsage)" in made.why


@pytest.mark.rule("keys-shared", "rule-7")
@pytest.mark.parametrize("name", ["old", "another-configuration-of-the-same-key"])
def test_a_key_that_any_workspace_refers_to_is_kept(name: str) -> None:
    user = replace(BARE, workspace_id=7, managed_services_key_id=name)
    made = decision(workspaces=[BARE, user], configurations=[a_configuration("old"), a_configuration(name)])
    assert made == Decision("wait", "still in use by workspace 7")


@pytest.mark.rule("rule-7")
def test_a_workspace_whose_configuration_is_not_listed_may_be_on_any_key() -> None:
    user = replace(BARE, workspace_id=7, managed_services_key_id="unknown")
    assert "workspace 7 names a key configuration" in decision(workspaces=[user]).why


def test_a_workspace_on_another_key_does_not_keep_it() -> None:
    other = replace(BARE, managed_services_key_id="new")
    made = decision(workspaces=[other], configurations=[a_configuration("new", key_arn="arn:new")])
    assert made.verdict == "disable"


@pytest.mark.rule("storage-key-forever")
def test_a_key_that_serves_or_ever_served_storage_is_retained_for_good() -> None:
    user = replace(BARE, workspace_id=7, storage_key_id="old")
    assert decision(configurations=[a_configuration("old"), a_configuration("s", "STORAGE")]).verdict == "retain"
    assert decision(workspaces=[user]).verdict == "retain"
    assert decision(key=waiting(served_storage=True)).verdict == "retain"
    assert decision(tags={MANAGED: "rekey", USE_CASES: "MANAGED_SERVICES STORAGE"}).verdict == "retain"


@pytest.mark.rule("rule-7")
def test_a_key_of_somebody_else_is_retained_for_good() -> None:
    assert decision(tags={}).verdict == "retain"


def test_a_key_that_a_rotation_under_way_wants_is_kept() -> None:
    assert decision(key=waiting(wanted_by=("r7",))) == Decision("wait", "a rotation is under way with it: r7")


# --- states ---

STATES: tuple[State, ...] = get_args(State)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_only_what_the_table_has_can_follow(before: State, after: State) -> None:
    key = waiting(state=before)
    if before == after or after in TRANSITIONS[before]:
        assert key.to(after, "why", NOW).state == after
    else:
        with pytest.raises(RekeyError, match="does not become"):
            key.to(after, "why", NOW)


def test_a_held_or_retained_key_never_goes_without_passing_through_a_fresh_grace() -> None:
    assert "disabled" not in {*TRANSITIONS["held"], *TRANSITIONS["retained"], *TRANSITIONS["current"]}
    assert [each for each in STATES if "disabled" in TRANSITIONS[each]] == ["made", "due", "revoked"]
    fresh = waiting(state="held").waits(NOW, DAY, "let go again", NOW)
    assert clock.moment(fresh.since) == clock.moment(clock.text(NOW))


@pytest.mark.parametrize(("late", "overdue"), [(0, False), (DAY - 1, False), (DAY + 1, True)])
def test_a_key_is_overdue_a_day_after_its_day(late: float, overdue: bool) -> None:
    assert is_overdue(waiting(goes_at=ago(late)), DAY, NOW) is overdue
    assert not is_overdue(waiting(goes_at=ago(late), state="disabled"), DAY, NOW)


# --- the sweep ---


class NoAccount:
    """An account in which no workspace and no configuration is left."""

    def list_workspaces(self) -> list[Workspace]:
        return []

    def list_configurations(self) -> list[KeyConfiguration]:
        return []


def test_one_keys_trouble_is_never_anothers(
    ledger: Ledger, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags: Any = [{"TagKey": MANAGED, "TagValue": "rekey"}]
    odd, made = (client("kms").create_key(Tags=tags)["KeyMetadata"]["Arn"] for _ in range(2))
    real = KmsBackend.describe_key

    def describe_key(backend: KmsBackend, key_id: str) -> Any:
        if odd.endswith(key_id):
            raise JsonRESTError("AccessDeniedException", "Its own policy keeps rekey out.")
        return real(backend, key_id)

    monkeypatch.setattr(KmsBackend, "describe_key", describe_key)
    for key_arn in (odd, made):
        ledger.keys.introduce(waiting(key_arn), KeyAction.ADOPTED)
    account: Any = NoAccount()
    swept = sweep(settings, ledger, account, now=NOW)
    assert (swept.looked_at, swept.disabled, list(swept.failed)) == (2, (made,), [odd])
    again = sweep(settings, ledger, account, now=NOW)
    assert (again.disabled, list(again.failed)) == ((), [odd])


def test_nothing_is_asked_of_databricks_while_nothing_waits(ledger: Ledger, settings: Settings) -> None:
    unreachable: Any = None
    assert sweep(settings, ledger, unreachable, now=NOW).looked_at == 0


@pytest.mark.parametrize(
    ("used", "before_disabling", "sign"),
    [(True, timedelta(minutes=10), True), (True, timedelta(days=2), False), (False, timedelta(minutes=10), False)],
)
def test_only_a_use_within_the_day_before_the_disabling_was_told_late(
    used: bool, before_disabling: timedelta, sign: bool
) -> None:
    disabled = waiting(OLD_ARN).to("due", "its day has come", NOW).to("disabled", "every condition holds", NOW)
    last_use = LastUse(known=True, at=NOW - before_disabling, said="Encrypt", used=used)
    assert bool(told_late(disabled, last_use, 86_400)) == sign


def test_a_reason_is_written_once_however_often_it_is_found(ledger: Ledger, settings: Settings) -> None:
    key_arn = client("kms").create_key(Tags=[{"TagKey": MANAGED, "TagValue": "rekey"}])["KeyMetadata"]["Arn"]
    client("kms").tag_resource(KeyId=key_arn.rpartition("/")[2], Tags=[{"TagKey": MANAGED, "TagValue": "rekey"}])
    ledger.keys.introduce(waiting(key_arn, wanted_by=("r7",)), KeyAction.ADOPTED)
    account: Any = NoAccount()
    for minutes in range(0, 60, 15):
        sweep(settings, ledger, account, now=NOW + timedelta(minutes=minutes))
    found = ledger.keys.find(key_arn)
    assert found is not None
    assert (found.state, found.why) == ("due", "a rotation is under way with it: r7")
    assert [each["action"] for each in ledger.keys.trail(key_arn)] == ["adopted", "looked at", "overdue"]


def test_who_looks_after_a_key_forgets_nothing_that_was_seen_a_moment_before(cloud: None, settings: Settings) -> None:
    """The index still shows the key as it was."""
    key_arn = client("kms").create_key(Tags=[{"TagKey": MANAGED, "TagValue": "rekey"}])["KeyMetadata"]["Arn"]
    table = Table()
    ledger = Ledger(cast("Any", table), "ledger")
    ledger.keys.introduce(waiting(key_arn), KeyAction.ADOPTED)
    table.indexed = dict(table.items)
    (before,) = ledger.keys.all()
    ledger.keys.note(before, before.model_copy(update={"unreferenced_since": None}))
    care(settings.keys, ledger, NOW)
    found = ledger.keys.find(key_arn)
    assert found is not None
    assert (found.unreferenced_since, found.cared_at) == (None, clock.text(NOW))


# --- signs ---


class Inside:
    """A workspace in which one cluster ended."""

    def __init__(self, cluster: dict[str, Any]) -> None:
        self._cluster = {"cluster_id": "0123-1", **cluster}

    def list_clusters(self, _: Any) -> list[dict[str, Any]]:
        return [self._cluster]


def ended(code: str, after_seconds: float, **parameters: str) -> dict[str, Any]:
    at = int((NOW.timestamp() + after_seconds) * 1000)
    return {"terminated_time": at, "termination_reason": {"code": code, "parameters": parameters}}


@pytest.mark.parametrize(
    ("cluster", "sign"),
    [
        (ended("AWS_INVALID_KMS_KEY_STATE", 60), True),
        (ended("AWS_INACCESSIBLE_KMS_KEY_FAILURE", 60, aws_error_message=f"{OLD_ARN} is disabled"), True),
        (ended("AWS_INVALID_KMS_KEY_STATE", 60, aws_error_message="arn:aws:kms:us-east-1:1:key/another"), False),
        (ended("AWS_INVALID_KMS_KEY_STATE", -60), False),
        (ended("USER_REQUEST", 60), False),
        ({}, False),
    ],
)
def test_a_cluster_that_ended_for_the_key_since_it_was_disabled_is_a_sign(cluster: Any, sign: bool) -> None:
    key = waiting(state="disabled", disabled_at=clock.text(NOW), workspaces=(BARE.workspace_id,))
    inside: Any = Inside(cluster)
    found = Signs(Estate([BARE], []), lambda _: inside).of(key)
    assert (found is not None) is sign
    if found:
        assert found.startswith(f"cluster 0123-1 of workspace {BARE.workspace_id} ended with AWS_")
