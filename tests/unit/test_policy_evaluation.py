"""The evaluator never claims for sure what another one answers otherwise, for whatever it was not told."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy  # type: ignore[import-untyped]

from local.databricks.crypto.policy import Caller as SimulatedCaller
from local.databricks.crypto.policy import allows
from rekey.aws.policy_evaluation import ABSENT, UNKNOWN, Begins, Caller, Known, Other, Value, hits

KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
DATABRICKS, CUSTOMER = "414351767826", "123456789012"
ROLE = f"arn:aws:iam::{CUSTOMER}:role/one"
OWN = "o-ourorg1234"

ORGS = ["o-ourorg1234", "o-databricks0", "o-third00000"]
ARNS = [
    *("*", f"arn:aws:iam::{CUSTOMER}:*", f"arn:aws:iam::{CUSTOMER}:role/*", ROLE, f"arn:aws:iam::{CUSTOMER}:role/tw?"),
    *(
        f"arn:aws:iam::{DATABRICKS}:*",
        f"arn:aws:iam::{DATABRICKS}:role/a",
        "arn:aws:iam::*:role/on*",
        "arn:aws:iam::4*",
    ),
]
VPCES = ["vpce-1", "vpce-2"]
EXPECTED: Mapping[str, list[Any]] = {
    "aws:PrincipalOrgID": ORGS,
    "aws:PrincipalArn": ARNS,
    "AWS:principalaccount": [DATABRICKS, CUSTOMER, "9*"],
    "aws:PrincipalIsAWSService": ["true", "false"],
    "aws:SourceVpce": VPCES,
    "aws:SourceAccount": [CUSTOMER, DATABRICKS],
    "kms:ViaService": ["s3.us-east-1.amazonaws.com", "ec2.*.amazonaws.com", "*"],
    "aws:PrincipalTag/DatabricksAccountId": ["mine", "other", "m*"],
    "aws:PrincipalTag/team": ["a", "b"],
}
OPERATORS = st.sampled_from(
    [
        f"{quantifier}{name}{suffix}"
        for quantifier in ("", "ForAnyValue:", "ForAllValues:")
        for name in ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike")
        for suffix in ("", "IfExists")
    ]
    + [
        "ArnLike",
        "ArnNotLike",
        "ArnEquals",
        "ArnNotEqualsIfExists",
        "Bool",
        "BoolIfExists",
        "NumericLessThan",
        "Strange",
    ]
)


def one_or_many(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


BLOCKS = st.sampled_from(sorted(EXPECTED)).flatmap(
    lambda key: (
        st.tuples(OPERATORS, st.just(key), one_or_many(st.sampled_from(EXPECTED[key])))
        | st.tuples(st.just("Null"), st.just(key), st.sampled_from(["true", "false"]))
    )
)


def conditions(blocks: list[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for operator, key, values in blocks:
        found.setdefault(operator, {})[key] = values
    return found


PRINCIPALS = st.just("*") | st.fixed_dictionaries(
    {
        "AWS": one_or_many(
            st.sampled_from(
                [
                    *("*", DATABRICKS, f"arn:aws:iam::{DATABRICKS}:root", f"arn:aws:iam::{DATABRICKS}:role/a"),
                    *(CUSTOMER, ROLE, f"arn:aws:iam::{CUSTOMER}:role/two", "AROAEXAMPLEEXAMPLE77"),
                ]
            )
        )
    }
)
STATEMENTS = st.builds(
    lambda principal, negated, action, resource, blocks: {
        "Effect": "Deny",
        ("NotPrincipal" if negated else "Principal"): principal,
        **action,
        "Resource": resource,
        **({"Condition": conditions(blocks)} if blocks else {}),
    },
    PRINCIPALS,
    st.integers(0, 5).map(lambda drawn: drawn == 0),
    st.fixed_dictionaries(
        {"Action": one_or_many(st.sampled_from(["kms:*", "kms:decrypt", "KMS:Enc*", "kms:DescribeKe?", "s3:*", "*"]))}
    )
    | st.fixed_dictionaries({"NotAction": one_or_many(st.sampled_from(["kms:Get*", "kms:Decrypt"]))}),
    st.sampled_from(["*", KEY, "arn:aws:kms:*:123456789012:key/*", "arn:aws:kms:us-east-1:123456789012:key/2", ["*"]]),
    st.lists(BLOCKS, max_size=3),
)


def databricks() -> Caller:
    keys: dict[str, Value] = {
        "aws:principalarn": Begins(f"arn:aws:iam::{DATABRICKS}:"),
        "aws:principalaccount": Known(DATABRICKS),
        "aws:principalorgid": Other(OWN),
        "aws:principalisawsservice": Known("false"),
        "aws:sourceaccount": ABSENT,
        "aws:principaltag/databricksaccountid": Known("mine"),
        "aws:sourcevpce": UNKNOWN,
    }
    return Caller(DATABRICKS, None, keys)


def role() -> Caller:
    keys: dict[str, Value] = {
        "aws:principalarn": Known(ROLE),
        "aws:principalaccount": Known(CUSTOMER),
        "aws:principalorgid": Known(OWN),
        "aws:principalisawsservice": Known("false"),
        "aws:sourceaccount": ABSENT,
    }
    return Caller(CUSTOMER, ROLE, keys)


def denied_by_the_other(statement: dict[str, Any], arn: str, keys: Mapping[str, str], action: str) -> bool:
    """What MiniStack's evaluator answers where all keys are known."""
    account = arn.split(":")[4]
    context = EvalContext(
        principal_arn=arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=KEY,
        region="us-east-1",
        source_ip="203.0.113.10",
        secure_transport=True,
        principal_keys={"aws:principalisawsservice": "false", **keys},
    )
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    return bool(evaluate_resource_policy({"Statement": [everybody, statement]}, context).decision == "Deny")


def some(name: str, values: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.sampled_from(values).map(lambda value: {name: value}) | st.just({})


UNTOLD = st.tuples(
    some("aws:sourcevpce", [*VPCES, "vpce-3"]),
    some("kms:viaservice", ["s3.us-east-1.amazonaws.com", "ec2.us-east-1.amazonaws.com"]),
    some("aws:principaltag/team", ["a", "c"]),
).map(lambda parts: {name: value for part in parts for name, value in part.items()})
"""What the evaluator is told nothing of, as it may be."""


@pytest.mark.rule("policy-deny")
@settings(deadline=None)
@given(
    STATEMENTS,
    st.sampled_from(["kms:Decrypt", "kms:Encrypt", "kms:DescribeKey"]),
    UNTOLD,
    st.sampled_from(["root", "role/a", "role/b"]),
    some("aws:principalorgid", ["o-databricks0"]),
)
def test_of_databricks_nothing_is_claimed_that_is_not_so(
    statement: dict[str, Any], action: str, untold: dict[str, str], name: str, organization: dict[str, str]
) -> None:
    claimed = hits(statement, databricks(), action, KEY).answer
    if claimed is None or "NotPrincipal" in statement:
        return  # MiniStack has no NotPrincipal.
    keys = {"aws:principaltag/databricksaccountid": "mine", **organization, **untold}
    arn = f"arn:aws:iam::{DATABRICKS}:{name}"
    assert denied_by_the_other(statement, arn, keys, action) is claimed


@pytest.mark.rule("policy-deny")
@settings(deadline=None)
@given(STATEMENTS, st.sampled_from(["kms:Decrypt", "kms:CreateGrant"]), UNTOLD)
def test_of_the_role_nothing_is_claimed_that_is_not_so(
    statement: dict[str, Any], action: str, untold: dict[str, str]
) -> None:
    claimed = hits(statement, role(), action, KEY).answer
    if claimed is None or "NotPrincipal" in statement:
        return
    assert denied_by_the_other(statement, ROLE, {"aws:principalorgid": OWN, **untold}, action) is claimed


@pytest.mark.rule("policy-deny")
@settings(deadline=None)
@given(STATEMENTS)
def test_the_simulators_databricks_is_denied_what_is_claimed(statement: dict[str, Any]) -> None:
    """NotPrincipal too, which the simulator decides by itself."""
    claimed = hits(statement, databricks(), "kms:Decrypt", KEY).answer
    caller = SimulatedCaller(f"arn:aws:iam::{DATABRICKS}:root", {"DatabricksAccountId": "mine"})
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    if claimed is not None:
        assert allows({"Statement": [everybody, statement]}, caller, "kms:Decrypt", KEY) is not claimed


def answer(caller: Caller, **parts: Any) -> bool | None:
    plain = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    return hits({**plain, **parts}, caller, "kms:Decrypt", KEY).answer


@pytest.mark.rule("policy-deny")
@pytest.mark.parametrize(
    ("condition", "of_databricks", "of_role"),
    [
        ({}, True, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": OWN}}, True, False),
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": [OWN]}}, True, False),
        ({"StringEquals": {"aws:PrincipalOrgID": OWN}}, False, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": [OWN, "o-maybetheirs"]}}, None, False),
        ({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, None, None),
        ({"StringEquals": {"aws:SourceAccount": CUSTOMER}}, False, False),
        ({"StringNotEquals": {"aws:SourceAccount": CUSTOMER}}, True, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, None, None),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{CUSTOMER}:role/*"}}, True, False),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{DATABRICKS}:*"}}, False, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{DATABRICKS}:role/a*"}}, None, False),
        ({"StringNotEquals": {"aws:PrincipalAccount": [CUSTOMER, DATABRICKS]}}, False, False),
        ({"StringNotEquals": {"aws:PrincipalTag/DatabricksAccountId": "mine"}}, False, None),
        ({"StringEquals": {"aws:PrincipalTag/DatabricksAccountId": "${aws:PrincipalTag/x}"}}, None, None),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": OWN}}, None, True),
        ({"ForAnyValue:StringNotEquals": {"aws:SourceAccount": CUSTOMER}}, False, False),
        ({"ForAllValues:StringEquals": {"aws:SourceAccount": CUSTOMER}}, True, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:role/one"}}, None, None),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*"}}, None, None),
        ({"Null": {"aws:SourceAccount": "true"}}, True, True),
        ({"Null": {"aws:PrincipalOrgID": "true"}}, None, False),
        ({"Bool": {"aws:PrincipalIsAWSService": False}}, True, True),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}, "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False, False),
        ({"Strange": {"aws:PrincipalAccount": DATABRICKS}}, None, None),
    ],
)
def test_conditions(condition: dict[str, Any], of_databricks: bool | None, of_role: bool | None) -> None:
    assert answer(databricks(), Condition=condition) is of_databricks
    assert answer(role(), Condition=condition) is of_role


@pytest.mark.parametrize(
    ("listed", "of_databricks", "of_role"),
    [
        (["*"], False, False),
        ([f"arn:aws:iam::{CUSTOMER}:user/u"], True, None),
        ([CUSTOMER], True, None),
        ([CUSTOMER, ROLE], True, False),
        ([DATABRICKS], None, True),
        ([DATABRICKS, f"arn:aws:iam::{DATABRICKS}:role/a"], None, True),
    ],
)
def test_not_principal_needs_the_account_beside_whom_it_excepts(
    listed: list[str], of_databricks: bool | None, of_role: bool | None
) -> None:
    statement = {"Effect": "Deny", "NotPrincipal": {"AWS": listed}, "Action": "kms:Decrypt", "Resource": "*"}
    assert hits(statement, databricks(), "kms:Decrypt", KEY).answer is of_databricks
    assert hits(statement, role(), "kms:Decrypt", KEY).answer is of_role


def test_what_it_hangs_on_is_named() -> None:
    condition = {
        "StringNotEquals": {"aws:SourceVpce": "vpce-1", "aws:PrincipalOrgID": OWN},
        "Bool": {"aws:ViaAWSService": "false"},
    }
    statement = {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition}
    assert hits(statement, databricks(), "kms:Decrypt", KEY).unknown == ("aws:SourceVpce", "aws:ViaAWSService")
    assert hits(statement, role(), "kms:Decrypt", KEY).unknown == ()
