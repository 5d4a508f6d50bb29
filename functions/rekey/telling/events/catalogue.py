"""Which entries of the ledger's audit trails are published as events, and in which words. Plain functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekey.base import clock
from rekey.base.words import shortened
from rekey.model.actions import Action, DriftAction, KeyAction
from rekey.model.attention import attention, outcome
from rekey.model.entries import Item
from rekey.model.evidence import evidence_uri
from rekey.model.failure import Failure
from rekey.model.outcome import downtime_seconds, failure_cause, old_key_due_at
from rekey.model.phases import phases
from rekey.model.request import Ticket
from rekey.model.rotation import Rotation
from rekey.telling.events import models
from rekey.telling.events.models import Data, Detail

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef


@dataclass(frozen=True, slots=True)
class Told:
    """What an event is made of."""

    entry: Item
    rotation: Rotation
    bucket: str
    grace_seconds: int

    @property
    def evidence(self) -> str:
        return evidence_uri(self.bucket, self.rotation.rotation_id)


def event_of_refusal(entry: Item) -> tuple[Data, Detail]:
    detail = entry["detail"]
    data = models.RotationRefused(error=detail["error"], message=detail["message"], requested_by=detail["requested_by"])
    return data, Detail(
        id=f"{entry['rotation_id']}/1",
        time=entry["at"],
        correlation_id=detail["request_id"] or entry["rotation_id"],
        rotation_id=entry["rotation_id"],
        workspace_id=detail["workspace_id"],
        ticket=Ticket(**detail["ticket"]) if detail["ticket"] else None,
        data=data.model_dump(mode="json"),
    )


def event_of_rotation(told: Told) -> tuple[Data, Detail] | None:
    """The event of one audit entry; None for an entry that only auditors read."""
    make = _EVENTS.get(told.entry["action"])
    if make is None:
        return None
    data, rotation = make(told), told.rotation
    return data, Detail(
        id=f"{rotation.rotation_id}/{told.entry['seq']}",
        time=told.entry["at"],
        correlation_id=rotation.request.request_id or rotation.rotation_id,
        rotation_id=rotation.rotation_id,
        workspace_id=rotation.workspace_id,
        ticket=rotation.request.ticket,
        data=data.model_dump(mode="json"),
    )


_KEY_EVENTS: Mapping[KeyAction, type[models.KeyEvent]] = {
    KeyAction.DISABLED: models.KeyDisabled,
    KeyAction.ENABLED_AGAIN: models.KeyReenabled,
    KeyAction.FOUND_ENABLED: models.KeyReenabled,
    KeyAction.OVERDUE: models.KeyOverdue,
    KeyAction.NEEDED: models.KeyNeeded,
}


def event_of_key(entry: Item, rotation: Rotation | None) -> tuple[Data, Detail] | None:
    """The event of one entry of a key's trail; `rotation` is the one that last changed the key's part."""
    make = _KEY_EVENTS.get(entry["action"])
    if make is None:
        return None
    data = make(key_arn=entry["key_arn"], state=entry["state"], why=entry["why"])
    request_id = rotation.request.request_id if rotation else None
    return data, Detail(
        id=f"{entry['key_arn']}/{entry['seq']}",
        time=entry["at"],
        correlation_id=request_id or (rotation.rotation_id if rotation else entry["key_arn"]),
        rotation_id=rotation.rotation_id if rotation else None,
        workspace_id=rotation.workspace_id if rotation else None,
        ticket=rotation.request.ticket if rotation else None,
        data=data.model_dump(mode="json"),
    )


def event_of_drift(entry: Item) -> tuple[Data, Detail] | None:
    """The event of one entry of a drift's trail; its end is in the ledger and in the inventory alone."""
    if entry["action"] not in _DRIFT_EVENTS:
        return None
    detail = entry["detail"]
    told = ("what", "workspaces", "key_arn", "before", "after", "since", "repaired")
    data = models.KeyDrifted(**{each: detail[each] for each in told})
    return data, Detail(
        id=f"{entry['subject']}/{detail['what']}/{entry['seq']}",
        time=entry["at"],
        correlation_id=entry["subject"],
        rotation_id=None,
        workspace_id=detail["workspace_id"],
        ticket=None,
        data=data.model_dump(mode="json"),
    )


_DRIFT_EVENTS = frozenset({DriftAction.FOUND, DriftAction.REPAIRED})


def _planned(told: Told) -> Data:
    plan, request = told.rotation.plan, told.rotation.request
    ahead = phases(plan)
    return models.RotationPlanned(
        operation=plan.operation,
        use_cases=list(plan.use_cases),
        why=list(plan.why),
        would_stop=plan.would_stop,
        start_at=plan.start_at,
        approval=plan.approval,
        expected_seconds=sum(each.expected_seconds for each in ahead),
        expected_downtime_seconds=sum(each.expected_seconds for each in ahead if each.downtime),
        requested_by=request.requested_by,
        reason=request.reason,
    )


def _approval_asked(told: Told) -> Data:
    plan = told.rotation.plan
    return models.ApprovalRequested(
        operation=plan.operation,
        use_cases=list(plan.use_cases),
        why=list(plan.why),
        requested_by=told.rotation.request.requested_by,
    )


def _approved(told: Told) -> Data:
    return models.ApprovalAnswered(by=told.entry["detail"]["by"], reason=told.entry["detail"]["reason"])


def _declined(told: Told) -> Data:
    return models.ApprovalDeclined(by=told.entry["detail"]["by"], reason=told.entry["detail"]["reason"])


def _started(told: Told) -> Data:
    plan = told.rotation.plan
    return models.RotationStarted(operation=plan.operation, use_cases=list(plan.use_cases))


def _switched(told: Told) -> Data:
    detail = told.entry["detail"]
    return models.RotationSwitched(before=detail["before"], after=detail["after"])


def _succeeded(told: Told) -> Data:
    rotation = told.rotation
    old = rotation.plan.old_key
    return models.RotationSucceeded(
        outcome="needs_attention" if outcome(rotation) == "needs_attention" else "succeeded",
        operation=rotation.plan.operation,
        use_cases=list(rotation.plan.use_cases),
        downtime_seconds=downtime_seconds(rotation),
        still_down=rotation.still_down,
        attention=shortened([each.text for each in attention(rotation)]),
        key_arn=rotation.key_arn,
        old_key_arn=old.key_arn if old else None,
        old_key_fate=old.fate if old else None,
        old_key_due_at=old_key_due_at(rotation, told.grace_seconds),
        findings=shortened([each.text for each in rotation.findings]),
        evidence=told.evidence,
    )


def _failed(told: Told) -> Data:
    rotation = told.rotation
    failure = rotation.failure or Failure(state="", error="", cause="")
    return models.RotationFailed(
        state=failure.state,
        error=failure.error,
        cause=failure_cause(rotation, failure, told.bucket),
        findings=shortened([each.text for each in rotation.findings]),
        evidence=told.evidence,
    )


def _compute_down(told: Told) -> Data:
    detail, failure = told.entry["detail"], told.rotation.failure
    return models.ComputeDown(
        since=detail["since"],
        down=shortened(list(detail["down"])),
        next=detail["next"],
        failure=f"{failure.state}: {failure.cause}" if failure else None,
    )


def _rolled_back(told: Told) -> Data:
    return models.RotationRolledBack(workspace_on=told.entry["detail"]["workspace_on"])


def _cancelled(told: Told) -> Data:
    cancel = told.rotation.cancel
    return models.RotationCancelled(
        by=cancel.by if cancel else None, reason=cancel.reason if cancel else None, evidence=told.evidence
    )


def _taken_up(told: Told) -> Data:
    detail = told.entry["detail"]
    return models.RotationTakenUp(why=detail["why"], step=detail["next"])


def _unfinished(told: Told) -> Data:
    detail = told.entry["detail"]
    return models.RotationUnfinished(
        said=detail["said"], since=detail["since"], compute_is_down=detail["compute_is_down"]
    )


def _broke_glass(told: Told) -> Data:
    detail = told.entry["detail"]
    return models.BreakGlassUsed(operation=told.rotation.plan.operation, by=detail["by"], reason=detail["reason"])


def _access_changed(told: Told) -> Data:
    rotation, detail = told.rotation, told.entry["detail"]
    make = models.KeyAccessRevoked if rotation.plan.operation == "revoke" else models.KeyAccessRestored
    return make(
        keys=list(detail["keys"]),
        workspaces=list(detail["workspaces"]),
        requested_by=rotation.request.requested_by,
        approved_by=rotation.approved_by,
        reason=rotation.request.reason,
    )


_EVENTS: Mapping[Action, Callable[[Told], Data]] = {
    Action.PLANNED: _planned,
    Action.APPROVAL_ASKED: _approval_asked,
    Action.APPROVED: _approved,
    Action.DECLINED: _declined,
    Action.WINDOW_OPENED: _started,
    Action.BROKE_GLASS: _broke_glass,
    Action.ACCESS_CHANGED: _access_changed,
    Action.SWITCHED: _switched,
    Action.SUCCEEDED: _succeeded,
    Action.FAILED: _failed,
    Action.COMPUTE_DOWN: _compute_down,
    Action.ROLLED_BACK: _rolled_back,
    Action.CANCELLED: _cancelled,
    Action.TAKEN_UP: _taken_up,
    Action.UNFINISHED: _unfinished,
}


def told_actions() -> frozenset[Action | KeyAction | DriftAction]:
    """Actions of the audit trails that become events."""
    return frozenset({*_EVENTS, *_KEY_EVENTS, *_DRIFT_EVENTS})


def as_entry(data: Data, detail: Detail, bus: str, resources: list[str]) -> "PutEventsRequestEntryTypeDef":
    """The event as PutEvents takes it."""
    return {
        "Source": models.SOURCE,
        "DetailType": data.detail_type,
        "Detail": detail.model_dump_json(by_alias=True),
        "EventBusName": bus,
        "Resources": resources,
        "Time": clock.moment(detail.time),
    }
