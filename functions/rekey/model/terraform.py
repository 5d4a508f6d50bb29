"""A workspace's keys as HCL, so that Terraform takes over what rekey changed instead of drifting. Plain functions.

databricks_mws_customer_managed_keys is imported by "account id/configuration id"; every difference to it is a
destroy and a create (terraform-provider-databricks docs/resources/mws_customer_managed_keys.md), so what is rendered
is exactly what Databricks shows. The resource has no argument for reuse_key_for_cluster_volumes: it is a comment.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rekey.model.use_cases import KEY_FIELDS

RESOURCE = "databricks_mws_customer_managed_keys"
_SHORT_ID = 8
_LONGEST_NAME = 60

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def render(workspace: Mapping[str, Any], present_keys: Sequence[Mapping[str, Any]]) -> str:
    """HCL for Terraform 1.5 or newer. `workspace` and `present_keys` are those of the preflight."""
    account_id, workspace_id = str(workspace["account_id"]), str(workspace["workspace_id"])
    parts = [
        f"# The keys of the Databricks workspace {quote(workspace['name'])} ({workspace_id}) as they are now.\n"
        "# An address carries its configuration's id: another key is another resource, never a replacement.\n"
        "# A configuration that was replaced stays registered: leave its resource where it is until rekey has\n"
        "# disabled its key. Then `rekey terraform` prints a removed block for it, which forgets and destroys nothing."
    ]
    rendered = set()
    for key in present_keys:
        if key["key_arn"] and key["configuration_id"] not in rendered:
            rendered.add(key["configuration_id"])
            parts.append(_configuration(account_id, address_name(workspace["name"], key["configuration_id"]), key))
    parts.append(_arguments(workspace, present_keys))
    return "\n\n".join(parts) + "\n"


def render_removed(workspace: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> str:
    """`removed` blocks for the configurations of keys that rekey let go, for Terraform 1.7 or newer; empty for none.

    `keys` are rows of `rekey keys`. A project forgets a resource without destroying it by such a block in place of the
    resource's own (Terraform documentation, "removed block"); which address another tool gave it nobody knows here.
    """
    parts = []
    for key in (each for each in keys if is_let_go(each, int(workspace["workspace_id"]))):
        for configuration_id in key["configuration_ids"]:
            parts.append(_removed(workspace, key, configuration_id))
        key_id = quote(key["key_arn"].rpartition("/")[2])
        parts.append(
            f"# The same for the key itself where a project made it: `terraform state list -id={key_id}` there names\n"
            "# the address of its aws_kms_key. Forgotten, and not destroyed: its owner decides whether it is deleted."
        )
    return "\n\n".join(parts) + "\n" if parts else ""


def is_let_go(key: Mapping[str, Any], workspace_id: int) -> bool:
    """Whether a row of `rekey keys` is one that the workspace had, and nothing needs any more."""
    gone = key["state"] in ("disabled", "gone") and not key["referenced_by"]
    return gone and workspace_id in key.get("workspaces", ())


def _removed(workspace: Mapping[str, Any], key: Mapping[str, Any], configuration_id: str) -> str:
    named = quote(f"{workspace['account_id']}/{configuration_id}")
    return "\n".join(
        [
            f"# rekey let the key {key['key_arn']} go ({key['state']}).",
            "# Take the resource's own block out in the same change. Where it has another address, write that here:",
            f"# `terraform state list -id={named}` names it. Terraform 1.7 or newer.",
            "removed {",
            f"  from = {RESOURCE}.{address_name(workspace['name'], configuration_id)}",
            "",
            "  lifecycle {",
            "    destroy = false",
            "  }",
            "}",
        ]
    )


def address_name(workspace_name: str, configuration_id: str) -> str:
    """A resource's name: letters, digits and underscores, the same for the same configuration."""
    return f"rekey_{_slug(workspace_name)[:_LONGEST_NAME] or 'workspace'}_{_slug(configuration_id)[:_SHORT_ID]}"


def quote(text: str) -> str:
    """A quoted HCL string that is exactly this text: no template, no escape of its own."""
    return '"' + re.sub(r"([$%])(?=\{)", r"\1\1", "".join(map(_escaped, text))) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    code = ord(character)
    # Everything else that does not print, line separators among it, so that a comment cannot be left either.
    if character.isprintable():
        return character
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _configuration(account_id: str, name: str, key: Mapping[str, Any]) -> str:
    # In Databricks' order: use_cases is a list to the provider, and another order would be a difference.
    use_cases = ", ".join(quote(each) for each in key["use_cases"])
    alias = [f"    key_alias = {quote(key['key_alias'])}"] if key["key_alias"] else []
    notes = []
    if key["shared_with"]:
        notes.append(f"# Shared with workspace {', '.join(key['shared_with'])}: keep one resource for all of them.")
    if "STORAGE" in key["use_cases"]:
        reuse = str(key["reuse_key_for_cluster_volumes"]).lower()
        notes.append(f"# reuse_key_for_cluster_volumes is {reuse}; the provider has no argument for it.")
    return "\n".join(
        [
            "import {",
            f"  to = {RESOURCE}.{name}",
            f"  id = {quote(account_id + '/' + key['configuration_id'])}",
            "}",
            "",
            *notes,
            f'resource "{RESOURCE}" "{name}" {{',
            f"  account_id = {quote(account_id)}",
            f"  use_cases  = [{use_cases}]",
            "",
            "  aws_key_info {",
            f"    key_arn {'  ' if alias else ''}= {quote(key['key_arn'])}",
            *alias,
            "  }",
            "",
            "  lifecycle {",
            "    prevent_destroy = true",
            "  }",
            "}",
        ]
    )


def _arguments(workspace: Mapping[str, Any], present_keys: Sequence[Mapping[str, Any]]) -> str:
    """The workspace's key arguments as locals: its resource has many more, which only its owner has.

    The provider keeps an argument out of its state that the project leaves out (held by `make terraform`): first keys
    are no difference then, and naming them is a PATCH with everything that the resource names.
    """
    lines = [
        "# In the workspace's own databricks_mws_workspaces resource, where it has the argument already. One that it",
        "# leaves out is no difference to Terraform; adding it has Terraform send the workspace an update once more.",
    ]
    values = []
    for key in present_keys:
        field = KEY_FIELDS[key["use_case"]]
        if not key["configuration_id"]:
            lines.append(f"#   {field}: leave it out, the workspace has no {key['use_case']} key.")
            continue
        local = f"rekey_{workspace['workspace_id']}_{field}"
        lines.append(f"#   {field} = local.{local}")
        address = f"{RESOURCE}.{address_name(workspace['name'], key['configuration_id'])}.customer_managed_key_id"
        # A configuration that the account does not list has no resource above: its id alone.
        values.append(f"  {local} = {address if key['key_arn'] else quote(key['configuration_id'])}")
    if values:
        lines += ["locals {", *values, "}"]
    return "\n".join(lines)
