"""Which entries of a fleet's trail are published as events, and in which words. Plain functions."""

from rekey.model.entries import Item
from rekey.model.fleet import Fleet, FleetAction, plan_key, report_key
from rekey.telling.events import models
from rekey.telling.events.models import Data, Detail

TOLD = (FleetAction.PLANNED, FleetAction.APPROVAL_ASKED, FleetAction.WAVE_ENDED, FleetAction.ENDED)


def event_of_fleet(entry: Item, fleet: Fleet, bucket: str) -> tuple[Data, Detail] | None:
    """The event of one audit entry; None for an entry that only auditors read."""
    data = _data(entry, fleet, bucket)
    if data is None:
        return None
    return data, Detail(
        id=f"fleet:{fleet.name}/{entry['seq']}",
        time=entry["at"],
        correlation_id=fleet.request.request_id or fleet.name,
        rotation_id=None,
        workspace_id=None,
        ticket=fleet.request.ticket,
        data=data.model_dump(mode="json"),
    )


def _data(entry: Item, fleet: Fleet, bucket: str) -> Data | None:
    request, detail = fleet.request, entry["detail"]
    match entry["action"]:
        case FleetAction.PLANNED:
            return models.FleetPlanned(
                fleet=fleet.name,
                waves=fleet.waves,
                counts=detail["counts"],
                forbidden=detail.get("forbidden", ()),
                approval=request.approval,
                plan=f"s3://{bucket}/{plan_key(fleet.name)}",
                plan_sha256=fleet.plan_sha256,
                requested_by=request.requested_by,
                reason=request.reason,
            )
        case FleetAction.APPROVAL_ASKED:
            return models.FleetApprovalRequested(
                fleet=fleet.name, waits_for=detail["for"], requested_by=request.requested_by
            )
        case FleetAction.WAVE_ENDED:
            return models.FleetWaveEnded(
                fleet=fleet.name,
                wave=detail["wave"],
                waves=fleet.waves,
                outcomes=detail["outcomes"],
                stopped=detail["stopped"],
            )
        case FleetAction.ENDED:
            return models.FleetEnded(
                fleet=fleet.name,
                status=detail["status"],
                outcomes=detail["outcomes"],
                why=fleet.stopped or fleet.failed,
                report=f"s3://{bucket}/{report_key(fleet.name)}",
            )
    return None
