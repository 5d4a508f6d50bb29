"""moto's KMS without the web around it: no signature, no URL, no agent's name, which are most of what a call costs.

What it is asked and what it says stays: botocore's own serializer and parser, moto's own responses, with whatever the
tests have taught them (tests/kms_*.py).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore import xform_name
from moto.core.utils import camelcase_to_underscores
from moto.kms.responses import KmsResponse
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

_ACCOUNT = "123456789012"
"""moto's own."""
_HEADERS = {"host": "kms.amazonaws.com"}


def answer(client: Any, operation: str, given: Any) -> Any:
    """What a boto3 client of KMS gives its caller. Raises as the client does."""
    model = client.meta.service_model.operation_model(operation)
    request = client._serializer.serialize_to_request(given, model)
    status, body = _said(client.meta.region_name, operation, request["body"])
    said = {"status_code": status, "headers": {}, "body": body.encode()}
    parsed = client._response_parser.parse(said, model.output_shape)
    if status < 300:
        return parsed
    raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)


def _said(region: str, operation: str, body: bytes) -> tuple[int, str]:
    response: Any = KmsResponse()
    response.body = body.decode()
    response.region, response.partition = region, get_partition(region)
    response.current_account, response.headers, response.response_headers = _ACCOUNT, _HEADERS, {}
    response.querystring, response.uri_match = {}, {}
    try:
        said = _method(operation)(response)
    except HTTPException as refused:
        return int(refused.code or 400), str(refused.description)
    assert isinstance(said, str), f"{operation} answers otherwise by now"
    return 200, said


def _method(operation: str) -> Callable[[Any], Any]:
    """Looked up anew each time: tests put others in its place."""
    return getattr(KmsResponse, _name(operation))  # type: ignore[no-any-return]


@cache
def _name(operation: str) -> str:
    name = camelcase_to_underscores(operation)
    assert name == xform_name(operation), operation
    return name
