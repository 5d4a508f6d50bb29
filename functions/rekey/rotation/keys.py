"""KMS keys of a rotation: made once, found again by tag, disabled, never deleted."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rekey.aws import kms_key, policy, tags
from rekey.aws.kms_key import KmsKey
from rekey.aws.policy_document import Statement, missing_statements
from rekey.base import clock
from rekey.base.arns import KeyArn
from rekey.base.errors import PolicyMismatch
from rekey.base.key_settings import KeySettings
from rekey.base.settings import Settings
from rekey.base.words import plain
from rekey.ledger.transaction import Writes
from rekey.model.actions import Action, KeyAction
from rekey.model.answers import KeyMade
from rekey.model.plan import Plan
from rekey.model.request import Request, UseCase
from rekey.model.rotation import Rotation
from rekey.model.steps import StepName
from rekey.retirement.rotations import made
from rekey.rotation.step import Step


def ensure_key(step: Step) -> KeyMade:
    """Make the rotation's key unless it was made before."""
    rotation = step.rotation
    if rotation.key_arn:
        return KeyMade(key_arn=rotation.key_arn, found=True)
    if rotation.plan.given_key_arn:
        given = rotation.plan.given_key_arn
        detail = {"key_arn": given, "source": rotation.plan.key_source}
        step.record(StepName.CREATE_KEY, Action.KEY_GIVEN, detail, key_arn=given, status="running")
        return KeyMade(key_arn=given, found=True)
    wanted = step.settings.keys
    found = found_keys(step)
    key_arn = found[0] if found else make_key(wanted, rotation)
    if wanted.rotation_days:
        # Before it is written down: who comes again finds the key in the ledger, and looks no further.
        KmsKey(key_arn).rotate_by_itself(wanted.rotation_days)
    step.record(
        StepName.CREATE_KEY,
        Action.KEY_FOUND if found else Action.KEY_CREATED,
        {"key_arn": key_arn, "region": rotation.plan.region, "automatic_rotation_days": wanted.rotation_days},
        # From its first moment every end, and the sweep, knows of it.
        more=_introduced(step, key_arn),
        key_arn=key_arn,
        status="running",
    )
    return KeyMade(key_arn=key_arn, alias=name_key(wanted, rotation, key_arn), found=bool(found))


def found_keys(step: Step) -> list[str]:
    """ARNs of the keys that the rotation made, also of those that its ledger does not know."""
    plan = step.rotation.plan
    return kms_key.find(plan.key_account, plan.region, step.rotation.rotation_id, step.settings.keys.managed_by)


def _introduced(step: Step, key_arn: str) -> Writes:
    table = step.ledger.keys
    fresh = [] if table.find(key_arn) else [made(step.rotation, key_arn, clock.now())]
    return table.writes([(None, key) for key in fresh], KeyAction.MADE)


def make_key(settings: KeySettings, rotation: Rotation) -> str:
    """CreateKey for the rotation, tagged so that it is found again and passes the organisation's guard rails. Gives the
    ARN."""
    plan = rotation.plan
    return kms_key.make(
        plan.key_account,
        plan.region,
        f"Databricks workspace {plan.workspace_id or plan.workspace_name}: {' + '.join(plan.use_cases)}",
        {
            **dict(settings.tags),
            tags.MANAGED: settings.managed_by,
            **_workspace_tag(plan),
            tags.ROTATION: tags.rotation_tag(rotation.rotation_id),
            tags.USE_CASES: " ".join(plan.use_cases),
            tags.STATE: "current",
        },
    )


def _workspace_tag(plan: Plan) -> dict[str, str]:
    """Whose key it is. A workspace that is yet to be made has only its name, and KMS takes not every character."""
    if plan.workspace_id is not None:
        return {tags.WORKSPACE: str(plan.workspace_id)}
    return {tags.WORKSPACE_NAME: re.sub(r"[^\w .:/=+@-]", "_", plan.workspace_name)}


def name_key(settings: KeySettings, rotation: Rotation, key_arn: str) -> str:
    """Give the key an alias that a person recognizes in the console. Gives the alias' name."""
    workspace = rotation.plan.workspace_id or re.sub(r"[^A-Za-z0-9_-]+", "-", rotation.plan.workspace_name)
    alias = f"alias/{settings.alias_prefix}/{workspace}/{plain(rotation.rotation_id)}"
    KmsKey(key_arn).name(alias)
    return alias


def wanted_policy(settings: Settings, rotation: Rotation, key_arn: str) -> dict[str, Any]:
    """The policy that the rotation's key must carry."""
    parts = KeyArn.of(key_arn)
    return policy.key_policy(
        partition=parts.partition,
        aws_account=parts.account,
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=rotation.plan.use_cases,
        cross_account_role=rotation.plan.cross_account_role,
        break_glass_role=settings.break_glass_role_arn,
        admins=_admins(settings.keys, parts.account),
    )


def _admins(settings: KeySettings, account: str) -> tuple[str, ...]:
    """In another account the role there acts for rekey."""
    accounts = settings.accounts
    own = (accounts.role_in(account),) if accounts.has_role(account) else ()
    return (*settings.admins, *own) if settings.admins else ()


def databricks_statements(
    settings: Settings, use_cases: Sequence[UseCase], cross_account_role: str | None
) -> list[Statement]:
    """What the policy of a rotation's key must let Databricks do."""
    return policy.databricks_statements(
        shard=settings.databricks_shard,
        databricks_account_id=settings.databricks_account_id,
        use_cases=use_cases,
        cross_account_role=cross_account_role,
    )


def added_statements(
    settings: Settings, request: Request, use_cases: Sequence[UseCase], cross_account_role: str | None
) -> list[Statement]:
    """What a given key's policy is to carry: Databricks' statements, and the guard only where it was asked for."""
    guard = policy.guards(settings.break_glass_role_arn) if request.guard_key else []
    return [*databricks_statements(settings, use_cases, cross_account_role), *guard]


def check_key(settings: Settings, rotation: Rotation, key_arn: str) -> None:
    """Raises PolicyMismatch unless the key is enabled and lets Databricks do what the use cases need."""
    if not rotation.plan.key_seen:
        return  # What Databricks reads and writes under it is all that can be known.
    key = KmsKey(key_arn)
    if (state := key.state()) != "Enabled":
        raise PolicyMismatch(f"The new key {key_arn} is {state}, not Enabled. Somebody changed it during the rotation.")
    wanted = databricks_statements(settings, rotation.plan.use_cases, rotation.plan.cross_account_role)
    if missing := missing_statements(json.dumps(key.policy()), wanted):
        raise PolicyMismatch(
            f"The policy of the new key {key_arn} lacks: {'; '.join(missing)}. Somebody changed it during the rotation."
        )


def abandon(key_arn: str) -> str | None:
    """Tag a key that Databricks never saw as abandoned and disable it. None, or why it could not be disabled.

    It is not said to be for STORAGE any more: the key check, which may have to do it later, leaves such a key alone.
    """
    mark_abandoned(key_arn, {tags.USE_CASES: ""})
    return KmsKey(key_arn).disable()


def mark_abandoned(key_arn: str, more: Mapping[str, str] | None = None) -> None:
    """Tag a key so that a person who finds it knows that no rotation stands behind it."""
    KmsKey(key_arn).tag({tags.STATE: "abandoned", **(more or {})})
