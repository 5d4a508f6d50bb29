"""Every rule of a plan refuses a case by itself, and is named by its id in docs/rules.toml."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rekey.aws.kms_key import KeyFacts
from rekey.aws.policy_document import MAX_BYTES, Statement
from rekey.databricks import Estate
from rekey.model.access import Revoked
from rekey.model.key import meet
from rekey.model.refusal import FIX, Refusal
from rekey.model.wish import NewWorkspace
from rekey.planning.case import Case, Given, Inside, KeyCase, Wished
from rekey.planning.gather import as_wished
from rekey.planning.intent import NOTHING_LEFT
from rekey.planning.plan import conclude, window_fits
from rekey.planning.rules import RULES, judge
from rekey.planning.rules.keys import ACCESS, RENEWED, USED, given_keys, refused
from tests.builders import BARE, a_case, a_configuration
from tests.rules import catalogue

NOW = datetime(2026, 11, 21, 22, 0, tzinfo=UTC)
KEYED = replace(BARE, managed_services_key_id="old")
BOTH = replace(KEYED, storage_key_id="old")
OLD = a_configuration()
OWN = "arn:aws:kms:us-east-1:123456789012:key/own"
WISH = {
    "workspace_name": "new",
    "aws_region": "us-east-1",
    "credentials_id": "c",
    "storage_configuration_id": "s",
}


def wish(*, wished: Wished | None = None, role: str | None = "role", **changes: Any) -> Case:
    asked = {**WISH, **changes}
    subject = as_wished(NewWorkspace.model_validate(asked))
    return a_case(subject, role=role, wished=wished or Wished(), operation="create_workspace", workspace=asked)


def inside(case: Case, found: Inside) -> Case:
    return replace(case, facts=replace(case.facts, inside=found))


def of_estate(case: Case, estate: Estate) -> Case:
    return replace(case, facts=replace(case.facts, estate=estate))


def knowing(case: Case, **facts: Any) -> Case:
    return replace(case, facts=replace(case.facts, **facts))


REVOKED = meet(OWN, "retained", "", NOW).revoke(
    Revoked(rotation_id="r", workspaces=(1,), by="grace", at="2026-11-21T22:00:00Z", was="retained", taken=()), "", NOW
)


def of_key(case: Case, estate: Estate) -> Case:
    """Its keys as rekey sees them."""
    seen = KeyFacts(estate.configurations[0].key_arn, "Enabled", tags=(("rekey:brought", "true"),))
    return replace(case, facts=replace(case.facts, estate=estate, given=Given(keys=[seen])))


def configured(case: Case) -> Case:
    """With the configuration that the request names, as it is looked up."""
    found = case.facts.estate.configuration(case.request.key_configuration_id)
    return replace(case, facts=replace(case.facts, given=Given(found)))


CASES: dict[str, Case] = {
    "us_west_1": a_case(replace(BARE, region="us-west-1")),
    "enterprise": a_case(replace(BARE, pricing_tier="PREMIUM")),
    "workspace_running": a_case(replace(BARE, status="FAILED")),
    "workspace_admin": inside(a_case(BARE), Inside(admin=False)),
    "wished_ids": wish(wished=Wished(["storage_configuration_id"])),
    "network_once": wish(wished=Wished(network_user=7), network_id="n"),
    "workspace_name": of_estate(wish(), Estate([replace(BARE, name="new")], [])),
    "storage_never_replaced": a_case(BOTH, OLD, operation="add", use_cases=["STORAGE"]),
    "serverless_workspace": a_case(replace(BARE, serverless=True), use_cases=["STORAGE"]),
    "operation_fits": a_case(KEYED, OLD, operation="add", use_cases=["MANAGED_SERVICES"]),
    "access_fits": knowing(a_case(KEYED, OLD, operation="rotate"), known=[REVOKED]),
    "sharers_named": of_key(
        a_case(KEYED, OLD, operation="revoke", requested_by="grace"),
        Estate([KEYED, replace(KEYED, workspace_id=8)], [OLD]),
    ),
    "policy_volumes": a_case(BARE, role=None),
    "notebooks_new_key": a_case(KEYED, OLD, operation="add", renew_notebooks=["/Shared"]),
    "notebook_paths": inside(a_case(BARE, renew_notebooks=["/Sharde"]), Inside(missing_paths=["/Sharde"])),
    "key_id_form": configured(a_case(BARE, key_configuration_id="nope")),
    "use_case_fits": configured(a_case(BARE, a_configuration("given"), key_configuration_id="given")),
    "key_not_its_own": configured(a_case(KEYED, OLD, key_configuration_id="old")),
    "configuration_listed": a_case(KEYED),
    "key_account_known": knowing(a_case(BARE), key_account=None),
    "key_account_role": knowing(a_case(BARE), roles_refused=[Refusal("rekey:key_accounts", "no role", "give it")]),
}
"""For each rule a case that it alone refuses."""


def lets_in(action: str, **more: Any) -> Statement:
    principal = {"AWS": "arn:aws:iam::414351767826:root"}
    return {"Sid": action, "Effect": "Allow", "Principal": principal, "Action": [action], "Resource": "*", **more}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ENCRYPT, DECRYPT = lets_in("kms:Encrypt"), lets_in("kms:Decrypt")
GOOD = KeyFacts(
    OWN,
    "Enabled",
    "SYMMETRIC_DEFAULT",
    "ENCRYPT_DECRYPT",
    document(ENCRYPT),
    "AWS_KMS",
    tags=(("rekey:brought", "true"),),
)


def key(*, wanted: Statement = ENCRYPT, **changes: Any) -> KeyCase:
    return KeyCase("key_arn", replace(GOOD, **changes), "us-east-1", "rekey", [wanted])


ORPHAN = {**ENCRYPT, "Sid": "left over", "Principal": {"AWS": "AIDAEXAMPLEEXAMPLE77"}}
LONG = {**ENCRYPT, "Sid": "x" * MAX_BYTES}

SERVING: dict[str, KeyCase] = {
    "key_account": key(arn=OWN.replace("123456789012", "999999999999"), seen=False),
    "key_region": key(arn=OWN.replace("us-east-1", "eu-west-1")),
    "key_known": key(state=""),
    "key_enabled": key(state="Disabled"),
    "key_symmetric": key(spec="RSA_2048"),
}
USING: dict[str, KeyCase] = {
    **SERVING,
    "policy_consent": key(wanted=DECRYPT, tags=()),
    "policy_taken_no_more": key(wanted=DECRYPT, policy=document(ENCRYPT, ORPHAN)),
    "policy_size": key(wanted=DECRYPT, policy=document(LONG)),
    "policy_deny": key(policy=document(ENCRYPT, {**ENCRYPT, "Sid": "no", "Effect": "Deny"})),
}
RENEWING: dict[str, KeyCase] = {
    **SERVING,
    "material_consent": key(tags=()),
    "material_custom_store": key(key_store="cks-1", origin="AWS_CLOUDHSM"),
    "material_replica": key(primary=OWN),
    "material_imported": key(origin="EXTERNAL"),
    "material_on_demand": key(rotations=25),
}


ACCESSING: dict[str, KeyCase] = {
    "key_account": SERVING["key_account"],
    "key_known": SERVING["key_known"],
    "access_consent": key(tags=()),
}


def names(*stages: Any) -> list[str]:
    return [rule.__name__ for stage in stages for rule in stage]


def test_every_rule_is_in_the_catalogue_and_has_a_case() -> None:
    assert names(RULES) == [*CASES, "given_keys"]
    assert (names(*USED), names(*RENEWED), names(*ACCESS)) == (list(USING), list(RENEWING), list(ACCESSING))
    ids = {each.rule_id for each in catalogue()}
    of_keys = {*names(*USED), *names(*RENEWED), *names(*ACCESS), window_fits.__name__, "nothing_left"}
    assert {each.replace("_", "-") for each in {*CASES, *of_keys}} - ids == set()


@pytest.mark.rule("configuration-listed", "enterprise", "key-account-known", "key-account-role", "key-id-form")
@pytest.mark.rule("key-not-its-own", "network-once")
@pytest.mark.rule(
    "access-fits", "notebook-paths", "notebooks-new-key", "operation-fits", "policy-volumes", "serverless-workspace"
)
@pytest.mark.rule(
    "sharers-named", "storage-never-replaced", "us-west-1", "use-case-fits", "wished-ids", "workspace-admin"
)
@pytest.mark.rule("workspace-name", "workspace-running")
@pytest.mark.parametrize("name", CASES)
def test_a_rule_alone_refuses_its_case(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (refusal,) = judge(CASES[name])
    assert well_said(refusal)
    monkeypatch.setattr("rekey.planning.rules.RULES", tuple(each for each in RULES if each.__name__ != name))
    assert judge(CASES[name]) == []


@pytest.mark.rule(
    "access-consent", "key-account", "key-enabled", "key-known", "key-region", "key-symmetric", "material-consent"
)
@pytest.mark.rule("material-custom-store", "material-imported", "material-on-demand", "material-replica")
@pytest.mark.rule("policy-consent", "policy-deny", "policy-size", "policy-taken-no-more")
@pytest.mark.parametrize(
    ("stages", "name", "case"),
    [
        *((USED, name, case) for name, case in USING.items()),
        *((RENEWED, name, case) for name, case in RENEWING.items()),
        *((ACCESS, name, case) for name, case in ACCESSING.items()),
    ],
)
def test_a_rule_on_a_key_alone_refuses_its_case(stages: Any, name: str, case: KeyCase) -> None:
    (refusal,) = refused(case, stages)
    assert well_said(refusal)
    (stage,) = [stage for stage in stages if name in names(stage)]
    assert [each.__name__ for each in stage if list(each(case))] == [name]


def test_a_key_that_is_right_is_used_and_renewed() -> None:
    assert (refused(key(), USED), refused(key(), RENEWED)) == ([], [])


@pytest.mark.parametrize(
    ("workspace", "fields", "blamed"),
    [
        (BARE, {"key_arn": OWN}, "key_arn"),
        (BARE, {"key_configuration_id": "given"}, "key_configuration_id"),
        (KEYED, {"operation": "rotate_material"}, "use_cases"),
    ],
)
def test_the_field_that_led_to_a_key_is_blamed_for_it(workspace: Any, fields: dict[str, Any], blamed: str) -> None:
    case = a_case(workspace, OLD, **fields)
    found = given_keys(replace(case, facts=replace(case.facts, given=Given(None, [replace(GOOD, state="Disabled")]))))
    assert [each.field for each in found] == [blamed]


@pytest.mark.rule("window-fits")
def test_a_window_that_is_too_short_is_refused_once_nothing_else_is() -> None:
    soon: dict[str, Any] = {
        "not_after": datetime.now(UTC).replace(microsecond=0, year=datetime.now(UTC).year + 1).isoformat()
    }
    late = a_case(KEYED, OLD, **soon)
    moment = late.request.not_after
    assert moment is not None
    verdict = conclude(late, moment)
    assert (verdict.plan, [each.field for each in verdict.refusals]) == (None, ["not_after"])
    assert all(map(well_said, verdict.refusals))
    worse = a_case(replace(KEYED, status="FAILED"), OLD, **soon)
    assert [each.field for each in conclude(worse, moment).refusals] == ["workspace_id"]


@pytest.mark.rule("nothing-left")
@pytest.mark.parametrize(("workspace", "operation"), [(BOTH, "add"), (BARE, "rotate_material")])
def test_that_nothing_is_left_is_all_there_is_to_say(workspace: Any, operation: Any) -> None:
    case = a_case(replace(workspace, status="FAILED"), OLD, operation=operation)
    assert conclude(case, NOW).refusals == [NOTHING_LEFT[operation]]
    assert case.intent.use_cases == ()


def well_said(refusal: Refusal) -> bool:
    text = str(refusal)
    return text.startswith(f"{refusal.field}: ") and f". {FIX}: " in text and text.endswith(".") and ".." not in text
