"""A fleet in its third wave, for what shows one."""

from typing import Any

from rekey.model.fleet import FleetLook, FleetReport, Standing, WaveStanding, counted_outcomes

WHY = "Switch workspace key (DatabricksError): BAD_REQUEST: Databricks refused the change of the workspace's key."


def standing(number: int, wave: int, outcome: Any, why: str = "") -> Standing:
    return Standing(
        rotation_id=f"autumn-{number}",
        workspace_id=1_234_567_890_123_000 + number,
        workspace_name=f"analytics-prod-{number:03d}",
        region="eu-central-1",
        operation="rotate",
        use_cases=("MANAGED_SERVICES",),
        wave=wave,
        outcome=outcome,
        why=why,
    )


def a_report(**changes: Any) -> FleetReport:
    rotations = [
        standing(1, 1, "succeeded"),
        *(standing(n, 2, "succeeded") for n in range(2, 6)),
        standing(6, 2, "failed", WHY),
        *(standing(n, 3, "running") for n in range(7, 17)),
        *(standing(n, 3, "waiting") for n in range(17, 32)),
        standing(32, 0, "forbidden", "workspace_id: the service principal is no admin of it. Fix: make it one."),
    ]
    waves = [
        WaveStanding(number=n, outcomes=counted_outcomes([each for each in rotations if each.wave == n]))
        for n in (1, 2, 3)
    ]
    values: dict[str, Any] = {
        "name": "autumn",
        "status": "running",
        "said": "Wave 3 of 3 goes on. 1 of 31 did not succeed.",
        "taken_at": "2026-11-21T20:00:00.000Z",
        "created_at": "2026-11-21T17:00:00.000Z",
        "ended_at": None,
        "execution_arn": "arn",
        "execution_status": "RUNNING",
        "plan_sha256": "0" * 64,
        "requested_by": "ada",
        "reason": None,
        "ticket": None,
        "approved_by": None,
        "wave": 3,
        "outcomes": counted_outcomes(rotations),
        "waves": waves,
        "rotations": rotations,
        **changes,
    }
    return FleetReport.model_validate(values)


def a_look(waits_for: str = "", **changes: Any) -> FleetLook:
    report = a_report(**changes)
    shown = {each: getattr(report, each) for each in FleetLook.model_fields if each != "waits_for"}
    return FleetLook(waits_for=waits_for, **shown)
