"""Take the inventory: read the estate once, each key once, and judge each use case of each workspace."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from rekey.aws.policy import databricks_statements
from rekey.aws.policy_document import Statement
from rekey.base import clock
from rekey.base.arns import KeyArn
from rekey.base.observability import count, logger
from rekey.base.settings import Settings, Shard
from rekey.databricks import Account, Estate
from rekey.databricks.account import KeyConfiguration, Workspace
from rekey.inventory.judge import Case, Rules, age_days, allowed_age, due_at, judge
from rekey.inventory.look import AT_ONCE, KmsLook, look_at_keys
from rekey.ledger import Ledger
from rekey.model.drift import FIELDS, Drift, What
from rekey.model.inventory import MEANINGS, Counts, Inventory, KeyUse, Reason, Why, WorkspaceKeys
from rekey.model.key import Key
from rekey.model.request import UseCase
from rekey.model.use_cases import USE_CASES

ANY_ROLE = "arn:aws:iam::000000000000:role/any"
"""Stands for the role that launches a workspace's instances in what is documented: see policy_width."""


@dataclass(frozen=True)
class Seen:
    """All that was read."""

    settings: Settings
    estate: Estate
    looks: dict[str, KmsLook]
    known: dict[str, Key]
    now: datetime
    drifts: Sequence[Drift] = ()
    """What somebody changed, and is not mended."""

    # By id and by ARN, once: to look through thousands of each for each of thousands would take minutes.

    @cached_property
    def configurations(self) -> dict[str, KeyConfiguration]:
        return {each.configuration_id: each for each in self.estate.configurations}

    @cached_property
    def use_cases(self) -> dict[str, set[UseCase]]:
        """What each key is registered for, in any configuration."""
        found: dict[str, set[UseCase]] = {}
        for each in self.estate.configurations:
            found.setdefault(each.key_arn, set()).update(each.use_cases)
        return found

    @cached_property
    def users(self) -> dict[str, dict[int, str]]:
        """Each key's workspaces, through either field: their names by id."""
        found: dict[str, dict[int, str]] = {}
        for workspace in self.estate.workspaces:
            for use_case in USE_CASES:
                if each := self.configuration(workspace, use_case):
                    found.setdefault(each.key_arn, {})[workspace.workspace_id] = workspace.name
        return found

    def configuration(self, workspace: Workspace, use_case: UseCase) -> KeyConfiguration | None:
        """None also where the account does not list it."""
        return self.configurations.get(workspace.configuration_id(use_case) or "")

    @property
    def rules(self) -> Rules:
        keys = self.settings.keys
        return Rules(dict(keys.max_age_days), wants_rotation=keys.rotation_days > 0)


def take(
    settings: Settings, ledger: Ledger, account: Account, *, time_left: Callable[[], float], now: datetime
) -> Inventory:
    """The estate as it is. Raises what Databricks' list or the ledger raises; a key's trouble is its row's."""
    estate = Estate.read(account)
    known = {key.key_arn: key for key in ledger.keys.all()}
    used = {each.key_arn for each in _used(estate) if _is_key(each.key_arn)}
    seen = Seen(settings, estate, look_at_keys(used, time_left), known, now, ledger.drifts.open())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rotations = list(pool.map(lambda each: last_rotation(ledger, seen, each), estate.workspaces))
    rows = [_workspace(seen, *each) for each in zip(estate.workspaces, rotations, strict=True)]
    rows.sort(key=lambda row: (row.name.lower(), row.workspace_id))
    return Inventory(
        taken_at=clock.text(now),
        databricks_account_id=settings.databricks_account_id,
        max_age_days={each: seen.rules.max_age_days[each] for each in USE_CASES if each in seen.rules.max_age_days},
        counts=counts(rows),
        workspaces=tuple(rows),
    )


def documented(shard: Shard, databricks_account_id: str, use_cases: Iterable[UseCase]) -> list[Statement]:
    """What a key's policy may let others do, for the use cases that it is registered for."""
    return databricks_statements(
        shard=shard,
        databricks_account_id=databricks_account_id,
        use_cases=sorted(use_cases),
        cross_account_role=ANY_ROLE,
    )


def counts(rows: Sequence[WorkspaceKeys]) -> Counts:
    """What the rows come to."""
    uses = [each for row in rows for each in row.keys]
    found = {reason: sum(_has(row, reason) for row in rows) for reason in Reason}
    past = {each.key_arn for each in uses if any(why.reason == Reason.TOO_OLD for why in each.whys)}
    return Counts(
        workspaces=len(rows),
        compliant=sum(row.compliant for row in rows),
        keys=len({each.key_arn for each in uses if each.key_arn}),
        keys_past_policy=len(past),
        reasons={reason: number for reason, number in found.items() if number},
    )


def count_metrics(found: Counts) -> None:
    """Also where a number is 0: an alarm goes off by it."""
    count("Workspaces", found.workspaces)
    count("WorkspacesCompliant", found.compliant)
    count("KeysPastPolicy", found.keys_past_policy)


def last_rotation(ledger: Ledger, seen: Seen, workspace: Workspace) -> str | None:
    """The workspace's last rotation that succeeded and has evidence, as far as the ledger has it."""
    try:
        candidates = [ledger.last_of(workspace.workspace_id), *_of_its_keys(seen, workspace)]
        found = [ledger.find(each) for each in dict.fromkeys(candidates) if each]
    except Exception as error:  # noqa: BLE001, a link that is missing is no reason to have no inventory
        logger.warning(f"a workspace's rotation could not be read: {error}", extra={"workspace": workspace.name})
        return None
    own = [each for each in found if each and each.workspace_id == workspace.workspace_id]
    written = [each for each in own if each.evidence_sha256 and each.status == "succeeded"]
    newest = max(written, key=lambda each: each.ended_at or "", default=None)
    return newest.rotation_id if newest else None


def _of_its_keys(seen: Seen, workspace: Workspace) -> list[str | None]:
    configurations = [seen.configuration(workspace, each) for each in USE_CASES]
    keys = [seen.known.get(each.key_arn) for each in configurations if each]
    return [each.rotation_id for each in keys if each]


def _used(estate: Estate) -> list[KeyConfiguration]:
    named = {each.configuration_id(use_case) for each in estate.workspaces for use_case in USE_CASES}
    return [each for each in estate.configurations if each.configuration_id in named]


def _workspace(seen: Seen, workspace: Workspace, rotation_id: str | None) -> WorkspaceKeys:
    # Default storage of a serverless workspace is protected by its MANAGED_SERVICES key: there is no other.
    possible = [each for each in USE_CASES if each != "STORAGE" or not workspace.serverless or workspace.storage_key_id]
    uses = tuple(_with_drift(seen, workspace, _use(seen, workspace, each)) for each in possible)
    return WorkspaceKeys(
        workspace_id=workspace.workspace_id,
        name=workspace.name,
        region=workspace.region,
        status=workspace.status,
        keys=uses,
        rotation_id=rotation_id,
        compliant=not any(each.whys for each in uses),
    )


def _use(seen: Seen, workspace: Workspace, use_case: UseCase) -> KeyUse:
    wanted, trouble = allowed_age(seen.rules.max_age_days.get(use_case), workspace.tags)
    use = _untagged(seen, workspace, use_case, wanted)
    return use.model_copy(update={"whys": (*use.whys, trouble)}) if trouble else use


def _untagged(seen: Seen, workspace: Workspace, use_case: UseCase, wanted: int | None) -> KeyUse:
    configuration_id = workspace.configuration_id(use_case)
    if configuration_id is None:
        text = f"the workspace has no {use_case} key. Fix: rekey add {workspace.workspace_id}"
        missing = () if wanted is None else (Why(reason=Reason.NO_KEY, text=text),)
        return KeyUse(use_case=use_case, max_age_days=wanted, whys=missing)
    found = seen.configuration(workspace, use_case)
    if found is None or not _is_key(found.key_arn):
        said = "names no KMS key" if found else "is not listed by the account"
        text = f"it cannot be read because the key configuration {configuration_id} {said}. Fix: give it another key"
        why = Why(reason=Reason.UNREADABLE, text=text)
        return KeyUse(use_case=use_case, configuration_id=configuration_id, max_age_days=wanted, whys=(why,))
    return _judged(seen, workspace, use_case, found, wanted)


def _with_drift(seen: Seen, workspace: Workspace, use: KeyUse) -> KeyUse:
    """With what somebody changed of it, and nobody mended."""
    drifted = [each for each in seen.drifts if _is_about(each, workspace, use)]
    if not drifted:
        return use
    order = list(MEANINGS)
    whys = [*use.whys, *(Why(reason=Reason.DRIFTED, text=each.text) for each in drifted)]
    return use.model_copy(update={"whys": tuple(sorted(whys, key=lambda each: order.index(each.reason)))})


def _is_about(drift: Drift, workspace: Workspace, use: KeyUse) -> bool:
    if drift.key_arn is not None:
        return drift.key_arn == use.key_arn
    if drift.subject != str(workspace.workspace_id):
        return False
    missing = use.configuration_id is None and use.max_age_days is not None
    return missing if drift.what == What.NO_KEY else drift.what == FIELDS[use.use_case]


def _judged(
    seen: Seen, workspace: Workspace, use_case: UseCase, configuration: KeyConfiguration, wanted: int | None
) -> KeyUse:
    arn = configuration.key_arn
    look, parts = seen.looks[arn], KeyArn.of(arn)
    may = documented(seen.settings.databricks_shard, seen.settings.databricks_account_id, seen.use_cases[arn])
    known = seen.known.get(arn)
    case = Case(arn, look, known is not None, may, wanted, seen.now, known.revoked if known else None)
    return KeyUse(
        use_case=use_case,
        configuration_id=configuration.configuration_id,
        key_arn=arn,
        region=parts.region,
        account=parts.account,
        kms_state=look.state,
        origin=look.origin,
        material_since=_text(look.material_since),
        age_days=age_days(look, seen.now),
        rotates_every_days=look.rotates_every_days,
        renews_at=_text(look.renews_at),
        max_age_days=wanted,
        due_at=_text(due_at(look, wanted)),
        shared_with=tuple(sorted(name for number, name in seen.users[arn].items() if number != workspace.workspace_id)),
        whys=judge(case, seen.rules),
    )


def _has(row: WorkspaceKeys, reason: Reason) -> bool:
    return any(why.reason == reason for each in row.keys for why in each.whys)


def _is_key(arn: str) -> bool:
    """Whether it is the ARN of a KMS key: Databricks keeps what it was given."""
    return arn.count(":") == 5 and ":key/" in arn


def _text(moment: datetime | None) -> str | None:
    return clock.text(moment) if moment else None
