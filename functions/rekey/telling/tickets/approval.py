"""A ticket that was approved while its rotation waited for that: the answer goes to answer_approval."""

import json

from rekey.aws import clients
from rekey.base.errors import AwsUnavailable
from rekey.telling.tickets.settings import Places


def approve(places: Places, rotation_id: str, by: str) -> bool:
    """Let the rotation go on. False when it waits for no approval. Raises AwsUnavailable: the sender tries again."""
    event = {"rotation_id": rotation_id, "decision": "approve", "by": by}
    answer = clients.lambda_().invoke(FunctionName=places.answer_approval, Payload=json.dumps(event).encode())
    payload = json.loads(answer["Payload"].read() or b"null")
    if not answer.get("FunctionError"):
        return True
    if isinstance(payload, dict) and payload.get("errorType") in ("RequestRefused", "RekeyError"):
        return False
    raise AwsUnavailable("The approval could not be passed on.")
