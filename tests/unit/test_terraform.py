"""HCL of a workspace's keys: exactly what Databricks shows, whatever it is named, parsed by an HCL parser."""

import json
import re
from typing import Any

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekey.model.terraform import RESOURCE, address_name, quote, render, render_removed

ACCOUNT = "0b6a1f6e-2f3c-4a55-9c9d-0f6f5a1b2c3d"
ARN = "arn:aws:kms:us-east-1:111122223333:key/0987dcba"


def workspace(name: str = "prod") -> dict[str, Any]:
    return {"account_id": ACCOUNT, "workspace_id": 7, "name": name}


def key(use_case: str, configuration_id: str | None = "c0ffee00-1", **more: Any) -> dict[str, Any]:
    made = {
        "use_case": use_case,
        "configuration_id": configuration_id,
        "key_arn": ARN if configuration_id else None,
        "key_alias": None,
        "use_cases": [use_case] if configuration_id else [],
        "reuse_key_for_cluster_volumes": True if configuration_id else None,
        "shared_with": [],
    }
    return {**made, **more}


BOTH: dict[str, Any] = {"use_cases": ["STORAGE", "MANAGED_SERVICES"]}


def resources(text: str) -> dict[str, Any]:
    """Attributes of each resource by its name, values as HCL has them."""
    return {
        name.strip('"'): attributes
        for block in hcl2.loads(text).get("resource", [])
        for kind, named in block.items()
        if kind == f'"{RESOURCE}"'
        for name, attributes in named.items()
    }


def test_two_keys_are_two_resources_with_their_imports() -> None:
    text = render(workspace(), [key("MANAGED_SERVICES"), key("STORAGE", "feedface-2", key_alias="alias/s")])
    parsed = hcl2.loads(text)
    assert [(each["to"], each["id"]) for each in parsed["import"]] == [
        (f"${{{RESOURCE}.rekey_prod_c0ffee00}}", f'"{ACCOUNT}/c0ffee00-1"'),
        (f"${{{RESOURCE}.rekey_prod_feedface}}", f'"{ACCOUNT}/feedface-2"'),
    ]
    managed, storage = resources(text).values()
    assert (managed["account_id"], managed["use_cases"]) == (f'"{ACCOUNT}"', ['"MANAGED_SERVICES"'])
    assert plain(managed["aws_key_info"]) == {"key_arn": f'"{ARN}"'}
    assert plain(storage["aws_key_info"]) == {"key_arn": f'"{ARN}"', "key_alias": '"alias/s"'}
    assert plain(managed["lifecycle"]) == {"prevent_destroy": True}
    (values,) = parsed["locals"]
    assert values["rekey_7_storage_customer_managed_key_id"] == (
        f"${{{RESOURCE}.rekey_prod_feedface.customer_managed_key_id}}"
    )


def test_one_configuration_for_both_is_one_resource_in_databricks_order() -> None:
    text = render(workspace(), [key("MANAGED_SERVICES", **BOTH), key("STORAGE", **BOTH)])
    (only,) = resources(text).values()
    assert only["use_cases"] == ['"STORAGE"', '"MANAGED_SERVICES"']
    assert text.count("rekey_prod_c0ffee00.customer_managed_key_id") == 2


@pytest.mark.parametrize("reuse", [True, False])
def test_the_flag_that_the_provider_does_not_know_is_a_comment(reuse: bool) -> None:
    text = render(workspace(), [key("STORAGE", reuse_key_for_cluster_volumes=reuse)])
    assert f"# reuse_key_for_cluster_volumes is {str(reuse).lower()};" in text
    assert "reuse" not in json.dumps(plain(next(iter(resources(text).values()))["aws_key_info"]))
    assert "reuse" not in render(workspace(), [key("MANAGED_SERVICES")])


def test_what_others_use_too_and_what_is_not_there_is_said() -> None:
    text = render(workspace(), [key("MANAGED_SERVICES", shared_with=["8", "9"]), key("STORAGE", None)])
    assert "# Shared with workspace 8, 9:" in text
    assert "storage_customer_managed_key_id: leave it out" in text


def test_a_configuration_that_is_not_listed_is_named_by_its_id() -> None:
    text = render(workspace(), [key("MANAGED_SERVICES", key_arn=None)])
    assert resources(text) == {}
    assert hcl2.loads(text)["locals"][0]["rekey_7_managed_services_customer_managed_key_id"] == '"c0ffee00-1"'


def test_a_workspace_without_keys_is_comments_only() -> None:
    text = render(workspace(), [key("MANAGED_SERVICES", None), key("STORAGE", None)])
    lines = [line for line in text.splitlines() if line]
    assert lines
    assert all(line.startswith("#") for line in lines)


@given(name=st.text(), alias=st.text(min_size=1), use=st.sampled_from(["MANAGED_SERVICES", "STORAGE"]))
def test_odd_names_stay_text(name: str, alias: str, use: str) -> None:
    text = render(workspace(name), [key(use, key_alias=alias)])
    assert text == render(workspace(name), [key(use, key_alias=alias)])
    ((address, attributes),) = resources(text).items()
    assert re.fullmatch(r"rekey_[a-z0-9_]+", address)
    assert address == address_name(name, "c0ffee00-1")
    assert unquoted(plain(attributes["aws_key_info"])["key_alias"]) == alias
    assert set(hcl2.loads(text)) - {"__comments__"} == {"import", "resource", "locals"}


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("${path.root} %{ if }", '"$${path.root} %%{ if }"'),
        ("$${x}", '"$$${x}"'),
        ("line\nfeed\u2028\x00", '"line\\nfeed\\u2028\\u0000"'),
        ("Zoë 客户", '"Zoë 客户"'),
    ],
)
def test_a_quoted_string_is_this_text_and_no_template(text: str, quoted: str) -> None:
    assert quote(text) == quoted


def plain(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """A block's attributes, without what the parser adds."""
    (block,) = blocks
    return {name: value for name, value in block.items() if not name.startswith("__")}


def unquoted(value: str) -> str:
    """What Terraform would read: escapes and doubled template marks undone."""
    inner = re.sub(r"([$%])\\1(?=\{)", r"\1", value[1:-1])
    long = re.sub(r"\\U([0-9a-f]{8})", lambda found: json.dumps(chr(int(found[1], 16)))[1:-1], inner)
    text: str = json.loads(f'"{long}"')
    return text


def row(state: str = "disabled", **more: Any) -> dict[str, Any]:
    """A key as `rekey keys` has it."""
    made = {"key_arn": ARN, "state": state, "referenced_by": [], "workspaces": [7], "configuration_ids": ["0ldc0ff1-1"]}
    return {**made, **more}


def test_what_rekey_let_go_is_forgotten_and_not_destroyed() -> None:
    text = render_removed(workspace(), [row()])
    [removed] = hcl2.loads(text)["removed"]
    assert removed["from"] == f"${{{RESOURCE}.rekey_prod_0ldc0ff1}}"
    assert plain(removed["lifecycle"]) == {"destroy": False}
    assert f'terraform state list -id="{ACCOUNT}/0ldc0ff1-1"' in text
    assert 'terraform state list -id="0987dcba"' in text
    # The address is the one under which an earlier file imported it.
    earlier = render(workspace(), [key("MANAGED_SERVICES", "0ldc0ff1-1")])
    assert list(resources(earlier)) == ["rekey_prod_0ldc0ff1"]


@pytest.mark.parametrize(
    "kept",
    [row("grace"), row("held"), row("retained"), row(referenced_by=[8]), row(workspaces=[8]), row(workspaces=[])],
)
def test_what_is_still_needed_or_anothers_is_not_removed(kept: dict[str, Any]) -> None:
    assert render_removed(workspace(), [kept]) == ""


def test_a_name_cannot_leave_its_comment() -> None:
    text = render_removed(workspace("x\n}"), [row(configuration_ids=['"\nresource "a" "b" {}'])])
    assert list(hcl2.loads(text)) == ["removed"] or "resource" not in hcl2.loads(text)
