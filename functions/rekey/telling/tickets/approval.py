"""A ticket that was approved while its rotation waits for that, or soon will: the answer goes to answer_approval."""

import json
from typing import Literal

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.telling.tickets.settings import Places

Outcome = Literal["approved", "refused", "unknown"]


def approve(places: Places, rotation_id: str, by: str) -> Outcome:
    """Let the rotation go on; an answer that comes before the execution asks is kept for it.

    "refused": it needs no approval, or has its answer. "unknown": it is not even planned yet.
    Raises AwsUnavailable: the sender tries again.
    """
    event = {"rotation_id": rotation_id, "decision": "approve", "by": by}
    answer = clients.lambda_().invoke(FunctionName=places.answer_approval, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if not answer.get("FunctionError"):
        return "approved"
    match payload.get("errorType") if isinstance(payload, dict) else None:
        case "RequestRefused":
            return "refused"
        case "RekeyError":  # The ledger knows no such rotation.
            return "unknown"
    raise AwsUnavailable("The approval could not be passed on.")
