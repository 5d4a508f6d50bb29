"""Every field of a request, described once: errors, docs/request.md and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Described:
    """What a person should know of one field."""

    fix: str
    """What to give, for whoever gave something wrong. Without the full stop."""
    meaning: str = ""
    """For the table in docs/request.md."""
    left_out: str = "none"
    """What holds where it is left out."""
    option: str = ""
    """The command line's help, where it has an option for it."""


_YES_OR_NO = "give true or false"

FIELDS: Mapping[str, Described] = {
    "workspace_id": Described(
        fix="give the workspace's number, for example 1234567890123456, without quotes",
        meaning="the workspace's number, as in the account console",
        left_out="required, but for `create_workspace`",
        option="The workspace's number.",
    ),
    "workspace": Described(
        fix='give an object with what Databricks\' "Create a workspace" takes, or leave it out',
        meaning='with `create_workspace`: what Databricks\' "Create a workspace" takes, less the key ids',
    ),
    "operation": Described(
        fix='give "add", "rotate", "rotate_material", "create_workspace", "revoke" or "restore", or leave it out to '
        "have it decided from the workspace",
        meaning="`add`, `rotate`, `rotate_material`, `create_workspace`, `revoke` or `restore`",
        left_out="decided from the workspace",
    ),
    "use_cases": Described(
        fix='give a list of "MANAGED_SERVICES" and/or "STORAGE", each once, or leave it out',
        meaning="`MANAGED_SERVICES` and/or `STORAGE`",
        left_out="what the operation can do there",
        option="MANAGED_SERVICES or STORAGE; may be repeated.",
    ),
    "request_id": Described(
        fix="give 1 to 64 letters, digits or any of _ . : -, or leave it out",
        meaning="idempotency token, such as a change number; the same content again is served once",
        option="Such as a change number: the same request again is served once.",
    ),
    "key_arn": Described(
        fix="give a KMS key's ARN (arn:aws:kms:<region>:<account>:key/<id>, no alias), or leave it out",
        meaning="bring your own KMS key; tag it `rekey:brought=true`, so that rekey may add Databricks' statements to "
        "its policy",
        left_out="a new key",
        option="Use this KMS key instead of a new one.",
    ),
    "key_configuration_id": Described(
        fix="give the id of a registered key configuration, or leave it out",
        meaning="reuse a registered configuration, so that workspaces share a key",
        option="Use a registered key configuration, so that workspaces share a key.",
    ),
    "reuse_key_for_cluster_volumes": Described(
        fix=_YES_OR_NO,
        meaning="whether cluster volumes use the STORAGE key too",
        left_out="true",
        option="Whether cluster volumes use the STORAGE key too; they do.",
    ),
    "not_before": Described(
        fix='give an ISO 8601 time with offset, for example "2026-11-30T22:00:00+01:00", or leave it out',
        meaning="start of the maintenance window, ISO 8601 with offset, at most 14 days ahead",
        left_out="now",
        option="Start of the window, such as 2026-11-30T22:00:00+01:00.",
    ),
    "not_after": Described(
        fix="give the end of the window as an ISO 8601 time with offset, for example "
        '"2026-12-01T04:00:00+01:00", or leave it out',
        meaning="end of the window: refused, or not begun, when the rotation could still be at work then",
        option="End of the window: a rotation that might not be done by then is not begun.",
    ),
    "approval": Described(
        fix=_YES_OR_NO,
        meaning="wait, three days at the most, until somebody else approves the plan",
        left_out="false; with `revoke` and `restore` true",
        option="Wait until somebody else approves the plan.",
    ),
    "alone": Described(
        fix="give true, with a reason, only where nobody else can be reached; or leave it out",
        meaning="with `revoke` and `restore`: break-glass, without a second person's approval; alarmed",
        left_out="false",
        option="Break-glass: without a second person's approval; alarmed.",
    ),
    "shared_with": Described(
        fix="give a list of the numbers of the workspaces that share the keys, each once, or leave it out",
        meaning="with `revoke` and `restore`: the workspaces that share the keys, every one of them",
        option="A workspace that shares the keys; may be repeated, all must be named.",
    ),
    "jobs": Described(
        fix='give "interrupt" to cut active job runs short, or "drain" to wait for them first',
        meaning="`interrupt` active job runs, or `drain`: wait for them first",
        left_out="`interrupt`",
        option="interrupt active job runs, or drain: wait for them first.",
    ),
    "drain_minutes": Described(
        fix='give 1 to 240, with jobs "drain"; left out it is 60',
        meaning="with `drain`: wait for job runs up to so many minutes",
        left_out="60",
        option="How long to wait for job runs at the most.",
    ),
    "guard_key": Described(
        fix=_YES_OR_NO,
        meaning="with your own key: also deny, in its policy, that it is taken away while in use",
        left_out="false",
        option="With --key-arn: give that key the guard of rekey's own keys.",
    ),
    "yearly_rotation": Described(
        fix=_YES_OR_NO,
        meaning="with `rotate_material`: also switch on KMS' yearly rotation",
        left_out="false",
        option="With --material: also switch on KMS' yearly rotation.",
    ),
    "old_key": Described(
        fix='give "disable" or "retain"',
        meaning="`disable` after a day, or `retain`",
        left_out="`disable`",
        option="disable (after a day) or retain; disable if left out.",
    ),
    "renew_notebooks": Described(
        fix='give 1 to 20 absolute workspace paths, each once, such as ["/Shared"], or leave it out',
        meaning='1 to 20 workspace paths such as `["/Shared"]`: their notebooks are exported and re-imported once the '
        "switch is proven and compute is back, because Databricks does not re-encrypt existing data; with a new "
        "MANAGED_SERVICES key only",
        option="Renew the notebooks below this path after the switch; may be repeated.",
    ),
    "dry_run": Described(fix=_YES_OR_NO, meaning="end with the plan, touch nothing", left_out="false"),
    "reason": Described(
        fix="give at most 500 characters",
        meaning="why; written into the evidence",
        option="Why; written into the evidence.",
    ),
    "requested_by": Described(
        fix="give at most 200 characters",
        meaning="who asks; written into the evidence",
        option="Who asks; else the caller, as AWS knows them.",
    ),
    "fleet": Described(
        fix="leave it out; for many workspaces use `rekey fleet rotate` (docs/fleet.md)",
        meaning="the fleet that the rotation is part of; only a fleet's own execution gives it",
    ),
    "ticket": Described(
        fix='give {"provider": "jira", "key": "SEC-12"}, or leave it out',
        meaning="the ticket that asks; written into the evidence",
        option="Such as jira:SEC-12.",
    ),
}
"""In the order of the table in docs/request.md."""

KEY_IDS = ("managed_services_customer_managed_key_id", "storage_customer_managed_key_id")
"""What Databricks' POST takes and a wish for a workspace does not."""

WORKSPACE_FIELDS: Mapping[str, Described] = {
    "workspace_name": Described("give a name of 1 to 100 characters, one that no workspace of the account has"),
    "aws_region": Described('give the region\'s code, for example "eu-central-1"'),
    "credentials_id": Described("give the id of a credential configuration of the account"),
    "storage_configuration_id": Described("give the id of a storage configuration of the account"),
    "network_id": Described("give the id of a network configuration of the account, or leave it out"),
    "deployment_name": Described("give 1 to 64 letters, digits or hyphens, or leave it out"),
    "pricing_tier": Described('give "ENTERPRISE", which customer-managed keys need, or leave it out'),
    "private_access_settings_id": Described("give the id of private access settings of the account, or leave it out"),
    "network_connectivity_config_id": Described("give the id of a network connectivity configuration, or leave it out"),
    "custom_tags": Described("give an object of texts, keys of at most 127 and values of at most 255 characters"),
    "compute_mode": Described('give "HYBRID" or "SERVERLESS", or leave it out'),
    **dict.fromkeys(
        KEY_IDS, Described("leave it out; rekey fills it in. A key of your own goes beside workspace, as key_arn")
    ),
}
"""The fields inside `workspace`."""


def described(path: Sequence[str]) -> Described | None:
    """The field at a path such as ["workspace", "aws_region"] or ["ticket", "key"]; None where there is none."""
    if path[0] == "workspace" and path[1:]:
        return WORKSPACE_FIELDS.get(path[1])
    return FIELDS.get(path[0])
