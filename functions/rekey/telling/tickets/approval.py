"""A ticket that was approved while its rotation, or its fleet, waits for that or soon will: its answer is passed on."""

import json
from typing import Any, Literal

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.telling.tickets.register import Claim
from rekey.telling.tickets.settings import Places

Outcome = Literal["approved", "refused", "unknown"]


def approve(places: Places, claim: Claim, by: str) -> Outcome:
    """Let it go on; an answer that comes before the execution asks is kept for it.

    "refused": it needs no approval, or has its answer. "unknown": it is not even planned yet.
    Raises AwsUnavailable: the sender tries again.
    """
    if claim.fleet:
        wish = {"name": claim.fleet, "wish": "approve", "by": by, "plan_only": True}
        return _answered(places.steer_fleet, wish)
    return _answered(places.answer_approval, {"rotation_id": claim.rotation_id, "decision": "approve", "by": by})


def _answered(function: str, event: dict[str, Any]) -> Outcome:
    answer = clients.lambda_().invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if not answer.get("FunctionError"):
        return "approved"
    match payload.get("errorType") if isinstance(payload, dict) else None:
        case "RequestRefused":
            return "refused"
        case "RekeyError":  # The ledger knows neither such a rotation nor such a fleet.
            return "unknown"
    raise AwsUnavailable("The approval could not be passed on.")
