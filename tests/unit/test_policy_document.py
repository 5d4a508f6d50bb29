"""Policy documents by meaning: whatever form KMS gives back, nothing is added twice and nothing foreign is lost."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.emulator.policy_form import MOST_BYTES, as_shown, refused, too_large
from rekey.aws.kms_key import KeyFacts
from rekey.aws.policy import databricks_statements, guards
from rekey.aws.policy_document import (
    MAX_BYTES,
    additions,
    compact,
    lacking,
    meaning,
    merged,
    same,
    size,
    statements,
    without,
)
from rekey.planning.case import KeyCase
from rekey.planning.rules.policy import policy_consent, policy_size, policy_taken_no_more

TAGS = (("rekey:brought", "true"),)
ROLE = "arn:aws:iam::111122223333:role/databricks-cross-account"
WANTED = [
    *databricks_statements(
        shard="commercial",
        databricks_account_id="0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d",
        use_cases=["MANAGED_SERVICES", "STORAGE"],
        cross_account_role=ROLE,
    ),
    *guards(),
]
PLAIN = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}

Json = dict[str, Any]

PRINCIPALS = st.sampled_from(
    ["123456789012", "arn:aws:iam::123456789012:root", ROLE, "arn:aws:iam::999999999999:user/u", "AROAEXAMPLEEXAMPLE77"]
)
ACTIONS = st.sampled_from(["kms:Encrypt", "kms:Decrypt", "kms:decrypt", "kms:*", "kms:ReEncrypt*", "kms:DescribeKey"])
VALUES = st.sampled_from(["a", "b", "true", "0b6a1f6e"]) | st.booleans() | st.integers(0, 9)


def one_or_many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=4)


CONDITIONS = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "Bool"]),
    st.dictionaries(
        st.sampled_from(["aws:PrincipalOrgID", "kms:ViaService", "kms:viaservice"]), one_or_many(VALUES), min_size=1
    ),
    max_size=2,
)
FOREIGN = st.builds(
    lambda sid, effect, principal, action, condition: {
        **({"Sid": sid} if sid else {}),
        "Effect": effect,
        "Principal": principal,
        "Action": action,
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["", "a", "b", WANTED[0]["Sid"], f"{WANTED[0]['Sid']} (2)"]),
    st.sampled_from(["Allow", "Deny"]),
    st.just("*") | st.fixed_dictionaries({"AWS": one_or_many(PRINCIPALS)}),
    one_or_many(ACTIONS),
    CONDITIONS,
)
DOCUMENTS = st.builds(
    lambda found: {"Version": "2012-10-17", "Id": "mine", "Statement": found},
    st.lists(FOREIGN | st.sampled_from(WANTED), max_size=6),
)
SOME_WANTED = st.lists(st.sampled_from(WANTED), unique_by=json.dumps)


def shown(document: Json, read: int) -> Json:
    """As KMS gives it back."""
    found: Json = json.loads(as_shown(json.dumps(document), read))
    return found


def content(document: Json) -> Counter[tuple[str | None, str]]:
    return Counter((each.get("Sid"), meaning(each)) for each in statements(document))


@pytest.mark.rule("policy-meaning")
@settings(deadline=None)
@given(DOCUMENTS, st.integers(0, 9), st.integers(0, 9))
def test_a_policy_means_the_same_however_kms_shows_it(document: Json, one: int, other: int) -> None:
    assert same(shown(document, one), document)
    assert same(shown(document, one), shown(document, other))
    assert [meaning(each) for each in statements(shown(document, one))] == [
        meaning(each) for each in statements(document)
    ]


@pytest.mark.rule("policy-meaning")
@pytest.mark.parametrize(
    "other",
    [
        {"Principal": "*"},
        {"Action": ["kms:Decrypt"]},
        {"Action": "KMS:decrypt"},
        {"Resource": ["*"]},
        {"Sid": "another"},
        {"Condition": {}},
    ],
)
def test_what_iam_does_not_tell_apart_is_the_same(other: Json) -> None:
    assert meaning({**PLAIN, **other}) == meaning(PLAIN)


@pytest.mark.parametrize(
    "other",
    [
        {"Effect": "Deny"},
        {"Principal": {"Service": "*"}},
        {"Principal": {"AWS": "123456789012"}},
        {"Action": ["kms:Decrypt", "kms:Encrypt"]},
        {"Resource": "arn:aws:kms:us-east-1:123456789012:key/1"},
        {"Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}}},
    ],
)
def test_what_iam_tells_apart_is_not(other: Json) -> None:
    assert meaning({**PLAIN, **other}) != meaning(PLAIN)


def test_values_of_a_condition_keep_their_case_and_their_kind() -> None:
    def bound(**values: Any) -> str:
        return meaning({**PLAIN, "Condition": {"StringEquals": values}})

    assert bound(key="a") != bound(key="A")
    assert bound(key="a", KEY="b") != bound(key="a")
    assert bound(key=True) == bound(key="true")
    assert bound(key="123456789012") != bound(key="arn:aws:iam::123456789012:root")


def test_not_principal_is_not_principal() -> None:
    others = {name: value for name, value in PLAIN.items() if name != "Principal"}
    assert meaning({**others, "NotPrincipal": {"AWS": "*"}}) != meaning(PLAIN)


def test_a_statement_that_stands_twice_is_not_the_one_that_stands_once() -> None:
    once, twice = {"Statement": [PLAIN]}, {"Statement": [PLAIN, PLAIN]}
    assert not same(once, twice)
    left, taken = without(twice, [PLAIN])
    assert (left["Statement"], taken) == ([PLAIN], [PLAIN])


def test_a_lone_statement_needs_no_list() -> None:
    document = merged(json.dumps({"Statement": PLAIN}), WANTED[:1])
    assert document["Statement"] == [PLAIN, WANTED[0]]


@pytest.mark.rule("rule-14", "policy-replaced-whole")
@settings(deadline=None)
@given(DOCUMENTS, SOME_WANTED, st.integers(0, 9))
def test_adding_loses_nothing_and_adds_nothing_twice(document: Json, wanted: list[Json], read: int) -> None:
    whole = merged(json.dumps(document), wanted)
    assert whole["Statement"][: len(document["Statement"])] == document["Statement"]
    assert lacking(whole, wanted) == []
    assert additions(shown(whole, read), wanted) == []
    added = additions(document, wanted)
    assert len({each["Sid"] for each in added}) == len(added)
    assert {each["Sid"] for each in added}.isdisjoint({each.get("Sid") for each in document["Statement"]})


@pytest.mark.rule("rule-14")
@settings(deadline=None)
@given(DOCUMENTS, SOME_WANTED, st.lists(FOREIGN, max_size=3), st.integers(0, 9), st.data())
def test_taking_out_takes_what_was_added_and_nothing_of_others(
    document: Json, wanted: list[Json], later: list[Json], read: int, data: st.DataObject
) -> None:
    """Others add, and take away what they had, between the two."""
    added = additions(document, wanted)
    whole = merged(json.dumps(document), wanted)
    gone = data.draw(st.integers(0, len(document["Statement"])))
    foreign = document["Statement"][gone:] + later
    meanwhile = shown({**whole, "Statement": foreign + added}, read)
    left, taken = without(meanwhile, added)
    assert content(left) == content({"Statement": foreign})
    assert taken == added
    assert without(left, added)[1] == [each for each in added if (each["Sid"], meaning(each)) in content(left)]


@settings(deadline=None)
@given(DOCUMENTS, SOME_WANTED)
def test_what_is_put_is_json_and_counted_as_kms_counts_it(document: Json, wanted: list[Json]) -> None:
    whole = merged(json.dumps(document, indent=4), wanted)
    assert json.loads(compact(whole)) == whole
    assert size(whole) == len(compact(whole).encode()) <= len(json.dumps(whole).encode())


def test_the_limit_is_kms() -> None:
    assert MAX_BYTES == MOST_BYTES == 32 * 1024
    assert size({"Statement": [{**PLAIN, "Sid": "é"}]}) == size({"Statement": [{**PLAIN, "Sid": "ee"}]})


@pytest.mark.rule("policy-taken-no-more", "policy-meaning")
@settings(deadline=None)
@given(DOCUMENTS, SOME_WANTED, st.integers(0, 200), st.booleans())
def test_what_the_plan_lets_through_is_what_kms_takes(
    document: Json, wanted: list[Json], filling: int, brought: bool
) -> None:
    """Valid and within size, or nothing is put at all."""
    filled = {**document, "Statement": document["Statement"] + [{**PLAIN, "Sid": f"{n:0150}"} for n in range(filling)]}
    key = KeyFacts("arn:aws:kms:us-east-1:123456789012:key/1", policy=json.dumps(filled), tags=TAGS if brought else ())
    case = KeyCase("key_arn", key, "us-east-1", "rekey", wanted)
    found = [each for rule in (policy_consent, policy_taken_no_more, policy_size) for each in rule(case)]
    assert all(each.field == "key_arn" and each.problem and each.fix for each in found)
    if found or not lacking(filled, wanted):
        return
    assert brought
    put = compact(merged(key.policy, wanted))
    assert not too_large(put)
    assert refused(put) is None
