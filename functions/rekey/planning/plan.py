"""The verdict on a case: the plan, or what forbids it. Plain functions: nothing here touches the world."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rekey.base import clock
from rekey.base.arns import account_of
from rekey.base.errors import RequestRefused
from rekey.base.words import shortened
from rekey.model.budgets import budgets_for
from rekey.model.phases import window_too_short
from rekey.model.plan import KeySource, OldKey, Plan
from rekey.model.refusal import Refusal, joined
from rekey.model.request import DRAIN_MINUTES
from rekey.model.use_cases import USE_CASES
from rekey.planning import access
from rekey.planning.case import Case
from rekey.planning.rules import judge
from rekey.planning.rules.heed import heeded
from rekey.planning.rules.policy import doubts


@dataclass(frozen=True, slots=True)
class Verdict:
    """The plan; None where there are refusals."""

    plan: Plan | None
    refusals: list[Refusal]

    def agreed(self) -> Plan:
        """Raises RequestRefused with every refusal."""
        if self.plan is None:
            raise RequestRefused(joined(self.refusals))
        return self.plan


def conclude(case: Case, now: datetime) -> Verdict:
    """The whole decision: the rules, the plan, and the one rule that needs the plan."""
    if refusals := judge(case):
        return Verdict(None, refusals)
    plan = make_plan(case, now)
    late = list(window_fits(plan, now))
    return Verdict(None if late else plan, late)


def make_plan(case: Case, now: datetime) -> Plan:
    """What will be done about a case that the rules let through."""
    request, workspace, intent, given = case.request, case.workspace, case.intent, case.facts.given
    source: KeySource = "configuration" if given.configuration else "brought" if request.key_arn else "new"
    old_key = _old_key(case)
    drain_minutes = (request.drain_minutes or DRAIN_MINUTES) if request.jobs == "drain" else 0
    return Plan(
        operation=intent.operation,
        use_cases=intent.use_cases,
        why=(*intent.why, *_why(case, source, old_key)),
        workspace_id=None if intent.creates else workspace.workspace_id,
        workspace_name=workspace.name,
        deployment_name=workspace.deployment_name,
        region=workspace.region,
        network="customer" if workspace.network_id else "databricks",
        before={each: workspace.configuration_id(each) for each in USE_CASES},
        old_key=old_key,
        key_source=source,
        key_account=case.facts.key_account or "" if case.makes_key else "",
        key_seen=all(each.seen for each in given.keys),
        given_key_arn=given.configuration.key_arn if given.configuration else request.key_arn,
        given_configuration_id=request.key_configuration_id,
        access_keys=tuple(each.arn for each in given.keys) if intent.changes_access else (),
        access_roles=tuple(case.facts.access_roles),
        access_canary=next((key.revoked.rotation_id for key in case.facts.known if key.revoked), None),
        shared_with=tuple(each.workspace_id for each in access.sharers(case)) if intent.changes_access else (),
        stops_working=tuple(access.stops_working(case)) if intent.changes_access else (),
        alone=request.alone,
        material_keys=tuple(each.arn for each in given.keys) if intent.renews else (),
        yearly_rotation=request.yearly_rotation,
        drain_minutes=drain_minutes,
        renew_notebooks=bool(request.renew_notebooks),
        settle=_settles(case),
        start_at=clock.text(max(request.not_before or now, now)),
        not_after=clock.text(request.not_after) if request.not_after else None,
        approval=request.approval or (intent.changes_access and not request.alone),
        reuse_key_for_cluster_volumes=case.reuses,
        cross_account_role=case.facts.cross_account_role,
        may_deny=tuple(shortened(doubts(case))) if source != "new" else (),
        heed=tuple(heeded(case)),
        would_stop={} if intent.renews or intent.changes_access else case.compute.counts(),
        budgets=budgets_for(case.compute.objects(), drain_minutes * 60),
    )


def window_fits(plan: Plan, now: datetime) -> Iterator[Refusal]:
    """Whether it is surely done when the window closes."""
    if late := window_too_short(plan, now):
        yield Refusal("not_after", late, "give a longer window, or leave not_after out")


def _old_key(case: Case) -> OldKey | None:
    """What becomes of the key that a rotation replaces; None where nothing is replaced."""
    replaced = case.facts.estate.configuration(case.workspace.managed_services_key_id)
    if not case.intent.replaces or replaced is None:  # One that is not listed is refused by `configuration_listed`.
        return None
    fate, why = case.request.old_key, "the request says so"
    if fate == "disable":
        why = "nothing will need it 24 hours after the verified switch; each condition is checked again on that day"
        if case.facts.estate.serves_storage(replaced.key_arn):
            fate, why = "retain", "it is registered for STORAGE, whose data needs its key forever"
        elif not case.facts.reaches(replaced.key_arn):
            fate, why = "retain", f"rekey has no role in its AWS account {account_of(replaced.key_arn)}"
    return OldKey(configuration_id=replaced.configuration_id, key_arn=replaced.key_arn, fate=fate, why=why)


_SOURCES: dict[KeySource, str] = {
    "new": "a new one, made for this rotation",
    "brought": "your own, which the request names; it stays its owner's",
    "configuration": "that of the registered configuration; nothing new is made",
}


def _why(case: Case, source: KeySource, old_key: OldKey | None) -> Iterator[str]:
    if case.intent.changes_access:
        yield _access_reason(case)
        return
    if not case.intent.renews:
        yield f"key: {_SOURCES[source]}{_where(case)}"
    if old_key:
        yield f"old key: {old_key.fate}, because {old_key.why}"
    if case.request.renew_notebooks:
        yield "notebooks: those under the given paths are exported and re-imported once compute is back"
    yield f"settle wait: {_settle_reason(case)}"


def _access_reason(case: Case) -> str:
    keys = ", ".join(each.arn for each in case.facts.given.keys)
    what = "are taken out of" if case.intent.operation == "revoke" else "are put back into"
    return f"access: Databricks' own statements {what} the policy of {keys}; every other statement stays"


def _where(case: Case) -> str:
    """Of a new key that is not made in the stack's own account."""
    account = case.facts.key_account
    elsewhere = case.makes_key and account not in (None, "", case.facts.own_account)
    return f", in the AWS account {account} (rekey:key_accounts)" if elsewhere else ""


def _settles(case: Case) -> bool:
    return case.intent.gives_storage and not case.intent.creates


def _settle_reason(case: Case) -> str:
    if _settles(case):
        return "20 minutes, because a STORAGE key changes"
    if case.intent.creates:
        return "none, and no downtime: a new workspace has its keys from its first day"
    if case.intent.renews:
        return "none, and no downtime: the key's ARN stays the same"
    return "none, because only the MANAGED_SERVICES key changes"
