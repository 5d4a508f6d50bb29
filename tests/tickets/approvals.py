"""AWS Lambda at its boundary, for tickets that approve; what answer_approval and steer_fleet do is tests/steps'."""

import io
import json
from typing import Any

from tests.enforced_roles import judge
from tests.role_requests import requests_of

IN_REVIEW = {"jira": "In review", "servicenow": "requested", "standard": "requested"}


class Lambda:
    """What was asked of whom, and the error that is answered."""

    def __init__(self, error: str = "") -> None:
        self.error, self.asked = error, list[Any]()

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803, botocore's names
        judge(requests_of("lambda", "Invoke", {"FunctionName": FunctionName}, "us-east-1"), "Invoke")
        self.asked.append((FunctionName, json.loads(Payload)))
        body = {"errorType": self.error, "errorMessage": "no"} if self.error else {"outcome": "approved"}
        failed = {"FunctionError": "Unhandled"} if self.error else {}
        return {"Payload": io.BytesIO(json.dumps(body).encode()), **failed}
